"""The sentences that depend on what is in an edition and on who reads it. Pure.

Subject, preheader, greeting, and why the reader gets this. All are plain text: whoever puts them
into HTML or a header escapes them there.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import Protocol

from digest.inline import plain
from digest.models import Cadence, Preferences, Story

WORDS_PER_MINUTE = 225  # silent reading of non-fiction: Brysbaert 2019 finds 238
SUBJECT_LENGTH = 78  # RFC 5322 recommends lines up to 78; Buttondown warns above it
PREHEADER_LENGTH = range(40, 131)  # shorter and the program adds body text, longer is cut
NAME_LENGTH = 40
TAGS_NAMED = 12
ELLIPSIS = "…"

# `evil.example`, `www.`, `://`, `a@b`: a name that is a link is an advertisement or an attack.
_LIKE_A_LINK = re.compile(r"[/@\\]|www\.|\w\.[^\W\d_]{2,}", re.IGNORECASE)


# `Doe, Jane`, and what stands after a comma without being the first name.
_REVERSED = re.compile(r"([^\W\d_][^,\d_]*), ?([^\W\d_][^,\d_]*)")
_TITLES = frozenset(
    ("jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "mba", "msc", "inc", "ltd", "llc", "gmbh")
)
# Zero-width joiners are part of a word in Arabic, Indic and South-East Asian scripts.
_JOINED = re.compile(
    "(?:(?<=[\u0600-\u109f\u1780-\u18af])[\u200c\u200d](?=[\u0600-\u109f\u1780-\u18af])"
    "|(?<=[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2600-\u27bf\U0001f000-\U0001faff]))"
)


class Translations(Protocol):
    """The part of `digest.translations.Translations` that sentences need."""

    def gettext(self, message: str) -> str: ...

    def ngettext(self, singular: str, plural: str, number: int) -> str: ...

    def format_list(self, words: Sequence[str]) -> str: ...


def reading_minutes(words: int) -> int:
    """Whole minutes it takes to read so many words; at least 1."""
    return max(1, ceil(words / WORDS_PER_MINUTE))


def subject(stories: Sequence[Story], tr: Translations) -> str:
    """The first title, and how many more where there is room; never empty, at most 78 letters."""
    titles = _titles(stories)
    if not titles:
        return tr.gettext("New stories for you")
    title = _cut(titles[0], SUBJECT_LENGTH)
    others = len(stories) - 1
    if not others:
        return title
    counted = tr.ngettext("%(title)s and %(number)d more", "%(title)s and %(number)d more", others)
    longer = counted % {"title": title, "number": others}
    return longer if len(longer) <= SUBJECT_LENGTH else title


def preheader(stories: Sequence[Story], tr: Translations) -> str:
    """40 to 130 letters that go on where the subject stops: the other titles, then the TLDR."""
    text = " · ".join(_titles(stories)[1:])
    for story in stories:
        if len(text) >= PREHEADER_LENGTH.start:
            break
        text = " · ".join(filter(None, (text, plain(story.tldr))))
    if len(text) < PREHEADER_LENGTH.start:
        minutes = sum(reading_minutes(story.words) for story in stories)
        sentence = tr.ngettext(
            "What matters and what to take away, in about %(minutes)d minute.",
            "What matters and what to take away, in about %(minutes)d minutes.",
            minutes,
        )
        text = " · ".join(filter(None, (text, sentence % {"minutes": minutes})))
    return _cut(text, PREHEADER_LENGTH.stop - 1)


def intro(stories: Sequence[Story], cadence: Cadence, tr: Translations) -> str:
    """How many stories there are and how long they take: one sentence."""
    number = len(stories)
    minutes = sum(reading_minutes(story.words) for story in stories)
    counted = _counted(number, cadence, tr) % {"number": number}
    time = tr.ngettext(
        "about %(minutes)d minute of reading", "about %(minutes)d minutes of reading", minutes
    )
    return tr.gettext("%(stories)s, %(time)s.") % {
        "stories": counted,
        "time": time % {"minutes": minutes},
    }


def salutation(name: str, tr: Translations) -> str:
    """`Hi Ana,`, or `Hi,` when there is no name or what is there is not a name."""
    known = _name(name)
    return tr.gettext("Hi %(name)s,") % {"name": known} if known else tr.gettext("Hi,")


def why(
    preferences: Preferences,
    cadence: Cadence,
    tr: Translations,
    spelling: Callable[[str], str] = str,
) -> str:
    """Why the reader gets this message: the tags they follow, how often, what they muted.

    `spelling`: how a tag is shown, whichever way its reader came to it; two may become one.
    """
    rhythm = cadence_adverb(cadence, tr)
    tags = tag_list(map(spelling, preferences.tags), tr)
    if preferences.everything:
        sentence = tr.gettext("You get this because you subscribed to everything, %(cadence)s.")
    elif tags:
        sentence = tr.gettext("You get this because you follow %(tags)s, %(cadence)s.")
    else:
        sentence = tr.gettext("You get this because you subscribed, %(cadence)s.")
    sentence %= {"tags": tags, "cadence": rhythm}
    muted = tag_list(map(spelling, preferences.muted), tr)
    if muted:
        sentence += " " + tr.gettext("You have muted %(tags)s.") % {"tags": muted}
    return sentence


def tag_list(tags: Iterable[str], tr: Translations) -> str:
    """`#ai, #k8s and #python`; of sixty the first, and how many more."""
    names = [f"#{name}" for tag in dict.fromkeys(tags) if (name := _tag(tag))]
    if len(names) > TAGS_NAMED:
        more = tr.gettext("%(number)d more") % {"number": len(names) - TAGS_NAMED}
        names = [*names[:TAGS_NAMED], more]
    return tr.format_list(names) if names else ""


def cadence_name(cadence: Cadence, tr: Translations) -> str:
    """`Weekly`, for the line above the newsletter's name."""
    match cadence:
        case Cadence.DAILY:
            return tr.gettext("Daily")
        case Cadence.WEEKLY:
            return tr.gettext("Weekly")
        case Cadence.MONTHLY:
            return tr.gettext("Monthly")


