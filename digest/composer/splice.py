"""A compiled layout -> one edition's parts, its text, and its size, without rendering.

The contents list shows from two stories on, the cards always, and "more" when anything is in it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from digest.layout import Block, BlockName, Layout, Part, Slot

# UTF-8 bytes that a value may well take in HTML. A subject is cut to a line by `wording`, but each
# character outside ASCII becomes a reference of up to 9 bytes; a reader may follow dozens of tags.
_RESERVED: Mapping[Slot, int] = {
    Slot.SUBJECT: 600,
    Slot.PREHEADER: 600,
    Slot.INTRO: 300,
    Slot.SALUTATION: 200,
    Slot.WHY: 800,
    Slot.VIEW_URL: 120,
    Slot.FEEDBACK_URL: 120,
    Slot.PREFERENCES_URL: 100,
    Slot.PAUSE_URL: 100,
    Slot.UNSUBSCRIBE_URL: 100,
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """UTF-8 bytes of a layout, by what an edition adds; slots count as empty."""

    base: int  # outside the two blocks that can be hidden
    contents: Mapping[str, int]  # story id -> its line at the top
    stories: Mapping[str, int]  # story id -> its card
    more: Mapping[str, int]  # story id -> its line under "more"
    contents_wrap: int  # what surrounds the list, when it is shown
    more_wrap: int
    reserve: int = 0  # what the values of all slots may add

    def html_bytes(self, stories: Sequence[str], more: Sequence[str]) -> int:
        """What `merge` makes of these stories when every value is empty."""
        total = self.base + sum(self.stories[story] for story in stories)
        if shown(BlockName.CONTENTS, stories):
            total += self.contents_wrap + sum(self.contents[story] for story in stories)
        if shown(BlockName.MORE, more):
            total += self.more_wrap + sum(self.more[story] for story in more)
        return total

    def at_most(self, stories: Sequence[str], more: Sequence[str]) -> int:
        """`html_bytes` with room for the values: what a cap is held against."""
        return self.html_bytes(stories, more) + self.reserve


def merge(
    layout: Layout, stories: Sequence[str], more: Sequence[str], values: Mapping[Slot, str]
) -> str:
    """One edition's text, its slots filled; values are escaped already (`html_values`)."""
    return "".join(
        values[part] if isinstance(part, Slot) else part for part in parts(layout, stories, more)
    )


def parts(layout: Layout, stories: Sequence[str], more: Sequence[str]) -> Iterator[Part]:
    """The parts of one edition in order, stories and `more` by their ids."""
    for part in layout.parts:
        if isinstance(part, Block):
            yield from _block_parts(part, more if part.name is BlockName.MORE else stories)
        else:
            yield part


def measure(layout: Layout) -> Sizes:
    """What each block, item and the rest of the layout weigh, for the selector's byte cap."""
    blocks = {part.name: part for part in layout.parts if isinstance(part, Block)}
    items = {name: _item_bytes(blocks.get(name)) for name in BlockName}
    wraps = {name: _wrap_bytes(blocks.get(name)) for name in BlockName}
    literals = [part for part in layout.parts if not isinstance(part, Block)]
    return Sizes(
        base=_bytes(literals) + wraps[BlockName.STORIES],
        contents=items[BlockName.CONTENTS],
        stories=items[BlockName.STORIES],
        more=items[BlockName.MORE],
        contents_wrap=wraps[BlockName.CONTENTS],
        more_wrap=wraps[BlockName.MORE],
        reserve=sum(_RESERVED[slot] * n for slot, n in _slot_counts(layout).items()),
    )


def _block_parts(block: Block, ids: Sequence[str]) -> Iterator[Part]:
    if not shown(block.name, ids):
        return
    yield from block.before
    for story in ids:
        yield from block.items[story]
    yield from block.after


def shown(name: BlockName, ids: Sequence[str]) -> bool:
    """Whether a block is shown: one story needs no list of contents, nothing no heading "more"."""
    at_least = {BlockName.CONTENTS: 2, BlockName.STORIES: 0, BlockName.MORE: 1}
    return len(ids) >= at_least[name]


def _bytes(parts: Sequence[Part]) -> int:
    return sum(len(part.encode()) for part in parts if not isinstance(part, Slot))


def _item_bytes(block: Block | None) -> Mapping[str, int]:
    return {story: _bytes(item) for story, item in block.items.items()} if block else {}


def _wrap_bytes(block: Block | None) -> int:
    return _bytes(block.before) + _bytes(block.after) if block else 0


def _slot_counts(layout: Layout) -> Counter[Slot]:
    """How often each slot occurs; once per block, not per story, for one inside an item."""
    counts: Counter[Slot] = Counter()
    for part in layout.parts:
        inside = (*part.before, *part.after) if isinstance(part, Block) else (part,)
        counts.update(piece for piece in inside if isinstance(piece, Slot))
        if isinstance(part, Block):
            counts.update({s for item in part.items.values() for s in item if isinstance(s, Slot)})
    return counts
