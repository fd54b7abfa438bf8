"""Front matter and body of one post: python-frontmatter with a handler that is never silent.

As it comes, python-frontmatter returns empty metadata for TOML, for a fence that is never closed,
for a byte order mark, and loses the line of everything. Our handler decides where the fences are
and what is between them; every doubt is a finding or a refusal.
"""

import re
from dataclasses import dataclass
from typing import Any

import frontmatter
from frontmatter.default_handlers import BaseHandler

from digest.content.decoding import CONTROL
from digest.content.entries import Entries, Entry, fold_key, repeated
from digest.content.refusal import RefusedError, refuse
from digest.content.syntax import nearest_key
from digest.content.toml_values import read_toml
from digest.content.yaml_values import read_yaml
from digest.models import Finding, Severity

MAX_CHARACTERS = 64 * 1024
MAX_LINES = 1_000

_OPENING = re.compile(r"\s*?^(?P<fence>---|\+\+\+)[ \t]*$\n?", re.MULTILINE)
_CLOSING = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*$\n?", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*$\n?", re.MULTILINE),
}
_ALMOST = re.compile(r"[^\S\n]*(?:-{3}|\+{3})")
_ALMOST_CLOSING = re.compile(r"^[^\S\n]*(?:-{3,}|\+{3,})[^\S\n]*$", re.MULTILINE)
_HEADER = re.compile(r"([A-Za-z][\w-]*):[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What the file says before its body."""

    entries: Entries
    body: str
    body_line: int  # 1-based line of the body's first line
    present: bool  # False: the file has no front matter at all
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Block:
    """Where the front matter is. `kind` is its fence, `:` for bare header lines, or empty."""

    kind: str
    source: str
    line: int  # 1-based, of the first line of `source`
    body: str
    body_line: int


class _Handler(BaseHandler):
    """What python-frontmatter asks; one per file, because it must remember the lines."""

    FM_BOUNDARY = _OPENING

    def __init__(self, text: str, path: str, clean: bool) -> None:
        super().__init__()
        self.path, self.clean = path, clean
        self.block = _locate(text, path)
        self.entries: Entries = {}
        self.findings: list[Finding] = []

    def split(self, text: str) -> tuple[str, str]:
        """Ignores `text`, which comes stripped: an indented fence would pass, lines be lost."""
        del text
        return self.block.source, self.block.body

    def load(self, fm: str) -> dict[str, Any]:
        _check_source(fm, self.path, self.block.line, self.clean)
        read = {"---": read_yaml, "+++": read_toml}.get(self.block.kind, _read_headers)
        self.entries, findings = read(fm, self.path, self.block.line)
        self.findings += findings
        return dict(self.entries)


def read_front_matter(text: str, path: str, clean: bool = False) -> FrontMatter:
    """Split `text` (with `\\n` line ends) and read what is between the fences.

    `clean` promises that no control character is in it. Raises RefusedError when the fences or what
    they hold cannot be understood.
    """
    handler = _Handler(text, path, clean)
    block = handler.block
    frontmatter.parse(text, handler=handler)
    if block.kind and not handler.entries:
        handler.findings.append(
            Finding(path, block.line - 1, "front-matter/empty", Severity.WARNING, "empty")
        )
    return FrontMatter(
        handler.entries, block.body, block.body_line, bool(block.kind), tuple(handler.findings)
    )


def _locate(text: str, path: str) -> _Block:
    opening = _OPENING.match(text)
    if not opening:
        return _without_fence(text, path)
    closing = _CLOSING[opening["fence"]].search(text, opening.end())
    line = text.count("\n", 0, opening.start("fence")) + 1
    if not closing:
        raise _unclosed(text, opening, line, path)
    source = text[opening.end() : closing.start()]
    body_line = line + 2 + source.count("\n")
    return _Block(opening["fence"], source, line + 1, text[closing.end() :], body_line)


def _unclosed(text: str, opening: "re.Match[str]", line: int, path: str) -> RefusedError:
    fence = opening["fence"]
    fix = f"put a line {fence} after the last key"
    if almost := _ALMOST_CLOSING.search(text, opening.end()):
        at = text.count("\n", 0, almost.start()) + 1
        fix = f"line {at} has `{almost.group().rstrip()}`: expected exactly {fence}"
    message = f"front matter opened with {fence} but never closed"
    return refuse(path, line, "front-matter/fence", message, fix=fix)


def _without_fence(text: str, path: str) -> _Block:
    body = text.lstrip("\n")
    skipped = len(text) - len(body)
    first = body.partition("\n")[0]
    if _ALMOST.match(first):
        fence = first.lstrip()[:3]
        raise refuse(
            path,
            skipped + 1,
            "front-matter/fence",
            f"`{first.rstrip()[:40]}` is no fence",
            fix=f"expected exactly {fence}",
        )
    header = _header_lines(body)
    if header:
        source = "\n".join(header)
        rest = body[len(source) :]
        return _Block(":", source, skipped + 1, rest, skipped + len(header))
    return _Block("", "", 1, text, 1)


def _header_lines(body: str) -> list[str]:
    """`Title: …` lines up to the first empty one, as Pelican has them; empty when they are none."""
    lines = body.partition("\n\n")[0].rstrip("\n").split("\n")
    matches = [_HEADER.fullmatch(line) for line in lines]
    keys = {fold_key(match[1]) for match in matches if match}
    return lines if all(matches) and keys & {"title", "date"} else []


def _read_headers(source: str, path: str, line: int) -> tuple[dict[str, Entry], list[Finding]]:
    entries: dict[str, Entry] = {}
    findings: list[Finding] = []
    for at, text in enumerate(source.split("\n") if source else (), start=line):
        key, _, value = text.partition(":")
        folded = fold_key(key)
        if folded in entries:
            findings.append(repeated(path, key, at, entries[folded].line))
        entries[folded] = Entry(key, value.strip() or None, at)
    return entries, findings


def _check_source(source: str, path: str, line: int, clean: bool) -> None:
    """Refuse what is too long to be front matter, and characters that no value can have."""
    if len(source) > MAX_CHARACTERS or source.count("\n") > MAX_LINES:
        raise refuse(
            path,
            line,
            "front-matter/size",
            f"more than {MAX_LINES} lines or {MAX_CHARACTERS // 1024} kB of front matter",
            fix="is the closing fence missing?",
        )
    if not clean and (match := CONTROL.search(source)):
        at = source.count("\n", 0, match.start())
        raise refuse(
            path,
            line + at,
            "front-matter/control",
            f"control character U+{ord(match.group()):04X}",
            nearest_key(source.split("\n"), at),
            "retype the value",
        )
