"""When issues leave, said to a reader: the cadence fixes the day, the newsletter the hour."""

from datetime import datetime
from zoneinfo import ZoneInfo

from digest import wording
from digest.cadence import next_due
from digest.config import Config
from digest.issues import closing_zone
from digest.models import Cadence
from digest.translations import Translations


def when(config: Config, cadence: Cadence, tr: Translations) -> str:
    """`Thursday, 09:00 (Europe/Dublin)`: when issues of the cadence leave; daily ones any day."""
    one = config.schedule[cadence]
    hour = f"{one.due.hour:02d}:{one.due.minute:02d}"
    place = tr.gettext("your own time") if one.local_time else config.newsletter.timezone.key
    if one.due.weekday is not None:
        day = tr.weekday(one.due.weekday)
    elif one.due.day is not None:
        day = tr.gettext("on day %(day)d of the month") % {"day": one.due.day}
    else:
        return tr.gettext("%(hour)s (%(place)s)") % {"hour": hour, "place": place}
    return tr.gettext("%(day)s, %(hour)s (%(place)s)") % {"day": day, "hour": hour, "place": place}


def next_moment(config: Config, cadence: Cadence, timezone: str, now: datetime) -> datetime:
    """When the next issue of the cadence reaches a reader, in their own zone."""
    one = config.schedule[cadence]
    own = zone_of(config, timezone)
    zone = own if one.local_time else closing_zone(config, cadence)
    return next_due(one.due, zone, now).astimezone(own)


def zone_of(config: Config, timezone: str) -> ZoneInfo:
    """A reader's zone; the newsletter's where they chose none."""
    return ZoneInfo(timezone) if timezone else config.newsletter.timezone


def summary(everything: bool, tags: tuple[str, ...], cadence: Cadence, tr: Translations) -> str:
    """`weekly, about #ai and #python`."""
    rhythm = wording.cadence_adverb(cadence, tr)
    if everything:
        return tr.gettext("%(cadence)s, about everything") % {"cadence": rhythm}
    named = tr.format_list([f"#{tag}" for tag in tags])
    return tr.gettext("%(cadence)s, about %(tags)s") % {"cadence": rhythm, "tags": named}
