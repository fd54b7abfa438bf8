"""YAML front matter to entries: every scalar as text, with its line; nothing is guessed.

The C parser composes nodes (13 µs a post) and we make values of them: the constructors of
SafeLoader guess types (`no`, `012`, dates) and lose the line. Aliases and tags are refused, so
nothing can expand, and no object but text, list and mapping can come out.
"""

import re
from typing import Any

import yaml

from digest.content.entries import Entry, Scalar, fold_key, repeated
from digest.content.refusal import RefusedError, refuse
from digest.content.syntax import refusal
from digest.models import Finding, Severity

MAX_DEPTH = 30
_COMPACT = re.compile(rf"(?:[-?:][ \t]+){{{MAX_DEPTH}}}")  # `- - - …`: levels on one line
_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_TEXT = "tag:yaml.org,2002:str"
_KNOWN = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class _Composer(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Composes without guessing a type: every node without a tag of its own is text."""

    def resolve(self, *_: object) -> str:
        return _TEXT

    def descend_resolver(self, *_: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


def read_yaml(source: str, path: str, line: int) -> tuple[dict[str, Entry], list[Finding]]:
    """Entries of the YAML between the fences; `line` is where it begins in the file.

    Raises RefusedError for a syntax error, an alias, a tag, and a root that is no mapping.
    """
    _check_depth(source, path, line)
    if "&" in source and "*" in source:
        _refuse_aliases(source, path, line)
    root = _compose(source, path, line)
    if root is None:
        return {}, []
    if not isinstance(root, yaml.MappingNode):
        raise refuse(
            path,
            line + root.start_mark.line,
            "front-matter/syntax",
            "front matter is not `key: value` lines",
        )
    return _Values(source, path, line).top(root)


def _check_depth(source: str, path: str, line: int) -> None:
    """The C parser recurses without a limit of its own and would take the process down."""
    if "\t" not in source and sum(map(source.count, ("[", "{", "- ", "? "))) <= MAX_DEPTH:
        return
    depth = deepest = 0
    for character in re.findall(r"[\[\]{}]", source):
        depth = max(0, depth + (1 if character in "[{" else -1))
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH or _COMPACT.search(source):
        raise refuse(
            path, line, "front-matter/syntax", f"values nested more than {MAX_DEPTH} levels deep"
        )


def _compose(source: str, path: str, line: int) -> Any:
    try:
        return _Composer(source).get_single_node()
    except yaml.YAMLError as error:
        joined = _PAIR.sub(_one_character, source)
        if joined != source:  # JSON-style escapes of one emoji: the C parser wants them whole
            return _compose(joined, path, line)
        raise refusal(source, error, path, line) from None


def _one_character(match: re.Match[str]) -> str:
    high, low = (int(half, 16) for half in match.groups())
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


def _refuse_aliases(source: str, path: str, line: int) -> None:
    try:
        for event in yaml.parse(source, Loader=_Composer):
            if isinstance(event, yaml.AliasEvent):
                raise refuse(
                    path,
                    line + getattr(event.start_mark, "line", 0),
                    "front-matter/alias",
                    f"`*{event.anchor}` is a YAML alias, which is not supported",
                    fix="write the value out, or put it in quotes",
                )
    except yaml.YAMLError as error:
        raise refusal(source, error, path, line) from None


class _Values:
    """Nodes to entries, with what is worth a warning on the way."""

    def __init__(self, source: str, path: str, line: int) -> None:
        self.path, self.line = path, line
        self.findings: list[Finding] = []
        # YAML counts these as line ends, editors do not.
        self._source = source if "\u2028" in source or "\u2029" in source else ""

    def top(self, root: Any) -> tuple[dict[str, Entry], list[Finding]]:
        return self._mapping(root, 0, fold_key), self.findings

    def _line(self, node: Any) -> int:
        mark = node.start_mark
        before = self._source.count("\n", 0, mark.index) if self._source else mark.line
        return self.line + int(before)

    def _value(self, node: Any, depth: int) -> "Scalar | list[Entry] | dict[str, Entry]":
        if node.tag is not _TEXT and node.tag not in _KNOWN:
            raise self._refuse_tag(node)
        if isinstance(node, yaml.ScalarNode):
            return None if not node.style and node.value in _NULLS else str(node.value)
        if depth > MAX_DEPTH:
            raise refuse(
                self.path,
                self._line(node),
                "front-matter/syntax",
                f"values nested more than {MAX_DEPTH} levels deep",
            )
        if isinstance(node, yaml.SequenceNode):
            return [
                Entry("", self._value(item, depth + 1), self._line(item)) for item in node.value
            ]
        return self._mapping(node, depth + 1, str)

    def _mapping(self, node: Any, depth: int, fold: Any) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for name, value in node.value:
            line = self._line(name)
            if not isinstance(name, yaml.ScalarNode):
                self._warn_template(line)
                continue
            key = name.value
            folded = fold(key)
            if folded in entries:
                self.findings.append(repeated(self.path, key, line, entries[folded].line))
            entries[folded] = Entry(key, self._value(value, depth), line)
        return entries

    def _warn_template(self, line: int) -> None:
        """`{{ name }}` without quotes is YAML for a mapping whose key is a mapping."""
        self.findings.append(
            Finding(
                self.path,
                line,
                "front-matter/template",
                Severity.WARNING,
                "`{{` begins a mapping in YAML: looks like an unfilled template",
                fix="fill it in, or put it in quotes",
            )
        )

    def _refuse_tag(self, node: Any) -> RefusedError:
        return refuse(
            self.path,
            self._line(node),
            "front-matter/tag",
            f"YAML tag `{node.tag.replace('tag:yaml.org,2002:', '!!')}` is not supported",
            fix="write plain text, or put it in quotes",
        )
