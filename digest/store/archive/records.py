"""What the archive gives out: frozen, and free of SQL."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from digest.models import Cadence, Story, Visibility, Window
from digest.snapshot import story_from


@dataclass(frozen=True, slots=True)
class ArchivedIssue:
    """The head of an issue that is shown."""

    number: int
    id: str
    cadence: Cadence
    window: Window
    due: datetime
    visibility: Visibility


class ArchivedTag(NamedTuple):
    """A tag of public stories."""

    key: str
    name: str
    stories: int


class ToldStory(NamedTuple):
    """A story, and the issue that told it first."""

    issue: ArchivedIssue
    story: Story


class Stamp(NamedTuple):
    """What all pages of the archive follow from."""

    issues: str
    sum: str
    newest: str
    said: str
    last_said: str


@dataclass(frozen=True, slots=True)
class OwnEdition:
    """The edition that one reader was sent."""

    issue: ArchivedIssue
    language: str
    stories: tuple[Story, ...]
    more: tuple[Story, ...]

    @classmethod
    def of(cls, issue: ArchivedIssue, row: Any, texts: Mapping[str, str]) -> "OwnEdition":
        """From its row, and the texts of the issue by story id; what was not kept is left out."""

        def found(ids: str) -> tuple[Story, ...]:
            return tuple(story_from(texts[one]) for one in json.loads(ids) if one in texts)

        return cls(issue, row.language, found(row.stories), found(row.more))
