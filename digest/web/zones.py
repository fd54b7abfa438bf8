"""The time zones to choose from: each place once, by region, in the words of the page."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from zoneinfo import available_timezones

from digest.translations import Translations, older_zones, translations

Zones = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # region, (zone, how it is called)


@cache
def zones(code: str) -> Zones:
    """Every region with its zones, in the order of their names in this language.

    `Asia/Calcutta` and `US/Eastern` are older names of others: who has one keeps it, and nobody is
    offered it.
    """
    tr = translations(code)
    known = available_timezones() - older_zones()
    return tuple(
        (called, _sorted((zone, tr.zone(zone)) for zone in known if _region(zone) == region))
        for region, called in _sorted(_regions(tr).items())
    )


def offered(zone: str) -> bool:
    """Whether it is among them."""
    return any(zone == one for _, names in zones("en") for one, _ in names)


def _region(zone: str) -> str:
    return zone.partition("/")[0]


def _regions(tr: Translations) -> dict[str, str]:
    return {
        "Africa": tr.gettext("Africa"),
        "America": tr.gettext("America"),
        "Antarctica": tr.gettext("Antarctica"),
        "Asia": tr.gettext("Asia"),
        "Atlantic": tr.gettext("Atlantic Ocean"),
        "Australia": tr.gettext("Australia"),
        "Europe": tr.gettext("Europe"),
        "Indian": tr.gettext("Indian Ocean"),
        "Pacific": tr.gettext("Pacific Ocean"),
    }


def _sorted(named: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """By what they are called, accents aside."""
    return tuple(sorted(named, key=lambda one: unicodedata.normalize("NFKD", one[1]).casefold()))
