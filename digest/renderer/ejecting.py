"""Templates of our own that a project took over, and whether ours has changed since.

An ejected file begins with a comment that Jinja drops: which template it was, and the hash it had.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches, unified_diff
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from digest.errors import TemplateError
from digest.models import Finding, Severity

_MARK = re.compile(r"\{# ejected from digest: (?P<name>\S+) sha256:(?P<hash>[0-9a-f]{16}) #\}\n")


class Ownership(StrEnum):
    """Whose a template is. The value is what people read."""

    OURS = "ours"
    CURRENT = "yours, made from the present one"
    CHANGED = "yours; ours has changed since you took it"
    UNMARKED = "yours, with no note of what it was made from"
    COPY = "yours, and the same as ours: delete it, and it follows ours"


@dataclass(frozen=True, slots=True)
class Standing:
    """One template that comes with the program, and the project's own, if there is one."""

    name: str
    ownership: Ownership
    own: Path  # the project's file; may not exist
    shipped: Path


def standings(folder: Path, bundled: Path) -> list[Standing]:
    """Every template that comes with the program, by name."""
    shipped = sorted(path for path in bundled.glob("*.*") if path.is_file())
    return [
        Standing(path.name, _ownership(folder / path.name, path), folder / path.name, path)
        for path in shipped
    ]


def eject(folder: Path, bundled: Path, name: str) -> Path:
    """Write our template into the project's folder; its path. Overwrites nothing.

    TemplateError when there is no such template, or the project has it already.
    """
    names = [path.name for path in bundled.glob("*.*")]
    if name not in names:
        close = get_close_matches(name, names, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(names))}"
        raise TemplateError(f"there is no template {name!r}", hint=hint)
    own, text = folder / name, _text(bundled / name)
    mark = f"{{# ejected from digest: {name} sha256:{_hash(text)} #}}\n"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with own.open("x", encoding="utf-8", newline="\n") as file:
            file.write(mark + text)
    except FileExistsError:
        raise TemplateError(
            "it is there already", path=str(own), hint="it is yours: edit it, or delete it first"
        ) from None
    return own


def difference(standing: Standing) -> str:
    """What the project's file has otherwise than ours, as a unified diff from ours."""
    ours, own = _text(standing.shipped), _MARK.sub("", _text(standing.own), count=1)
    lines = unified_diff(
        ours.splitlines(keepends=True),
        own.splitlines(keepends=True),
        f"ours/{standing.name}",
        f"yours/{standing.name}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def findings(folder: Path, bundled: Path, root: Path) -> Iterator[Finding]:
    """Ejected templates that ours has left behind."""
    if not folder.is_dir():
        return
    for one in standings(folder, bundled):
        if one.ownership is Ownership.CHANGED:
            path = one.own.relative_to(root) if one.own.is_relative_to(root) else one.own
            message = f"ours of {one.name} has changed since you took it"
            fix = f"digest templates check {one.name}"
            yield Finding(path.as_posix(), 1, "template/changed", Severity.INFO, message, fix=fix)


def _ownership(own: Path, shipped: Path) -> Ownership:
    if not own.is_file() or own.resolve() == shipped.resolve():
        return Ownership.OURS
    theirs, ours = _text(own), _text(shipped)
    mark = _MARK.match(theirs)
    if theirs[mark.end() if mark else 0 :] == ours:
        return Ownership.COPY
    if mark is None:
        return Ownership.UNMARKED
    return Ownership.CURRENT if mark["hash"] == _hash(ours) else Ownership.CHANGED


def _text(path: Path) -> str:
    """With the line ends that templates are read with, so that a checkout's do not count."""
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise TemplateError("the file is not UTF-8", path=str(path), hint="save it so") from error


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
