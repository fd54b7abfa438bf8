"""Watches the newsletter's files, and has the workshop and the pages know."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from watchfiles import Change, DefaultFilter, awatch

from digest.studio.bell import Bell
from digest.studio.workshop import Workshop

DEBOUNCE = 50  # milliseconds within which saves are one
SETTLED = 0.25  # seconds until a new watch surely sees everything


@dataclass(slots=True)
class _Until:
    """A stop for one watcher: set when it is set itself, or when something has come about."""

    come: Callable[[], bool]
    stopped: bool = False

    def set(self) -> None:
        self.stopped = True

    def is_set(self) -> bool:
        return self.stopped or self.come()


class _Ours(DefaultFilter):
    """Files that an author saves: not an editor's, and not what `digest` writes itself."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, ".digest", "outbox")


async def watch(workshop: Workshop, bell: Bell, stop: anyio.Event) -> None:
    """Until `stop`; folders that are made or renamed in `digest.toml` meanwhile are followed."""
    async with anyio.create_task_group() as group:
        group.start_soon(_settings, workshop, bell, stop)
        while not stop.is_set():
            folders = workshop.folders()
            moved = _Until(partial(_moved, workshop, folders, stop))
            async for paths in _saves(folders, _Ours(), moved):
                await _tell(workshop, bell, paths)
            if not stop.is_set():
                group.start_soon(_settled, workshop, bell, set(folders) ^ {*workshop.folders()})


async def _settings(workshop: Workshop, bell: Bell, stop: anyio.Event) -> None:
    """`digest.toml` alone, through its folder, because editors put a new file in its place."""
    file = workshop.config.path
    until = _Until(stop.is_set)
    async for paths in _saves((file.parent,), _only(file), until, recursive=False):
        await _tell(workshop, bell, paths)


async def _saves(
    folders: Sequence[Path],
    wanted: Callable[[Change, str], bool],
    until: _Until,
    *,
    recursive: bool = True,
) -> AsyncIterator[set[Path]]:
    """The files of each save. Where the system has no watch left to give, by looking again."""
    polling = False
    while not until.is_set():
        try:
            async for changes in awatch(
                *folders,
                watch_filter=wanted,
                debounce=DEBOUNCE,
                stop_event=until,
                recursive=recursive,
                force_polling=polling,
            ):
                yield {Path(path) for _, path in changes}
        except (OSError, RuntimeError):  # also a folder that went away just now
            polling = True
            await anyio.sleep(SETTLED)


def _only(file: Path) -> Callable[[Change, str], bool]:
    return lambda change, path: Path(path) == file


async def _settled(workshop: Workshop, bell: Bell, folders: set[Path]) -> None:
    """Tell of new folders when they are watched: files may have come into them before."""
    await anyio.sleep(SETTLED)
    await _tell(workshop, bell, folders)


def _moved(workshop: Workshop, was: tuple[Path, ...], stop: anyio.Event) -> bool:
    return stop.is_set() or workshop.folders() != was


async def _tell(workshop: Workshop, bell: Bell, paths: set[Path]) -> None:
    await asyncio.to_thread(workshop.changed, paths)
    root = workshop.config.root
    shown = sorted(p.relative_to(root).as_posix() for p in paths if p.is_relative_to(root))
    bell.ring(json.dumps({"version": workshop.version, "saved": shown}))
