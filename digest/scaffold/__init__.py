"""`digest init`: the files that make a newsletter of a folder, planned first and written then.

Beside posts that exist it writes a commented `digest.toml` and a list with one invented reader;
in an empty folder it lays out the bundled newsletter. It never overwrites a file.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.cadence import last_due
from digest.errors import DigestError
from digest.models import Due
from digest.scaffold.settings_file import SUBSCRIBERS, render_settings, settings_folder
from digest.scaffold.site_settings import machine_timezone
from digest.scaffold.sites import Site, detect

__all__ = ["NewFile", "Scaffold", "Site", "detect", "plan_init", "redate", "samples", "write"]

FILE = "digest.toml"
# When the bundled posts' newest weekly issue is due. A test holds both to the bundled digest.toml.
SAMPLES_DUE = Due(9, 0, weekday=3)
SAMPLES_ZONE = ZoneInfo("Europe/Dublin")
SAMPLES_END = date(2026, 11, 19)

_NOTHING = re.compile(r"\.|readme|license", re.IGNORECASE)  # does not fill a folder
# of readers: the store with its log, backups of it, and rows that an import left out
_ADDRESSES = ("*.sqlite3*", "digest-*.dump", "*.rejects.csv")
_PUBLISHED = re.compile(r'(?m)^(publishedAt: ")(\d{4}-\d\d-\d\d)')


@dataclass(frozen=True, slots=True)
class NewFile:
    """One file to write. `extends` marks a whole new text for a file that exists."""

    path: str  # relative to the scaffold's folder, with forward slashes
    text: str
    extends: bool = False


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What `digest init` will write; nothing is written yet."""

    folder: Path
    site: Site | None  # None: the bundled newsletter
    files: tuple[NewFile, ...]

    def __str__(self) -> str:
        if self.site:
            return str(self.site)
        posts = sum(file.path.endswith(".md") for file in self.files)
        return f"An empty folder: laying out a small newsletter with {posts} sample posts"


def samples() -> Path:
    """The folder with the bundled `digest.toml`, `content/` and `subscribers/`."""
    package = Path(__file__).resolve().parent.parent
    bundled = package / "_bundled"  # in a wheel; a checkout keeps them beside the package
    return bundled if bundled.is_dir() else package.parent


def plan_init(folder: Path, now: datetime) -> Scaffold:
    """The files that make `folder`, which need not exist, a newsletter.

    `now` is aware. Where the site names no zone, the newsletter takes that of `now` if it has a
    name, else the machine's.
    DigestError for a folder that has a `digest.toml`, cannot be read, or holds no posts.
    """
    try:
        return _plan(folder, now)
    except OSError as error:
        raise _unusable(error, folder) from error


def write(scaffold: Scaffold) -> tuple[Path, ...]:
    """Write every planned file, each as a whole or not at all; the files written, in order.

    DigestError when a file has appeared since the plan was made; those before it stay.
    """
    written = []
    for file in scaffold.files:
        path = scaffold.folder / file.path
        try:
            _write(path, file)
        except OSError as error:
            raise _unusable(error, path) from error
        written.append(path)
    return tuple(written)


def redate(text: str, days: int) -> str:
    """A post whose quoted `publishedAt` is later by `days`; every other byte stays."""

    def later(match: re.Match[str]) -> str:
        return match[1] + (date.fromisoformat(match[2]) + timedelta(days)).isoformat()

    return _PUBLISHED.sub(later, text, count=1)


def _plan(folder: Path, now: datetime) -> Scaffold:
    if os.path.lexists(folder) and not folder.is_dir():
        raise DigestError(
            f"{folder} is not a folder",
            hint="name a folder that holds posts, or a new one: digest init newsletter",
        )
    if os.path.lexists(folder / FILE):
        raise DigestError(
            f"{folder / FILE} exists already and stays as it is",
            hint="edit it, or remove it and run `digest init` again",
        )
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    if all(_NOTHING.match(name) for name in names):
        return Scaffold(folder, None, (*_sample_files(now), *_gitignore(folder, "")))
    site = detect(folder)
    if site is None:
        raise DigestError(
            f"{folder}: no Markdown posts with a date in here",
            hint="run `digest init` where the posts are, or start from samples in a new folder: "
            "digest init newsletter",
        )
    return Scaffold(folder, site, tuple(_site_files(folder, site, now)))


def _site_files(folder: Path, site: Site, now: datetime) -> Iterator[NewFile]:
    prefix = settings_folder(site)
    readers = folder / f"{prefix}subscribers"
    if not any(readers.glob("*.csv")):
        yield NewFile(f"{prefix}subscribers/subscribers.csv", SUBSCRIBERS)
    yield from _gitignore(folder, prefix)
    zone = now.tzinfo.key if isinstance(now.tzinfo, ZoneInfo) else machine_timezone()
    yield NewFile(FILE, render_settings(site, folder.resolve().name, zone))


def _sample_files(now: datetime) -> Iterator[NewFile]:
    """The bundled newsletter, its posts moved by whole weeks into the last closed window."""
    last = last_due(SAMPLES_DUE, SAMPLES_ZONE, now.astimezone(UTC)).astimezone(SAMPLES_ZONE).date()
    days = (last - SAMPLES_END).days
    root = samples()
    for path in sorted((root / "content").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        yield NewFile(path.relative_to(root).as_posix(), redate(text, days))
    for path in (root / "subscribers" / "sample.csv", root / FILE):
        yield NewFile(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def _gitignore(folder: Path, prefix: str) -> list[NewFile]:
    """`.gitignore` with what a run leaves behind, where a line is missing."""
    path = folder / ".gitignore"
    exists = path.exists()
    # surrogateescape: bytes that are not UTF-8 come back out as they were
    text = path.read_bytes().decode(errors="surrogateescape") if exists else ""
    present = {line.strip().strip("/") for line in text.splitlines()}
    ignored = (".digest/", f"{prefix}outbox/", *_ADDRESSES)
    missing = [line for line in ignored if line.strip("/") not in present]
    gap = "\n" if text and not text.endswith("\n") else ""
    lines = "".join(f"{line}\n" for line in missing)
    return [NewFile(".gitignore", text + gap + lines, exists)] if missing else []


def _write(path: Path, file: NewFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(path) and not file.extends:
        raise DigestError(f"{path} exists already and stays as it is", hint="move it away first")
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(file.text.encode(errors="surrogateescape"))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _unusable(error: OSError, path: Path) -> DigestError:
    return DigestError(
        f"{error.filename or path}: {error.strerror}",
        hint="name a folder that you may read and write",
    )
