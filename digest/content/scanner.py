"""The lines of a body that mean something: headings, labels and rules. No Markdown parse.

A full parse of a post takes 1,030 µs, this scan about 20: most lines are prose and are passed
over by their first character.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

RULE = "rule"
NO_STORY = frozenset({RULE, "disclaimer"})  # roles that make no story
LISTED = frozenset({"takeaways", "tradeoffs"})  # roles whose text is a list

_BEGINNINGS = frozenset("#*_-+>`~<0123456789 \t")
_LABEL = re.compile(
    r"(?P<item>(?:[-*+>]|\d{1,3}[.)])[ \t]+)?"
    r"(?P<bold>\*\*|__)(?P<name>[^*_]{1,60})(?P=bold)(?P<rest>.*)",
    re.DOTALL,
)
_RULE = re.compile(r"([-*_])(?:[ \t]*\1){2,}[ \t]*$")
# Lets through little more than what `_Scope.read` makes something of.
_CANDIDATE = re.compile(
    r"\s*(?:#|```|~~~|<!--|(?:(?:[-*+>]|\d{1,3}[.)])[ \t]+)?(?:\*\*|__)"
    r"|([-*_])(?:[ \t]*\1){2,}[ \t]*$)"
)
_ATTRIBUTES = re.compile(r"[ \t]\{[#.][^{}]*\}$")
_LONGEST = 40  # letters of a label that is not bold, its colon included
_SEPARATORS = tuple(":：–—-")


class Mark(NamedTuple):
    """One line that means something."""

    line: int  # 0-based in the body
    level: int  # of a heading, 1 to 6; else 0
    role: str  # empty: a heading that is a title; RULE; else the label's role
    text: str  # the title, or what follows the label on its line


class Bare(NamedTuple):
    """A line that begins like a label but is not bold, so that it is prose."""

    line: int  # 0-based in the body
    role: str
    name: str  # as written


class Scan(NamedTuple):
    """What a body has, in the order of its lines."""

    marks: list[Mark]
    bare: list[Bare]


class Labels:
    """Spellings of labels to their roles, compared as the config promises."""

    def __init__(self, table: Mapping[str, tuple[str, ...]]) -> None:
        self._roles = {fold_label(name): role for role, names in table.items() for name in names}
        initials = {name[0] for name in self._roles if name}
        self.initials = frozenset(initials | {initial.upper() for initial in initials})

    def role(self, name: str) -> str:
        """The role of a label, empty when it is none."""
        return self._roles.get(fold_label(name), "")


@lru_cache(maxsize=8_192)
def fold_label(name: str) -> str:
    """A label without case, punctuation and runs of spaces: `TL;DR:` is `tldr`."""
    name = unicodedata.normalize("NFC", name).casefold()
    return " ".join(re.sub(r"[^\w\s]", "", name).split())


def scan(lines: list[str], labels: Labels) -> Scan:
    """Marks in order. What is inside fenced code and HTML comments is none."""
    marks: list[Mark] = []
    bare: list[Bare] = []
    until = ""  # what ends the fence or comment we are in
    scope = _Scope(labels)
    for index, line in enumerate(lines):
        if until:
            if _ends(line, until):
                until = ""
        elif line[:1] in _BEGINNINGS:
            if _CANDIDATE.match(line):
                mark, until = scope.read(index, line, line.lstrip())
                if mark:
                    marks.append(mark)
        elif line[:1] in labels.initials and ":" in line[:_LONGEST]:
            name = line.partition(":")[0]
            if role := labels.role(name):
                bare.append(Bare(index, role, name))
    return Scan(marks, bare)


def _ends(line: str, until: str) -> bool:
    if until == "-->":
        return until in line
    text = line.strip()
    return text.startswith(until) and not text.strip(until[0])


class _Scope:
    """What one line means, given the label that is open above it."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._role, self._item, self._indent = "", False, 0

    def read(self, index: int, line: str, text: str) -> tuple[Mark | None, str]:
        """The mark of a line, if any, and what has to be waited for before the next."""
        first, indent = text[0], len(line) - len(text)
        if first == "#":
            return (self._heading(index, text) if indent < 4 else None), ""
        if first in "`~":
            return None, first * (len(text) - len(text.lstrip(first)))
        if first == "<":
            return None, "" if "-->" in text else "-->"
        if first in "-*_" and _RULE.match(text):
            self._role = ""
            return Mark(index, 0, RULE, ""), ""
        return self._label(index, text, indent), ""

    def _heading(self, index: int, text: str) -> Mark | None:
        title = text.lstrip("#")
        level = len(text) - len(title)
        if level > 6 or (title and title[0] not in " \t"):
            return None
        title = title.strip()
        bare = title.rstrip("#")
        if bare != title and bare[-1:] in ("", " ", "\t"):
            title = bare.rstrip()
        title = _ATTRIBUTES.sub("", title) if title.endswith("}") else title
        role, rest = self._heading_role(title)
        self._role, self._item = role, False
        return Mark(index, level, role, rest if role else title)

    def _heading_role(self, title: str) -> tuple[str, str]:
        """A heading that is a label: `## Summary`, `## TLDR: text`, `## Link: [title](url)`."""
        if role := self._labels.role(title):
            return role, ""
        name, colon, rest = title.partition(":")
        role = self._labels.role(name) if colon and len(name) < 60 else ""
        wanted = role == "tldr" or (role == "link" and "://" in rest)
        return (role, rest.strip(" *_")) if wanted else ("", "")

    def _label(self, index: int, text: str, indent: int) -> Mark | None:
        match = _LABEL.match(text)
        role = self._labels.role(match["name"]) if match else ""
        if not match or not role:
            return None
        item, rest = match["item"] is not None, match["rest"].strip()
        if not match["name"].rstrip().endswith((":", "：")):
            if rest and not rest.startswith(_SEPARATORS):
                return None
            rest = rest[1:].lstrip()
        if item and self._role in LISTED and (not self._item or indent > self._indent):
            return None  # an item of a list that begins with a bold word
        self._role, self._item, self._indent = role, item, indent
        return Mark(index, 0, role, rest)
