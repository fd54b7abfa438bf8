"""A renderer that keeps the fragments of stories, for a process that shows one issue many times.

A fragment depends on its story, its templates, the language and the date of the issue, and on no
other story: the composer's splicing rests on that already. So a story that was edited is compiled
alone, and the others stay as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from digest.config import Config
from digest.layout import Block, BlockName, Compiled, Layout, Part
from digest.models import Issue, Story
from digest.renderer import Renderer
from digest.renderer.environment import Templates
from digest.renderer.sheet import Sheet

ISSUES = 8  # kept with all their fragments: about 10 kB a story
TEXTS = 16 * ISSUES  # kinds of items, with every version of their templates

_K = TypeVar("_K")
_V = TypeVar("_V")


class KeptRenderer(Renderer):
    """Gives what `Renderer` gives, and compiles each story once.

    Like every renderer it reads its templates once: make a new one when they change, `after` the
    old one, and only what depends on the changed files is rendered again.
    """

    def __init__(
        self, templates: Path | None, config: Config, after: "KeptRenderer | None" = None
    ) -> None:
        self._known: Templates = after._known if after else Templates()
        super().__init__(templates, config, self._known)
        self._kept: dict[tuple[Issue, str], dict[Story, Compiled]] = {}
        self._texts: dict[tuple[str, ...], dict[Story, str]] = after._texts if after else {}

    def compile(self, stories: Sequence[Story], issue: Issue, language: str) -> Compiled:
        """As `Renderer.compile`; only stories that were not seen before cost anything."""
        kept = self._fragments(issue, language)
        new = [story for story in stories if story not in kept]
        if new or not stories:
            compiled = super().compile(new, issue, language)
            kept |= dict.fromkeys(new, compiled)
        else:
            compiled = kept[stories[0]]
        return Compiled(
            language,
            _joined(compiled.html, {story.id: kept[story].html for story in stories}),
            _joined(compiled.text, {story.id: kept[story].text for story in stories}),
        )

    def _fragments(self, issue: Issue, language: str) -> dict[Story, Compiled]:
        return _latest(self._kept, (issue, language), ISSUES)

    def _items(self, sheet: Sheet, block: BlockName, stories: Sequence[Story]) -> list[str]:
        known = _latest(self._texts, (block, *sheet.sources(block)), TEXTS)
        new = [story for story in stories if story not in known]
        known |= zip(new, super()._items(sheet, block, new), strict=True)
        return [known[story] for story in stories]


def _latest(kept: dict[_K, dict[Story, _V]], key: _K, most: int) -> dict[Story, _V]:
    """What is kept under `key`; beyond `most` keys the one goes that was asked for longest ago."""
    found = kept.pop(key, {})
    kept[key] = found
    if len(kept) > most:
        del kept[next(iter(kept))]
    return found


def _joined(layout: Layout, sources: Mapping[str, Layout]) -> Layout:
    """`layout` with, in every block, the fragment of each story from the layout that has it."""
    items = {id(source): _items(source) for source in sources.values()}

    def joined(part: Part | Block) -> Part | Block:
        if not isinstance(part, Block):
            return part
        own = {story: items[id(source)][part.name][story] for story, source in sources.items()}
        return replace(part, items=own)

    return Layout(tuple(map(joined, layout.parts)))


def _items(layout: Layout) -> dict[BlockName, Mapping[str, tuple[Part, ...]]]:
    return {part.name: part.items for part in layout.parts if isinstance(part, Block)}
