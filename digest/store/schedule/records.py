"""What the schedule gives out: frozen, and free of SQL."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Standing:
    """One cadence: since when it goes out by itself, and whether somebody paused it."""

    since: datetime
    paused_because: str = ""  # empty: it goes on


@dataclass(frozen=True, slots=True)
class Skipped:
    """An issue that did not go out by itself. Its stories are in the next one."""

    id: str
    due: datetime
    reason: str


class Answer(StrEnum):
    """What an editor said of a plan."""

    NONE = ""
    APPROVED = "approved"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Approval:
    """A plan that goes out only after a yes."""

    reason: str
    asked: datetime | None  # when the editors were mailed
    answer: Answer
    answered: datetime | None

    @property
    def seen(self) -> datetime | None:
        """When an editor last had it before them, as far as we know."""
        return max(filter(None, (self.asked, self.answered)), default=None)
