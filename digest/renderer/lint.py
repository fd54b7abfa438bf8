"""Mistakes in the source of one MJML template, by line, before MRML meets them.

MRML copies a tag that it does not know into the message, ignores unknown attributes, and names no
line. The source is read with its Jinja parts blanked out, so that lines stay what they are. Pure.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from digest.models import Finding, Severity
from digest.renderer.vocabulary import (
    ATTRIBUTES,
    HOLDS_HTML,
    PARENTS,
    REFUSED,
    REMOTE_FONTS,
    VOID,
)

PLACES = frozenset(("contents", "stories", "more", "items"))  # where other templates are shown
# Comments of stories between rows: MRML keeps them there, and moves them elsewhere.
_HOLDS_PLACES = frozenset(("mj-body", "mj-column"))

_JINJA = re.compile(r"\{\{(?P<expression>.*?)\}\}|\{%-?\s*(?P<word>\w+).*?%\}|\{#.*?#\}", re.DOTALL)
_TOKEN = re.compile(
    r"""<!--.*?-->|<!doctype[^>]*>
      |<(?P<close>/?)(?P<name>[a-z][\w:-]*)(?P<attributes>(?:[^<>"']|"[^"]*"|'[^']*')*)>
      |<""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""(?P<name>[^\s=/"']+)(?:\s*=\s*(?P<value>"[^"]*"|'[^']*'|[^\s"'>]*))?""")
# Values that are ASCII as they come: the theme's own and the links of the three pages.
_SAFE = re.compile(r"\s*(theme\.\w+|\w+_url|lang|dir)\s*|.*\|\s*attr\s*", re.DOTALL)
_OUTSIDE = -1  # the position of a tag that another template opened


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong in a template, by line, and the MJML tag that each placeholder stands in."""

    findings: tuple[Finding, ...]
    places: Mapping[str, str]


@lru_cache(maxsize=256)
def lint(source: str, path: str, parent: str = "") -> Report:
    """Read one template. `parent` is the tag it is shown in; empty when that is not known."""
    reading = _Reading(source, path, [_Open(parent, _OUTSIDE)] if parent else [])
    for event in reading.events():
        if not reading.take(event):
            break
    else:
        reading.finish()
    found = sorted(reading.findings, key=lambda finding: finding.line)
    return Report(tuple(found), reading.places)


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    position: int


@dataclass(slots=True)
class _Branch:
    """The open tags where a Jinja `if` or `for` began."""

    word: str
    stack: list[_Open]


@dataclass(slots=True)
class _Reading:
    source: str
    path: str
    stack: list[_Open]
    findings: list[Finding] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    branches: list[_Branch] = field(default_factory=list)
    expressions: list[re.Match[str]] = field(default_factory=list)
    ended: bool = False

    def events(self) -> Iterator[re.Match[str]]:
        """Jinja parts and tags in the order of their places."""
        jinja = list(_JINJA.finditer(self.source))
        self.expressions = [match for match in jinja if match["expression"]]
        blank = _JINJA.sub(lambda match: " " * len(match[0]), self.source)
        yield from sorted([*jinja, *_TOKEN.finditer(blank)], key=lambda match: match.start())
        after = blank.rfind("</mjml>")
        if after >= 0 and blank[after + len("</mjml>") :].strip():
            self.report(after, "end", "text after </mjml>", "end the file with </mjml>")

    def take(self, event: re.Match[str]) -> bool:
        """False when what follows cannot be understood any more."""
        if event.re is _JINJA:
            self._jinja(event)
            return True
        if event[0] == "<":
            message = "a bare `<`, or a quote that is not closed"
            self.report(event.start(), "markup", message, "write &lt;")
            return False
        if event["name"] is None:
            return True
        name = event["name"].lower()
        return self._close(name, event) if event["close"] else self._open(name, event)

    def finish(self) -> None:
        for tag in self.stack:
            if tag.position != _OUTSIDE:
                self.report(tag.position, "unclosed", f"<{tag.name}> is never closed", "")

    def report(self, position: int, check: str, message: str, fix: str) -> None:
        line = self.source.count("\n", 0, position) + 1
        self.findings.append(
            Finding(self.path, line, f"template/{check}", Severity.ERROR, message, fix=fix)
        )

    def _jinja(self, event: re.Match[str]) -> None:
        if event["expression"]:
            name = event["expression"].strip(" -")
            parent = self.stack[-1].name if self.stack else ""
            if name in PLACES:
                self.places[name] = parent
                if parent in PARENTS and parent not in _HOLDS_PLACES | HOLDS_HTML:
                    self.report(
                        event.start(),
                        "place",
                        f"{{{{ {name} }}}} cannot stand in <{parent}>",
                        "put it into <mj-body> or <mj-column>",
                    )
            elif parent == "mj-title" and name != "subject" and not _SAFE.fullmatch(name):
                self._needs_attr(event)
        elif event["word"] in ("if", "for"):
            self.branches.append(_Branch(event["word"], list(self.stack)))
        elif event["word"] in ("else", "elif") and self.branches:
            self.stack = list(self.branches[-1].stack)
        elif event["word"] in ("endif", "endfor") and self.branches:
            branch = self.branches.pop()
            if branch.word == "for" and branch.stack != self.stack:
                message = "this loop opens or closes a tag that it does not close or open"
                self.report(event.start(), "unclosed", message, "")
                self.stack = branch.stack

    def _open(self, name: str, event: re.Match[str]) -> bool:
        self._check_name(name, event.start())
        self._check_parent(name, event.start())
        self._check_attributes(name, event)
        if name not in VOID and not event["attributes"].endswith("/"):
            self.stack.append(_Open(name, event.start()))
        return True

    def _close(self, name: str, event: re.Match[str]) -> bool:
        if self.stack and self.stack[-1].name == name:
            self.stack.pop()
            return True
        if name in VOID:
            return True
        message, position = f"</{name}> closes nothing", event.start()
        if self.stack and self.stack[-1].position != _OUTSIDE:
            opened = self.stack[-1]
            line = self.source.count("\n", 0, opened.position) + 1
            message = f"</{name}> comes before </{opened.name}> of line {line}"
        self.report(position, "unclosed", message, "")
        return False

    def _check_name(self, name: str, position: int) -> None:
        if name in REFUSED:
            self.report(position, "refused", f"<{name}> cannot be used", REFUSED[name])
        elif name.startswith("mj") and name not in ATTRIBUTES:
            fix = _nearest(name, ATTRIBUTES)
            self.report(position, "unknown-tag", f"unknown tag <{name}>", fix)

    def _check_parent(self, name: str, position: int) -> None:
        if not self.stack:
            return
        parent = self.stack[-1].name
        if name.startswith("mj"):
            allowed = PARENTS.get(name, frozenset())
            if allowed and parent not in allowed and parent != "mj-attributes":
                fix = f"it may stand in {', '.join(f'<{tag}>' for tag in sorted(allowed))}"
                self.report(position, "place", f"<{name}> cannot stand in <{parent}>", fix)
        elif parent.startswith("mj") and parent not in HOLDS_HTML:
            message = f"<{name}> cannot stand directly in <{parent}>"
            self.report(position, "place", message, "put it into <mj-text>")

    def _check_attributes(self, tag: str, event: re.Match[str]) -> None:
        known = ATTRIBUTES.get(tag)
        inside = [open_tag.name for open_tag in self.stack]
        for match in _ATTRIBUTE.finditer(event["attributes"].rstrip("/")):
            position = event.start("attributes") + match.start()
            name = match["name"].lower()
            if known is not None and name not in known and "mj-attributes" not in inside:
                message = f"<{tag}> has no attribute `{name}`"
                self.report(position, "unknown-attribute", message, _nearest(name, known))
            if match["value"] is not None:
                self._check_value(name, match["value"], position)
        for expression in self.expressions[
            bisect_right(self.expressions, event.start(), key=lambda match: match.start()) :
        ]:
            if expression.start() >= event.end():
                break
            if self._in_quotes(expression, event) and not _SAFE.fullmatch(expression["expression"]):
                self._needs_attr(expression)

    def _in_quotes(self, expression: re.Match[str], tag: re.Match[str]) -> bool:
        before = tag[0][: expression.start() - tag.start()]
        return before.count('"') % 2 == 1

    def _needs_attr(self, expression: re.Match[str]) -> None:
        shown = expression["expression"].strip()
        self.report(
            expression.start(),
            "attribute",
            f"{{{{ {shown} }}}} in an attribute may break it",
            f"{{{{ {shown} | attr }}}}",
        )

    def _check_value(self, name: str, value: str, position: int) -> None:
        if not value.startswith('"'):
            message = f"`{name}` needs a value in double quotes"
            self.report(position, "attribute", message, f'{name}="…"')
        elif "\n" in value:
            self.report(position, "attribute", f"`{name}` goes over a line end", "one line")
        elif name == "font-family":
            for font in REMOTE_FONTS:
                if font in value.lower():
                    message = f"the font {font} would be loaded from the network"
                    self.report(position, "remote", message, "use fonts that readers have")


def _nearest(name: str, known: Mapping[str, object] | frozenset[str] | Sequence[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"did you mean `{close[0]}`?" if close else f"it may be {', '.join(sorted(known))}"
