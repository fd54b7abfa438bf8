"""A typed, strict view of one TOML table that remembers where everything stands.

`tomllib` gives values without places. Every accessor here names file, line, key, the value seen
and what would be accepted, and goes on, so that one run reports every problem.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeVar

from digest.models import Finding, Severity

T = TypeVar("T")

_HEADER = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""^\s*["']?([^\s"'=]+)["']?\s*=""")
_TRUE = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def line_of(source: str, table: str, key: str = "") -> int:
    """The 1-based line of `key` in `[table]`, of the table's header, or 0 when neither is there."""
    current, header = "", 0
    for number, line in enumerate(source.splitlines(), start=1):
        if match := _HEADER.match(line):
            current = match[1].replace('"', "")
            header = number if current == table else header
        elif key and current == table and (match := _KEY.match(line)) and match[1] == key:
            return number
    return header


def lines_of(source: str) -> dict[str, int]:
    """The 1-based line of every table and dotted key of a file."""
    found: dict[str, int] = {}
    current = ""
    for number, line in enumerate(source.splitlines(), start=1):
        if match := _HEADER.match(line):
            current = match[1].replace('"', "")
            found.setdefault(current, number)
        elif match := _KEY.match(line):
            found.setdefault(f"{current}.{match[1]}" if current else match[1], number)
    return found


def _listed(text: str) -> object:
    """The words of a text, or a list as the file has it; what is neither, as it is."""
    if not text.lstrip().startswith("["):
        return text.split()
    try:
        return tomllib.loads(f"list = {text}")["list"]
    except tomllib.TOMLDecodeError:
        return text


@dataclass(slots=True)
class Table:
    """One table of the file while it is read. `findings` is shared by all tables of a file."""

    path: str
    source: str
    name: str  # dotted, like `cadence.weekly`
    values: dict[str, object]
    findings: list[Finding]
    known: set[str] = field(default_factory=set)
    overridden: Mapping[str, str] = field(default_factory=dict)  # dotted key -> environment name

    def text(self, key: str, default: str = "") -> str:
        value = self._take(key, default)
        return value if isinstance(value, str) else self._reject(key, value, "text", default)

    def integer(self, key: str, default: int, *, least: int) -> int:
        value = self._take(key, default)
        if isinstance(value, str) and value.isdecimal():  # from the environment
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        return self._reject(key, value, f"a whole number of at least {least}", default)

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key, default)
        if isinstance(value, str):  # from the environment
            value = _TRUE.get(value.lower(), value)
        return value if isinstance(value, bool) else self._reject(key, value, "true/false", default)

    def strings(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self._take(key, list(default))
        if isinstance(value, str):  # from the environment
            value = _listed(value)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        return self._reject(key, value, 'a list of texts like ["ai", "llm"]', default)

    def parsed(self, key: str, default: T, parse: Callable[[str], T], accepted: str) -> T:
        """`parse` raises ValueError for what it does not accept."""
        value = self._take(key, None)
        if value is None:
            return default
        try:
            return parse(value) if isinstance(value, str) else parse(str(value))
        except ValueError:
            return self._reject(key, value, accepted, default)

    def table(self, key: str) -> "Table":
        value = self._take(key, {})
        if not isinstance(value, dict):
            value = self._reject(key, value, f"a table [{self._dotted(key)}]", {})
        name = self._dotted(key)
        return Table(self.path, self.source, name, value, self.findings, overridden=self.overridden)

    def tables(self) -> "Mapping[str, Table]":
        """Every key of this table as a table of its own, like the personas."""
        return {key: self.table(key) for key in list(self.values)}

    def texts(self) -> dict[str, str]:
        """Every key with its text, like the aliases."""
        return {key: self.text(key) for key in list(self.values)}

    def report(self, key: str, message: str, fix: str) -> None:
        """Something the caller alone can judge is wrong with `key`."""
        if name := self.overridden.get(self._dotted(key)):
            check = f"config/{self._dotted(key)}"
            self.findings.append(
                Finding("environment", 0, check, Severity.ERROR, message, name, fix)
            )
            return
        own_table = line_of(self.source, self._dotted(key))
        line = own_table or line_of(self.source, self.name, key)
        check = f"config/{self._dotted(key)}"
        self.findings.append(
            Finding(self.path, line, check, Severity.ERROR, message, self._dotted(key), fix)
        )

    def close(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self.values.keys() - self.known:
            near = get_close_matches(key, self.known, n=1, cutoff=0.6)
            known = ", ".join(sorted(self.known))
            fix = f"did you mean {near[0]}?" if near else f"known here: {known}"
            self.report(key, "unknown key", fix)

    def _dotted(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def _take(self, key: str, default: object) -> object:
        self.known.add(key)
        return self.values.get(key, default)

    def _reject(self, key: str, value: object, accepted: str, default: T) -> T:
        self.report(key, f"{value!r} is not accepted", f"expected {accepted}")
        return default
