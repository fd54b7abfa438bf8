"""Why YAML does not parse, in the words of someone who has to mend it.

libyaml says what it expected; a person needs the line, the key and what to type. The slow parser
in Python is asked a second time, because it tells where the broken value began as well as where
the reader gave up; then a table of the usual causes is tried on the line.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from digest.content.refusal import RefusedError, refuse

_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*:""")
_GLUED = re.compile(r"\s*[\w-]+:[^\s/]")
_VALUE = re.compile(r"""\s*(?:- )?["']?[\w-]+["']?\s*:\s+(?P<value>.*)""")


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What the parser said. Lines are 0-based in the front matter."""

    lines: list[str]
    problem: str
    at: int  # where it gave up
    since: int  # where the thing it was reading began

    @property
    def text(self) -> str:
        return self.lines[self.at] if self.at < len(self.lines) else ""

    @property
    def value(self) -> str:
        match = _VALUE.match(self.text)
        return match["value"] if match else ""


def refusal(source: str, error: Exception, path: str, first: int) -> RefusedError:
    """The refusal for YAML `source` that begins on line `first` and failed with `error`."""
    trouble = _trouble(source, error)
    at = _guilty_line(trouble)
    at = min(at, max(len(trouble.lines) - 1, 0))
    message, fix = _explain(trouble)
    near = nearest_key(trouble.lines, trouble.at)
    key = nearest_key(trouble.lines, at)
    if near and near != key:
        message += f" (noticed on line {first + trouble.at}, at `{near}`)"
    return refuse(path, first + at, "front-matter/syntax", message, key, fix)


def nearest_key(lines: list[str], at: int) -> str:
    """The key on line `at`, or the last one above it."""
    for line in reversed(lines[: at + 1]):
        if match := _KEY.match(line):
            return match[1]
    return ""


def _trouble(source: str, error: Exception) -> _Trouble:
    lines = source.split("\n")
    error = _second_opinion(source) or error
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # ReaderError has a position only
        at = source.count("\n", 0, getattr(error, "position", 0) or 0)
        return _Trouble(lines, str(getattr(error, "reason", error)), at, at)
    began = getattr(error, "context_mark", None) or mark
    # Not `mark.line`: YAML ends lines at U+2028 too, which `lines` and editors do not.
    at, since = (source.count("\n", 0, place.index) for place in (mark, began))
    return _Trouble(lines, str(getattr(error, "problem", "")), at, since)


def _second_opinion(source: str) -> yaml.YAMLError | None:
    try:
        for _ in yaml.parse(source, Loader=yaml.SafeLoader):
            pass
    except yaml.YAMLError as error:
        return error
    except RecursionError:
        return None
    return None


def _guilty_line(trouble: _Trouble) -> int:
    """Where to mend: where the parser gave up, or where what it was reading began."""
    if _unclosed(trouble) or _keyless(trouble):
        return trouble.since
    return trouble.at - 1 if _glued_above(trouble) else trouble.at


def _unclosed(trouble: _Trouble) -> bool:
    return "end of stream" in trouble.problem or "document separator" in trouble.problem


def _keyless(trouble: _Trouble) -> bool:
    return "could not find expected ':'" in trouble.problem


def _glued(trouble: _Trouble) -> bool:
    line = trouble.lines[trouble.since] if trouble.since < len(trouble.lines) else ""
    keyless = _keyless(trouble) and _GLUED.match(line) is not None
    return keyless or _glued_above(trouble)


def _glued_above(trouble: _Trouble) -> bool:
    above = trouble.lines[trouble.at - 1] if trouble.at else ""
    return _inner_colon(trouble) is False and _GLUED.match(above) is not None


def _inner_colon(trouble: _Trouble) -> bool | None:
    """Whether the value itself has the `: ` that YAML stumbled over; None: it was not that."""
    if "mapping values" not in trouble.problem:
        return None
    return ": " in trouble.value or trouble.value.endswith(":")


def _explain(trouble: _Trouble) -> tuple[str, str]:
    for applies, message, fix in _CAUSES:
        if applies(trouble):
            return message.format(_opening_quote(trouble), trouble.value[:1]), fix
    return trouble.problem or "not YAML", "see the line before it too"


def _opening_quote(trouble: _Trouble) -> str:
    line = trouble.lines[trouble.since] if trouble.since < len(trouble.lines) else ""
    match = _VALUE.match(line)
    return match["value"][:1] if match and match["value"][:1] in "\"'" else '"'


def _quoted(trouble: _Trouble, quote: str) -> bool:
    return trouble.value.startswith(quote) and trouble.value.count(quote) > 2


def _said(words: str) -> Callable[[_Trouble], bool]:
    return lambda trouble: words in trouble.problem


def _indented(trouble: _Trouble) -> bool:
    return "expected <block end>" in trouble.problem


# What to look for, what to say, what to do. The first that applies wins.
_CAUSES: tuple[tuple[Callable[[_Trouble], bool], str, str], ...] = (
    (
        lambda t: any(line.startswith(("<<<<<<<", ">>>>>>>")) for line in t.lines),
        "a merge conflict is not resolved",
        "keep one side and remove the <<<<<<<, ======= and >>>>>>> lines",
    ),
    (
        lambda t: "\\t" in t.problem or "\t" in t.problem,
        "a tab is used for indentation",
        "use spaces",
    ),
    (_unclosed, "quote {0} opened here is never closed", "close it, or escape the quotes inside"),
    (
        lambda t: "{{" in t.value or "{%" in t.value,
        "looks like an unfilled template",
        "fill it in, or put the value in quotes",
    ),
    (_glued, "the space after the colon is missing", "write `key: value`"),
    (
        lambda t: bool(_inner_colon(t)) and t.value[:1] not in "\"'",
        "`: ` in a value that is not in quotes",
        'put the value in quotes: "…"',
    ),
    (
        lambda t: _quoted(t, "'"),
        "an apostrophe ends the value in single quotes early",
        "write it twice ('') or put the value in double quotes",
    ),
    (
        lambda t: _quoted(t, '"'),
        "a quote inside the quoted value ends it early",
        'write \\" inside, or put the value in single quotes',
    ),
    (
        _said("unknown escape character"),
        "a backslash in double quotes begins an escape that does not exist",
        "write \\\\ or put the value in single quotes",
    ),
    (
        lambda t: t.value[:1] in tuple("*&@`%!|>"),
        "a value cannot begin with `{1}`",
        'put the value in quotes: "…"',
    ),
    (
        _said("sequence entries"),
        "a list item stands on the key's line",
        "begin the list on the next line, or write [a, b]",
    ),
    (
        _keyless,
        "a line without a key",
        "write `key: value`, or indent the line to make it part of the value above",
    ),
    (
        lambda t: _indented(t) and bool(re.search(r"""["']\s*\S+\s*$""", t.text)) and bool(t.value),
        "text follows after the closing quote",
        "put one pair of quotes round the whole value",
    ),
    (
        lambda t: _indented(t) or "mapping values" in t.problem,
        "wrong indentation",
        "start the line in the same column as the other keys or items of its group",
    ),
    (
        _said("expected alphabetic or numeric"),
        "this line is not front matter: is the closing `---` missing above it?",
        "close the front matter with a line ---",
    ),
)
