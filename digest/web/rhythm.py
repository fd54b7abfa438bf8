"""When issues leave, said to a reader: day and hour are the newsletter's, unless the reader may
choose and did."""

from datetime import datetime
from zoneinfo import ZoneInfo

from digest import wording
from digest.cadence import next_due
from digest.config import Config
from digest.dues import closing_zone, released
from digest.models import Cadence, Subscriber
from digest.translations import Translations


def when(config: Config, cadence: Cadence, tr: Translations) -> str:
    """`Thursday, 09:00 (Europe/Dublin)`: when issues of the cadence leave; daily ones any day."""
    said = _when(config, cadence, tr)
    if config.schedule[cadence].choose:
        return tr.gettext("%(when)s, or when you choose") % {"when": said}
    return said


def _when(config: Config, cadence: Cadence, tr: Translations) -> str:
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


def next_moment(config: Config, reader: Subscriber, now: datetime) -> datetime:
    """When the next issue that is planned reaches a reader, in their own zone."""
    due = config.schedule[reader.cadence].due
    coming = next_due(due, closing_zone(config, reader.cadence), now)
    own = zone_of(config, reader.timezone)
    return released(config, reader.cadence, coming, own, reader.chosen).astimezone(own)


def in_words(moment: datetime, zone: ZoneInfo, tr: Translations) -> str:
    """`Thursday, 19 November 2026, 07:00 (Asia/Tokyo)`."""
    local = moment.astimezone(zone)
    day = f"{tr.weekday(local.weekday())}, {tr.format_date(local, zone)}"
    named = {"day": day, "hour": f"{local:%H:%M}", "place": zone.key}
    return tr.gettext("%(day)s, %(hour)s (%(place)s)") % named


def choosable(config: Config) -> tuple[Cadence, ...]:
    """The cadences whose readers may choose their day and hour."""
    return tuple(cadence for cadence, one in config.schedule.items() if one.choose)


def zone_of(config: Config, timezone: str) -> ZoneInfo:
    """A reader's zone; the newsletter's where they chose none."""
    return ZoneInfo(timezone) if timezone else config.newsletter.timezone


def summary(everything: bool, tags: tuple[str, ...], cadence: Cadence, tr: Translations) -> str:
    """`weekly, about #ai and #python`; of many tags the first."""
    rhythm = wording.cadence_adverb(cadence, tr)
    if everything:
        return tr.gettext("%(cadence)s, about everything") % {"cadence": rhythm}
    named = {"cadence": rhythm, "tags": wording.tag_list(tags, tr)}
    return tr.gettext("%(cadence)s, about %(tags)s") % named
