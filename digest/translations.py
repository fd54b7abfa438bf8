"""The words around the stories in one language: gettext catalogs, dates and lists.

English is in the source. Other languages are `locale/<language>/LC_MESSAGES/digest.po`, read as
they are: no binary file to forget to rebuild. `scripts/messages` keeps them up to date.
"""

import gettext as standard
from collections.abc import Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, get_day_names
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

SOURCE = "en"
FOLDER = Path(__file__).parent / "locale"
# "19 November 2026" and "ai, llm and python": dates and lists that read the same everywhere.
_REGIONAL = {"en": "en_GB"}


class Translations:
    """Everything language-dependent for one language; English where we have no catalog."""

    def __init__(self, code: str) -> None:
        self.code = code if code in languages() else SOURCE
        self.direction = direction(self.code)
        self._catalog = _catalog(self.code)
        self._locale = _REGIONAL.get(self.code, self.code)

    def gettext(self, message: str) -> str:
        """The message in this language."""
        return self._catalog.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The form of the message that goes with the number."""
        return self._catalog.ngettext(singular, plural, number)

    def format_date(self, moment: datetime, timezone: tzinfo) -> str:
        """The day of an aware moment as people there write it: `19 November 2026`."""
        return format_date(moment.astimezone(timezone).date(), "long", locale=self._locale)

    def weekday(self, number: int) -> str:
        """`Monday` for 0, as it stands alone."""
        return str(get_day_names("wide", "stand-alone", self._locale)[number])

    def language(self, code: str) -> str:
        """What a language is called: `English`; its code where we do not know it."""
        return str(Locale.parse(self._locale).languages.get(code, code))

    def city(self, zone: str) -> str:
        """The place that a time zone is named after: `Warsaw`."""
        plain = zone.rpartition("/")[2].replace("_", " ")
        return str(Locale.parse(self._locale).time_zones.get(zone, {}).get("city") or plain)

    def zone(self, name: str) -> str:
        """What a time zone is called in a list of many: `Warsaw (Poland)`."""
        territory = get_global("zone_territories").get(name, "")
        country = Locale.parse(self._locale).territories.get(territory)
        return f"{self.city(name)} ({country})" if country else self.city(name)

    @property
    def place(self) -> str:
        """The language as it is spoken where most people do: `pl_PL`, as Open Graph wants it."""
        language, *_, place = (
            get_global("likely_subtags").get(self._locale, self._locale).split("_")
        )
        return f"{language}_{place}"

    def format_number(self, number: int) -> str:
        """`1,003,211`."""
        return format_decimal(number, locale=self._locale)

    def format_list(self, words: Sequence[str]) -> str:
        """`a, b and c`."""
        return format_list(list(words), locale=self._locale)


@lru_cache
def translations(code: str) -> Translations:
    """The one `Translations` of a language."""
    return Translations(code)


@lru_cache
def older_zones() -> frozenset[str]:
    """Names of time zones that another one stands for now, by Unicode's CLDR: `Asia/Calcutta`."""
    return frozenset(get_global("zone_aliases"))


@lru_cache
def languages() -> frozenset[str]:
    """The languages that the words around the stories exist in."""
    return frozenset({SOURCE} | {path.parent.parent.name for path in catalogs()})


def catalogs() -> list[Path]:
    """Every catalog there is."""
    return sorted(FOLDER.glob("*/LC_MESSAGES/digest.po"))


@lru_cache
def direction(code: str) -> str:
    """`rtl` for Arabic, Hebrew, Persian and the like, `ltr` for the rest and for the unknown."""
    try:
        return str(Locale.parse(code).text_direction)
    except (ValueError, UnknownLocaleError):
        return "ltr"


def _catalog(code: str) -> standard.NullTranslations:
    path = FOLDER / code / "LC_MESSAGES" / "digest.po"
    if code == SOURCE or not path.is_file():
        return standard.NullTranslations()
    binary = BytesIO()
    with path.open("rb") as file:
        write_mo(binary, read_po(file, locale=code))
    binary.seek(0)
    return standard.GNUTranslations(binary)
