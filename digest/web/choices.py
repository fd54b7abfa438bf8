"""What a reader chose in a form: read without trust, kept as typed, and what is wrong with it.

Tags are those of stories, or those that readers have already: nobody gets a text of their own into
a mail that we send.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

from digest.cadence import fitting
from digest.hashtags import fold
from digest.models import NOTHING_CHOSEN, Cadence, Chosen, Preferences, Subscriber
from digest.preferences import settled
from digest.translations import Translations
from digest.web.rhythm import choosable
from digest.web.site import Site
from digest.web.topics import Topic
from digest.web.visits import Visit

_NUMBER = re.compile(r"[0-9]{1,2}")
EVERYTHING, TOPICS = "everything", "topics"


def _fields(cadence: str) -> tuple[str, str]:
    """Each cadence has its own: without scripts a page cannot change with what is ticked."""
    return f"{cadence}_day", f"{cadence}_hour"


FIELDS = frozenset(field for cadence in Cadence for field in _fields(cadence))  # of a chosen hour


@dataclass(frozen=True, slots=True)
class Choice:
    """One filled-in form; whatever was not accepted is empty."""

    what: str = ""  # `everything` or `topics`
    followed: tuple[str, ...] = ()  # tags
    muted: tuple[str, ...] = ()
    cadence: str = ""
    language: str = ""  # codes with a space between, preferred first; empty: any
    timezone: str = ""
    chosen: Chosen = NOTHING_CHOSEN

    @property
    def preferences(self) -> Preferences:
        """As the store keeps them."""
        everything = self.what == EVERYTHING
        languages = tuple(self.language.split())
        return settled(Preferences(self.followed, everything, self.muted, languages))

    def follows(self, topic: Topic) -> bool:
        """Its box is ticked."""
        return topic.key in map(fold, self.followed)

    def follows_any(self, topics: Iterable[Topic]) -> bool:
        """One of their boxes is ticked."""
        return any(map(self.follows, topics))

    def mutes(self, topic: Topic) -> bool:
        """Its box among the unwanted is ticked."""
        return topic.key in map(fold, self.muted)

    def fields(self) -> Iterable[tuple[str, str]]:
        """The same choice as the fields of a form."""
        yield "what", self.what
        yield from (("tag", tag) for tag in self.followed)
        yield from (("mute", tag) for tag in self.muted)
        yield "cadence", self.cadence
        yield "language", self.language
        yield "timezone", self.timezone
        day, hour = _fields(self.cadence)
        yield day, _written(self.chosen.day)
        yield hour, _written(self.chosen.hour)


def of(reader: Subscriber) -> Choice:
    """What a subscriber has chosen before."""
    wanted = reader.preferences
    return Choice(
        EVERYTHING if wanted.everything else TOPICS,
        wanted.tags,
        wanted.muted,
        reader.cadence.value,
        " ".join(wanted.languages),
        reader.timezone,
        reader.chosen,
    )


def read(visit: Visit, topics: Iterable[Topic], before: Choice | None = None) -> Choice:
    """What the form says; a tag that is ticked says `topics` where nothing else was said.

    What the form has no field for stays as it was `before`.
    """
    before = before or Choice()
    names = {topic.key: topic.name for topic in topics}
    unknown = {fold(tag) for tag in (*visit.texts("tag"), *visit.texts("mute"))} - names.keys()
    if unknown:  # of an undo: a tag that they had, and that no story has any more
        names |= visit.site.store.tags.named(unknown)
    followed = _offered(visit.texts("tag"), names)
    what = visit.text("what")
    cadence = _one_of(visit.text("cadence"), map(str, visit.site.config.schedule))
    return Choice(
        what=what if what in (EVERYTHING, TOPICS) else TOPICS if followed else "",
        followed=followed,
        muted=_offered(visit.texts("mute"), names),
        cadence=cadence,
        language=_languages(visit, before) if "language" in visit.form else before.language,
        timezone=_zone(visit) if "timezone" in visit.form else before.timezone,
        chosen=_chosen(visit, cadence, before),
    )


def mistakes(choice: Choice, tr: Translations) -> dict[str, str]:
    """Field -> what is wrong with it, in the words of its reader."""
    found = {}
    if not choice.what or (choice.what == TOPICS and not choice.preferences.tags):
        found["what"] = tr.gettext("Choose at least one topic, or “Everything”")
    if not choice.cadence:
        found["cadence"] = tr.gettext("Choose how often you want to hear from us")
    return found


def offered(site: Site, reader: Preferences | None = None) -> tuple[Topic, ...]:
    """The topics of the stories, and those that the reader has chosen before, the followed first:
    among sixty they would look for them."""
    topics = site.topics().tags
    if reader is None:
        return topics
    known = {topic.key for topic in topics}
    own = (Topic(fold(tag), tag, 0) for tag in (*reader.tags, *reader.muted))
    followed = {fold(tag) for tag in reader.tags}
    every = (*topics, *(topic for topic in own if topic.key not in known))
    return tuple(sorted(every, key=lambda topic: topic.key not in followed))


def mixed(site: Site, code: str) -> str:
    """Every language that there are stories in, that of a page first, as the form has it.

    So that who signs up on a Polish page is written to in Polish, and misses no story. Empty where
    it is the newsletter's own language, or none of the stories'.
    """
    known = site.topics().languages
    if code == site.config.newsletter.language or code not in known:
        return ""
    return " ".join((code, *(one for one in known if one != code)))


def spelled(site: Site, tags: Iterable[str]) -> tuple[str, ...]:
    """Tags of a reader as the stories spell them, like the boxes of the form."""
    names = {topic.key: topic.name for topic in site.topics().tags}
    return tuple(names.get(fold(tag), tag) for tag in tags)


def cadence_of(choice: Choice, site: Site) -> Cadence:
    """The chosen cadence; the newsletter's where none was chosen."""
    return Cadence(choice.cadence) if choice.cadence else site.config.cadence


def _languages(visit: Visit, before: Choice) -> str:
    """Several of them too: who has more than one, from a list or a command, keeps them."""
    site, wanted = visit.site, visit.text("language").split()
    known = {*site.topics().languages, *site.config.tags.languages, *before.language.split()}
    return " ".join(dict.fromkeys(wanted)) if known.issuperset(wanted) else ""


def _zone(visit: Visit) -> str:
    """Any that there is, `UTC` too, which is no place to choose."""
    return _one_of(visit.text("timezone"), available_timezones())


def _chosen(visit: Visit, cadence: str, before: Choice) -> Chosen:
    """The day and hour in the fields of the cadence; another one forgets what was chosen before."""
    day, hour = _fields(cadence)
    if cadence in choosable(visit.site.config) and hour in visit.form:
        read = Chosen(_number(visit.text(day)), _number(visit.text(hour)))
        return fitting(read, Cadence(cadence))
    return before.chosen if cadence == before.cadence else NOTHING_CHOSEN


def _written(number: int | None) -> str:
    return "" if number is None else str(number)


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _offered(tags: Iterable[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple({key: names[key] for key in map(fold, tags) if key in names}.values())


def _one_of(value: str, accepted: Iterable[str]) -> str:
    return value if value in set(accepted) else ""
