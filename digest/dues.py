"""When issues are due and whom they reach when, by the settings of a newsletter. Pure.

`cadence` knows of days, hours and zones; here they are those that the configuration names.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo

from digest.cadence import (
    FIRST,
    chosen_release,
    fitting,
    issue_due,
    next_due,
    release,
    wanted_due,
)
from digest.config import Config
from digest.listing import UNLISTED, Listing
from digest.models import NOTHING_CHOSEN, Cadence, Chosen, Issue, Story


def issue_at(
    config: Config, cadence: Cadence, now: datetime, since: datetime | None = None
) -> Issue:
    """The newest issue of `cadence` due at `now`; its window begins at `since`, if known."""
    zone = closing_zone(config, cadence)
    return issue_due(cadence, config.schedule[cadence].due, zone, now, since)


def closing_zone(config: Config, cadence: Cadence) -> tzinfo:
    """The zone in which the cadence's issues are due and their windows close."""
    return FIRST if config.schedule[cadence].local_time else config.newsletter.timezone


def released(
    config: Config, cadence: Cadence, closed: datetime, zone: tzinfo, chosen: Chosen
) -> datetime:
    """When a reader in `zone` gets the issue whose window closed at `closed`."""
    settings = config.schedule[cadence]
    own = fitting(chosen, cadence)
    if settings.choose and own != NOTHING_CHOSEN:
        wanted = wanted_due(settings.due, own)
        return chosen_release(wanted, settings.due, closing_zone(config, cadence), closed, zone)
    return release(settings.due, closed, zone) if settings.local_time else closed


def latest_issue(
    config: Config,
    cadence: Cadence,
    stories: Iterable[Story],
    now: datetime,
    listing: Listing = UNLISTED,
) -> Issue:
    """The newest due issue whose window holds a story; if none does, the issue at `now`.

    When all stories are newer than the last due moment, that is the issue still to come.
    """
    due, zone = config.schedule[cadence].due, closing_zone(config, cadence)
    current = issue_at(config, cadence, now)
    told = [listing.of(story) for story in stories if not story.draft]
    closed = [moment for moment in told if moment < current.window.end]
    if not told or (not closed and min(told) > now):
        return current
    newest = max(closed) if closed else min(told)
    return issue_at(config, cadence, next_due(due, zone, newest))
