"""Marks in a rendered template, and the layout that a marked rendering falls into.

All candidates are rendered into one document with marks between them; cutting at the marks gives
the fragments. A mark is made of a key that depends on everything that is rendered: nobody can
write a text that contains it, and the same input gives the same marks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from digest.errors import TemplateError
from digest.layout import Block, BlockName, Layout, Part, Slot

_BEGIN, _ITEM, _END = "begin", "item", "end"
_ENOUGH = 12  # letters of a key that nothing else begins with

Files = Mapping[BlockName | None, str]  # the template of each block, and of the shell


def key_for(texts: Sequence[str]) -> str:
    """A word that occurs in none of the texts: letters and digits, the same for the same texts."""
    whole = "\0".join(texts)
    salt = 0
    while True:
        data = f"{salt}\0{whole}".encode(errors="surrogatepass")
        key = f"d{blake2b(data, digest_size=12).hexdigest()}"
        if key not in whole:
            return key
        salt += 1


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one rendering. `shape` is how a mark hides: an HTML comment, or bare."""

    key: str
    shape: str = "{}"

    def slot(self, slot: Slot) -> str:
        """What stands for a value; letters and `_` only, so it can stand in an address."""
        return f"{self.key}_{slot.value}_"

    def around(self, name: BlockName, text: str) -> str:
        """A block in place of which an edition may show nothing."""
        return f"{self._mark(name, _BEGIN)}{text}{self._mark(name, _END)}"

    def between(self, name: BlockName, fragments: Sequence[str]) -> str:
        """The fragments of a block, a mark before each and one after the last."""
        mark = self._mark(name, _ITEM)
        return mark + "".join(fragment + mark for fragment in fragments)

    def layout(self, text: str, ids: Sequence[str], files: Files) -> Layout:
        """Cut a rendering with all fragments, in the order of `ids`, into its layout.

        TemplateError names the file that lost or garbled a mark.
        """
        names = "|".join(BlockName)
        begin, end = self._mark(f"({names})", _BEGIN), self._mark(r"\1", _END)
        pieces = re.split(f"{begin}(.*?){end}", text, flags=re.DOTALL)  # text, name, block, text …
        parts: list[Part | Block] = list(self._parts(pieces[0], files[None]))
        for name, inside, after in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            parts.append(self._block(BlockName(name), inside, ids, files[BlockName(name)]))
            parts.extend(self._parts(after, files[None]))
        _require_once([BlockName(name) for name in pieces[1::3]], files[None])
        return Layout(tuple(parts))

    def _mark(self, name: str, kind: str) -> str:
        return self.shape.format(f"{self.key}:{name}:{kind}:")

    def _block(self, name: BlockName, inside: str, ids: Sequence[str], path: str) -> Block:
        before, *items = inside.split(self._mark(name, _ITEM))
        if not items and not before.strip() and name is BlockName.CONTENTS:
            # An empty contents template says that this newsletter has no list of contents.
            return Block(name, (), dict.fromkeys(ids, ()), ())
        if len(items) != len(ids) + 1:
            raise TemplateError("{{ items }} must be shown exactly once", path=path)
        *fragments, after = (tuple(self._parts(item, path)) for item in items)
        shown = dict(zip(ids, fragments, strict=True))
        return Block(name, tuple(self._parts(before, path)), shown, after)

    def _parts(self, text: str, path: str) -> Iterator[Part]:
        pieces = re.split(f"{self.key}_({'|'.join(Slot)})_", text)
        for position, piece in enumerate(pieces):
            if position % 2:
                yield Slot(piece)
            elif self.key[:_ENOUGH] in piece.lower():
                raise TemplateError(
                    "a value that is filled in later was changed, or a block is inside a block",
                    path=path,
                    hint=f"show these as they are, without a filter: {', '.join(Slot)}",
                )
            elif piece:
                yield piece


def _require_once(shown: Sequence[BlockName], path: str) -> None:
    for name in BlockName:
        if (times := shown.count(name)) != 1:
            raise TemplateError(
                f"{{{{ {name} }}}} is shown {times} times instead of once",
                path=path,
                hint="every message has the three blocks: contents, stories and more",
            )