def cadence_adverb(cadence: Cadence, tr: Translations) -> str:
    """`weekly`, inside a sentence."""
    match cadence:
        case Cadence.DAILY:
            return tr.gettext("daily")
        case Cadence.WEEKLY:
            return tr.gettext("weekly")
        case Cadence.MONTHLY:
            return tr.gettext("monthly")


def _counted(number: int, cadence: Cadence, tr: Translations) -> str:
    # Whole sentences, because languages put time and agreement where they like.
    match cadence:
        case Cadence.DAILY:
            return tr.ngettext(
                "%(number)d story for you today", "%(number)d stories for you today", number
            )
        case Cadence.WEEKLY:
            return tr.ngettext(
                "%(number)d story for you this week", "%(number)d stories for you this week", number
            )
        case Cadence.MONTHLY:
            return tr.ngettext(
                "%(number)d story for you this month",
                "%(number)d stories for you this month",
                number,
            )


def _titles(stories: Sequence[Story]) -> list[str]:
    """What each story is called; its TLDR where it has no title; nothing where it has neither."""
    named = (plain(story.title) or plain(story.tldr) for story in stories)
    return [title for title in named if title]


def _cut(text: str, length: int) -> str:
    """At most `length` letters, cut after a word, with an ellipsis that says so."""
    if len(text) <= length:
        return text
    head = text[:length]  # one letter over, so that a word that just fits is kept
    words = head[: head.rfind(" ")] if " " in head.strip() else head[: length - 1]
    return words.rstrip(" ,;:–—-·\u200c\u200d") + ELLIPSIS


def _name(name: str) -> str:
    """The name on one line, without control and direction characters; empty when it is no name."""
    joiners = {match.start() for match in _JOINED.finditer(name)}
    letters = (
        " " if letter.isspace() else letter
        for position, letter in enumerate(name)
        if letter.isspace()
        or position in joiners
        or unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs", "Cn")
    )
    tidy = _first_name_first(" ".join("".join(letters).split()))
    if _LIKE_A_LINK.search(tidy) or not any(letter.isalpha() for letter in tidy):
        return ""
    return _cut(tidy, NAME_LENGTH)


def _first_name_first(name: str) -> str:
    """`Jane Doe` of `Doe, Jane`, as address books have it; a degree or a legal form goes."""
    match = _REVERSED.fullmatch(name)
    if not match:
        return name
    last, first = match.groups()
    titled = first.replace(".", "").lower() in _TITLES
    return last.rstrip() if titled else f"{first.rstrip()} {last.rstrip()}"


def _tag(tag: str) -> str:
    """One tag as a word of the sentence, without `#`, spaces and control characters."""
    letters = (c for c in tag if not c.isspace() and unicodedata.category(c)[0] != "C")
    return _cut("".join(letters).lstrip("#"), NAME_LENGTH)
