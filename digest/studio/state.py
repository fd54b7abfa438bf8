"""What the address of a studio page asks for. Pure.

Everything that is seen is in the query, so that a page can be reloaded, bookmarked and pointed at.
A value that cannot be is replaced by its default: an old bookmark shows something.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date
from enum import StrEnum

from digest.models import Cadence

TAGS = "tags:"  # before typed tags in place of a persona's key


class Scheme(StrEnum):
    """In which light the mail is shown."""

    LIGHT = "light"
    DARK = "dark"  # as a client with `prefers-color-scheme` shows it
    FORCED = "forced"  # as a client that inverts colours by itself; the page does that


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: whose edition of which issue."""

    who: str = ""  # a persona's key, or `tags:ai llm`; empty: the first persona
    issue: str = ""  # an issue's id; empty: the one the studio opened on
    drafts: bool = False  # drafts count as published

    @property
    def tags(self) -> str | None:
        """The typed tags, or None where a persona is named."""
        return self.who.removeprefix(TAGS) if self.who.startswith(TAGS) else None


@dataclass(frozen=True, slots=True)
class Light:
    """How the mail is shown."""

    scheme: Scheme = Scheme.LIGHT
    images: bool = True


def look(query: Mapping[str, str], default: Look) -> Look:
    """The edition that a query names; what it leaves out is as in `default`."""
    drafts = query.get("drafts", "1" if default.drafts else "")
    issue = query.get("issue", "")
    return Look(
        who=query.get("as", "") or default.who,
        issue=issue if named(issue) else default.issue,
        drafts=drafts == "1",
    )


def light(query: Mapping[str, str]) -> Light:
    """The light that a query names."""
    known = {scheme.value: scheme for scheme in Scheme}
    scheme = known.get(query.get("scheme", ""), Scheme.LIGHT)
    return Light(scheme, query.get("images") != "off")


def named(issue: str) -> tuple[Cadence, date] | None:
    """The cadence and the day in an issue's id, like `weekly-2026-11-19`; None when it is none.

    The first and the last year are none: what is looked at goes beyond the day on both sides.
    """
    cadence, _, day = issue.partition("-")
    try:
        found = Cadence(cadence), date.fromisoformat(day)
    except ValueError:
        return None
    return found if MINYEAR < found[1].year < MAXYEAR else None
