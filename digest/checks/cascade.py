"""Which colours a text has, in light and in dark: inline styles and the style sheets. Pure.

As much of CSS as mails use: types, classes, ids and attributes, with descendants and children. A
selector with anything else, like `:hover`, matches nothing here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from digest.checks.colour import Colour, colour
from digest.checks.markup import Document, Element

_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
_COMPOUND = re.compile(r"(?P<tag>[a-z][\w-]*|\*)?(?P<rest>(?:[.#][\w-]+|\[[\w-]+\])*)", re.I)
_PART = re.compile(r"([.#\[])([\w-]+)")
_DARK = re.compile(r"prefers-color-scheme\s*:\s*dark", re.IGNORECASE)
_LIGHT = re.compile(r"prefers-color-scheme\s*:\s*light", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Compound:
    """`p.m#x[dir]`, and how it is joined to what stands before it."""

    tag: str
    parts: tuple[tuple[str, str], ...]
    child: bool

    def matches(self, element: Element) -> bool:
        if self.tag not in ("", "*", element.name):
            return False
        own = {".": set(element.attributes.get("class", "").split())}
        own |= {"#": {element.attributes.get("id", "")}, "[": set(element.attributes)}
        return all(name in own[kind] for kind, name in self.parts)


@dataclass(frozen=True, slots=True)
class _Rule:
    dark: bool
    selector: tuple[_Compound, ...]
    values: dict[str, tuple[str, bool]]  # property -> value, important


@dataclass(slots=True)
class Colours:
    """The colours of a document's elements, remembered."""

    document: Document
    dark: bool = False
    _rules: list[_Rule] = field(default_factory=list)
    _known: dict[tuple[int, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        every = [rule for sheet in _STYLE.findall(self.document.html) for rule in _rules(sheet)]
        self._rules = [rule for rule in every if self.dark or not rule.dark]

    def text(self, number: int) -> Colour | None:
        """Of the text in an element; None when that cannot be told."""
        while number >= 0:
            if value := self._own(number, "color"):
                return colour(value)
            if self.document.elements[number].name == "a":
                return None  # the program's own colour for links
            number = self.document.elements[number].parent
        return None if self.dark else (0, 0, 0)

    def ground(self, number: int) -> Colour | None:
        """Behind an element; None when that cannot be told."""
        while number >= 0:
            element = self.document.elements[number]
            value = self._own(number, "background-color") or element.attributes.get("bgcolor", "")
            if value and value != "transparent":
                return colour(value)
            number = element.parent
        return None if self.dark else (255, 255, 255)

    def _own(self, number: int, name: str) -> str:
        """What an element itself is given, by the strongest of those who give it."""
        key = number, name
        if key not in self._known:
            given = [(rank, value) for rank, value in self._given(number, name) if value]
            best = max((rank for rank, _ in given), default=0)
            # of equal strength the last counts
            self._known[key] = next((v for rank, v in reversed(given) if rank == best), "")
        return self._known[key]

    def _given(self, number: int, name: str) -> Iterator[tuple[int, str]]:
        names = (name, "background") if name == "background-color" else (name,)
        for rule in self._rules:
            for one in names:
                if one in rule.values and self._matches(rule.selector, number):
                    value, important = rule.values[one]
                    yield (3 if important else 1), _first(value)
        style = self.document.elements[number].style
        for one in names:
            if one in style:
                yield 2, _first(style[one])

    def _matches(self, selector: tuple[_Compound, ...], number: int) -> bool:
        elements = self.document.elements
        if not selector[-1].matches(elements[number]):
            return False
        rest, child = selector[:-1], selector[-1].child
        if not rest:
            return True
        up = elements[number].parent
        while up >= 0:
            if self._matches(rest, up):
                return True
            if child:
                return False
            up = elements[up].parent
        return False


def _first(value: str) -> str:
    """The colour of a background that says more than its colour."""
    return value if "(" in value else value.partition(" ")[0]


@lru_cache(maxsize=64)
def _rules(sheet: str) -> tuple[_Rule, ...]:
    return tuple(_read(_COMMENT.sub("", sheet), dark=False))


def _read(sheet: str, *, dark: bool) -> Iterator[_Rule]:
    """Rules in order; those for screens of some width count, those for print do not."""
    at = 0
    while (opened := sheet.find("{", at)) >= 0:
        closed = _end(sheet, opened)
        head, body = sheet[at:opened].strip(), sheet[opened + 1 : closed]
        at = closed + 1
        if head.startswith("@media"):
            wide = _DARK.search(head) or not ("print" in head or _LIGHT.search(head))
            if wide and "width" not in head:
                yield from _read(body, dark=dark or bool(_DARK.search(head)))
        elif not head.startswith("@"):
            values = dict(_values(body))
            for selector in head.split(","):
                if values and (parsed := _selector(selector.strip())):
                    yield _Rule(dark, parsed, values)


def _end(sheet: str, opened: int) -> int:
    depth = 0
    for at in range(opened, len(sheet)):
        depth += (sheet[at] == "{") - (sheet[at] == "}")
        if not depth:
            return at
    return len(sheet)


def _values(body: str) -> Iterator[tuple[str, tuple[str, bool]]]:
    for declaration in body.split(";"):
        name, colon, value = declaration.partition(":")
        if colon and name.strip().lower() in ("color", "background", "background-color"):
            bare = value.lower().replace("!important", "").strip()
            yield name.strip().lower(), (bare, "!important" in value.lower())


def _selector(text: str) -> tuple[_Compound, ...]:
    """Empty when it has what is not known here."""
    found: list[_Compound] = []
    child = False
    for word in text.replace(">", " > ").split():
        if word == ">":
            child = True
            continue
        match = _COMPOUND.fullmatch(word)
        if match is None:
            return ()
        parts = tuple((kind, name) for kind, name in _PART.findall(match["rest"]))
        found.append(_Compound((match["tag"] or "").lower(), parts, child))
        child = False
    return tuple(found)
