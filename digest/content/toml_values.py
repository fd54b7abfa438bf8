"""TOML front matter to entries. tomllib knows no lines, so each key is looked up in the source."""

import re
import tomllib
from datetime import date, time
from typing import Any

from digest.content.dates import impossible
from digest.content.entries import Entry, Scalar, fold_key, repeated
from digest.content.refusal import RefusedError, refuse
from digest.content.syntax import nearest_key
from digest.models import Finding

_PLACE = re.compile(r"\(at line (\d+), column \d+\)")
_KEY = re.compile(r"""^\s*["']?([\w-]+)["']?\s*=""", re.MULTILINE)
_TABLE = re.compile(r"^\s*\[", re.MULTILINE)


def read_toml(source: str, path: str, line: int) -> tuple[dict[str, Entry], list[Finding]]:
    """Entries of the TOML between the fences; `line` is where it begins in the file.

    Raises RefusedError with the line and the key where tomllib gives up.
    """
    try:
        values = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise _refusal(source, str(error), path, line) from None
    except RecursionError:
        raise refuse(path, line, "front-matter/syntax", "values nested too deep") from None
    lines = _lines(source, line)
    findings: list[Finding] = []
    entries: dict[str, Entry] = {}
    for key, value in values.items():
        at, folded = lines.get(key, line), fold_key(key)
        if folded in entries:
            findings.append(repeated(path, key, at, entries[folded].line))
        entries[folded] = Entry(key, _value(value, at), at)
    return entries, findings


def _lines(source: str, first: int) -> dict[str, int]:
    """Line of every key before the first table."""
    table = _TABLE.search(source)
    found: dict[str, int] = {}
    for match in _KEY.finditer(source, 0, table.start() if table else len(source)):
        found.setdefault(match[1], first + source.count("\n", 0, match.start(1)))
    return found


def _value(value: Any, line: int) -> "Scalar | list[Entry] | dict[str, Entry]":
    if isinstance(value, dict):
        return {key: Entry(key, _value(item, line), line) for key, item in value.items()}
    if isinstance(value, list):
        return [Entry("", _value(item, line), line) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, date | time) else str(value)


def _refusal(source: str, problem: str, path: str, first: int) -> RefusedError:
    lines = source.split("\n")
    place = _PLACE.search(problem)
    at = min(int(place[1]) if place else len(lines), len(lines)) - 1
    key = nearest_key([text.replace("=", ":", 1) for text in lines], at)
    message, check, fix = _explain(lines[at], problem)
    return refuse(path, first + at, check, message, key, fix)


def _explain(text: str, problem: str) -> tuple[str, str, str]:
    value = text.partition("=")[2].strip()
    if why := impossible(value):  # tomllib reads 2019-27-01 as a number with rubbish after it
        return why, "front-matter/date", "use YYYY-MM-DD"
    if "overwrite" in problem:
        return "key appears twice", "front-matter/duplicate-key", "keep one of them"
    if value[:1] in tuple("\"'") and value.count(value[0]) == 1:
        message = f"quote {value[0]} opened here is never closed"
        return message, "front-matter/syntax", "close it on the same line"
    message = _PLACE.sub("", problem).strip() or "not TOML"
    return message, "front-matter/syntax", 'write key = "value"'
