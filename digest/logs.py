"""What happened, as events: a stable key and ids, on stderr; never an address, never a token.

JSON lines where nobody watches, readable lines on a terminal. structlog costs 120 ms to import,
so it is loaded by the first event, and `digest --help` never sees it. Whatever is said passes
`harmless`, which is why nothing here takes a sentence ready made.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import PurePath
from typing import Any, Literal

from digest.config import plain_terminal

# Every event there is. Its meaning is in docs/operations.md, where the names are a promise: they
# are alerted on. mypy refuses a key that is not here, a test one that is not there.
Event = Literal[
    "config.kept",
    "config.refused",
    "config.reloaded",
    "library.warned",
    "web.answered",
    "web.clicks_late",
    "web.clicks_lost",
    "web.failed",
    "web.listening",
    "web.notice_failed",
    "web.stopped",
    "editor.unreached",
    "issue.answered",
    "webhook.heard",
    "webhook.unreadable",
    "issue.asked",
    "issue.errors",
    "issue.paused",
    "issue.planned",
    "issue.sending",
    "issue.sent",
    "issue.skipped",
    "issue.stale",
    "issue.waits",
    "library.warned",
    "clicks.forgotten",
    "requests.forgotten",
    "schedule.started",
    "schedule.stopped",
    "schedule.waits",
    "tick.failed",
    "worker.failed",
    "worker.recovered",
    "worker.started",
    "worker.stopped",
    "worker.waits",
]

_LONGEST = 1000  # characters of one value
_FRAMES = 6  # of a traceback, the innermost
_DEEPEST = 4  # levels of one value
_FIRST = ("timestamp", "level", "event", "part")

_PRIVATE = {
    "address", "authorization", "cookie", "credential", "email", "key", "password", "secret",
    "signature", "token",
}  # fmt: skip
_WITHHELD = "[withheld]"
_QUOTED_LOCAL_PART = re.compile(r'"[^"]*"(?=[@＠﹫])')
_ADDRESS = re.compile(r"(?<!\S)[^\s@＠﹫]*(?:[@＠﹫]|%40)\S*")
_CREDENTIAL = re.compile(r"(?i)\bSG\.[\w.-]+|\b(?:bearer|basic)\s+\S+")
_RUN = re.compile(r"[A-Za-z0-9_+=-]{30,}")
_LONGEST_WORD = 24  # of a slug; keys and hashes have no hyphens, or capitals


@dataclass(frozen=True, slots=True)
class Log:
    """The events of one part. Facts are ids, numbers, moments and short texts."""

    part: str

    def info(self, event: Event, **facts: object) -> None:
        """Something happened that was to happen."""
        _sink().info(event, part=self.part, **facts)

    def warning(self, event: Event, **facts: object) -> None:
        """The service goes on, and somebody should look when it comes often."""
        _sink().warning(event, part=self.part, **facts)

    def error(self, event: Event, **facts: object) -> None:
        """Somebody should look now. An exception among the facts tells where it came from."""
        _sink().error(event, part=self.part, **facts)


def get(part: str) -> Log:
    """The log of a part; nothing is loaded until it says something."""
    return Log(part)


def adopt_libraries() -> None:
    """What libraries warn of through `logging` becomes an event too; for commands that stay."""
    root = logging.getLogger()
    if not any(isinstance(handler, _Libraries) for handler in root.handlers):
        root.addHandler(_Libraries(logging.WARNING))


def harmless(value: object, depth: int = 0) -> object:  # noqa: PLR0911 - one line per kind
    """`value` as JSON has it, with everything masked that looks like an address or a token.

    An unknown kind of object gives its kind alone: its repr could hold anything.
    """
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return harmless(value.value, depth)
        case str() | PurePath():
            return _masked(str(value))
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case BaseException():
            return _masked(f"{type(value).__name__}: {value}")
        case Mapping() if depth < _DEEPEST:
            return {_masked(str(k)): _fact(str(k), v, depth + 1) for k, v in value.items()}
        case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
            return [harmless(item, depth + 1) for item in value]
    return f"<{type(value).__name__}>"


def _fact(name: str, value: object, depth: int = 0) -> object:
    """A fact that is called a secret is none of the log's business, whatever it looks like."""
    private = _PRIVATE & set(name.lower().split("_"))
    return _WITHHELD if private and not isinstance(value, int | None) else harmless(value, depth)


def _masked(text: str) -> str:
    """One printable line without addresses, credentials and long random words."""
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    plain = "".join(c if c.isprintable() else " " for c in cut)
    nameless = _ADDRESS.sub("[address]", _QUOTED_LOCAL_PART.sub("", plain))
    return _RUN.sub(_unless_slug, _CREDENTIAL.sub("[key]", nameless))


def _unless_slug(run: re.Match[str]) -> str:
    """Story ids are long as well, but made of short words in lower case."""
    words = re.split(r"[-_]", run[0])
    is_slug = run[0].islower() and max(map(len, words)) <= _LONGEST_WORD and "+" not in run[0]
    return run[0] if is_slug else "[token]"


def _facts(_logger: object, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """The processor that nothing gets past; what every event has comes first."""
    order = [name for name in _FIRST if name in event]
    told = {name: _fact(name, event[name]) for name in dict.fromkeys((*order, *event))}
    for value in event.values():
        if isinstance(value, BaseException) and value.__traceback__:
            told["where"] = _where(value)
    return told


def _where(error: BaseException) -> list[str]:
    """The innermost frames, without their values and without this machine's folders."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{'/'.join(PurePath(f.filename).parts[-2:])}:{f.lineno} {f.name}" for f in frames]


def _structlog() -> Any:
    """Without rich: it would load that to draw tracebacks, which nothing here does, and 4 MB are
    a twentieth of what an idle service may use."""
    strange = "rich" not in sys.modules
    if strange:
        sys.modules["rich"] = None  # type: ignore[assignment]  # import's own word for "is not there"
    try:
        return import_module("structlog")
    finally:
        if strange:
            del sys.modules["rich"]


@cache
def _sink() -> Any:
    """structlog, set up for this process by the first event."""
    structlog = _structlog()
    renderer: Any
    if _watched():
        from structlog.dev import ConsoleRenderer

        clock = structlog.processors.TimeStamper("%H:%M:%S", utc=False)
        renderer = ConsoleRenderer(colors=not plain_terminal())
    else:
        clock = structlog.processors.TimeStamper("iso", utc=True)
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.wrap_logger(
        _Stderr(),
        processors=[structlog.processors.add_log_level, clock, _facts, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def _watched() -> bool:
    with suppress(AttributeError, ValueError):  # there is no stderr, or no more
        return sys.stderr.isatty()
    return False


class _Stderr:
    """One write a line, so that lines of several threads do not mix."""

    def msg(self, line: str) -> None:
        # nobody reads any more: no reason to stop mailing
        with suppress(AttributeError, OSError, ValueError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    info = warning = error = msg


class _Libraries(logging.Handler):
    """APScheduler, uvicorn and the like. Their words pass the same masks as ours."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # a bad format string of theirs is no reason to stop mailing
            facts: dict[str, object] = {"library": record.name, "said": record.getMessage()}
            if record.exc_info and record.exc_info[1]:
                facts["failure"] = record.exc_info[1]
            log = get("libraries")
            say = log.error if record.levelno >= logging.ERROR else log.warning
            say("library.warned", **facts)
