"""Which posts differ from an earlier revision, and what they were: asks git, changes nothing."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from digest.content.walk import ENDINGS
from digest.errors import DigestError

# Where a branch usually began, the likeliest first.
_BASES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One file that was added, edited or taken away."""

    path: Path  # absolute
    before: bytes | None  # what it was; None: there was none of this name
    gone: bool = False


def changes(folder: Path, base: str = "") -> list[Change]:
    """The Markdown files in `folder` that differ from where this branch left `base`, by path.

    What is not committed counts, and new files too; their paths have no symbolic links in them.
    A file that has another name now is one that is gone and one that is new.
    DigestError when it is no git repository, or there is no such revision.
    """
    top = top_of(folder)
    start = _ask(folder, "merge-base", "--end-of-options", _commit(folder, base), "HEAD").strip()
    edited = _paths(
        _ask(folder, "diff", "--name-only", "-z", "--diff-filter=ACDMRT", "--no-renames", start,
             "--", str(folder))
    )  # fmt: skip
    fresh = _paths(_ask(top, "ls-files", "-z", "--others", "--exclude-standard", "--", str(folder)))
    found = [
        Change(top / name, _was(top, start, name), gone=not (top / name).is_file())
        for name in sorted({*edited, *fresh})
        if name.lower().endswith(ENDINGS)
    ]
    return [change for change in found if change.before is not None or not change.gone]


def top_of(folder: Path) -> Path:
    """Where the repository begins that `folder` is in. DigestError when it is in none."""
    return Path(_ask(folder, "rev-parse", "--show-toplevel").strip())


def is_shallow(folder: Path) -> bool:
    """Whether the clone lacks the history in which a branch began."""
    return _ask(folder, "rev-parse", "--is-shallow-repository").strip() == "true"


def _commit(folder: Path, base: str) -> str:
    for name in (base,) if base else _BASES:
        done = _run(
            folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        if done.returncode == 0:
            return done.stdout.decode().strip()
    raise DigestError(
        f"there is no revision {base!r} here" if base else "nothing to compare with",
        hint="name one: --base origin/main; a checkout in CI needs its history (fetch-depth: 0)",
    )


def _was(top: Path, start: str, name: str) -> bytes | None:
    done = _run(top, "cat-file", "blob", f"{start}:{name}")
    return done.stdout if done.returncode == 0 else None


def _paths(listed: str) -> Sequence[str]:
    return [name for name in listed.split("\0") if name]


def _ask(folder: Path, *arguments: str) -> str:
    done = _run(folder, *arguments)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DigestError(f"git: {said[-1] if said else arguments[0]}")
    return done.stdout.decode("utf-8", "surrogateescape")


def _run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """git, without its pager, its locks and whatever the repository would have it run."""
    command = ["git", "--no-optional-locks", "--no-pager", "-c", "core.fsmonitor=false", *arguments]
    try:
        return subprocess.run(  # noqa: S603 - no shell, and a revision cannot be an option
            command, cwd=folder, capture_output=True, check=False, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise DigestError(
            "there is no git here", hint="install git, or leave --impact out"
        ) from None
    except subprocess.TimeoutExpired:
        raise DigestError(
            f"git did not answer in {_SECONDS} s", hint="try again, or leave --impact out"
        ) from None
