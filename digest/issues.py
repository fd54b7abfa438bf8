"""Plan an issue: its candidates compiled once, and the edition of every reader.

A `Draft` is one issue on the desk. It compiles the candidates once per language, remembers the
edition of each distinct selection, and streams subscribers through, so that its memory grows with
the editions and never with the readers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache, partial

from digest import clicks, wording
from digest.composer import (
    EditionMessage,
    Press,
    Reader,
    Sizes,
    delivery_id,
    edition_id,
    measure,
)
from digest.config import Config
from digest.content import Content
from digest.layout import Compiled, Slot
from digest.listing import UNLISTED, Listing
from digest.models import (
    Edition,
    Issue,
    Omission,
    Plan,
    Preferences,
    Selection,
    Story,
    Subscriber,
)
from digest.providers import Batch
from digest.readership import Readership
from digest.renderer import Renderer
from digest.selector import Caps, Selector
from digest.tokens import (
    Keys,
    Purpose,
    feedback_url,
    preferences_url,
    sign,
    unsubscribe_url,
    view_url,
)
from digest.translations import Translations, languages, translations

NOTHING_NEW = "nothing new for their tags"

BATCH = 250  # deliveries of one edition handed over together
WAITING = 5_000  # deliveries that wait for their batch to fill, in all


@dataclass(frozen=True, slots=True)
class Composition:
    """One edition as it was composed: what the plan tells of it, and its message."""

    edition: Edition  # readers: 0; a plan counts them
    message: EditionMessage


@dataclass(slots=True)
class _Language:
    """An issue in one language: its selector and its press."""

    translations: Translations
    selector: Selector
    press: Press
    sizes: Sizes
    links: Sequence[clicks.CountedLink]
    compositions: dict[tuple[tuple[str, ...], tuple[str, ...]], Composition] = field(
        default_factory=dict
    )


class Draft:
    """One issue before it is sent. Everything in it follows from its arguments alone."""

    def __init__(
        self,
        config: Config,
        content: Content,
        issue: Issue,
        keys: Keys,
        renderer: Renderer | None = None,
        listing: Listing = UNLISTED,
        *,
        counted: bool = False,
    ) -> None:
        """`renderer` is one that has rendered before; by default a new one.

        `counted`: links of the messages lead through our pages (`digest.clicks`).
        """
        self.config, self.content, self.issue, self.listing = config, content, issue, listing
        self.renderer = renderer or Renderer(config.templates, config)
        self.counted = counted
        self._keys = keys
        self._compiled: dict[str, Compiled] = {}  # by language, as the templates have it
        self._languages: dict[str, _Language] = {}
        self._first: dict[str, tuple[Composition, Subscriber]] = {}  # by edition, in a plan
        self._why = lru_cache(8192)(partial(wording.why, spelling=content.vocabulary.spelling))
        self._undressed = self._selector(None)

    @cached_property
    def uncounted(self) -> "Draft":
        """The same issue with links that lead straight to their targets, to be looked at."""
        if not self.counted:
            return self
        twin = Draft(self.config, self.content, self.issue, self._keys, self.renderer, self.listing)
        twin._compiled = self._compiled
        return twin

    def links(self, languages: Iterable[str]) -> tuple[clicks.CountedLink, ...]:
        """The counted links of all candidates in these languages."""
        codes = sorted(set(languages))
        return clicks.merged(link for code in codes for link in self._opened(code).links)

    def candidates(self) -> tuple[tuple[Story, ...], tuple[Omission, ...]]:
        """The stories of the window and before, and those that are out for everybody."""
        return self._undressed.candidates, tuple(self._undressed.outside)

    def place(self, covered: datetime | None) -> int:
        """A reader's mark among the stories; equal places give equal compositions."""
        return self._undressed.place(covered)

    def selection(self, preferences: Preferences, covered: datetime | None = None) -> Selection:
        """What `preferences` get of every story there is, and why."""
        return self._language(preferences).selector.explain(preferences, covered)

    def sizes(self, preferences: Preferences) -> Sizes:
        """What each story adds to an edition for `preferences`."""
        return self._language(preferences).sizes

    def composition(
        self, preferences: Preferences, covered: datetime | None = None
    ) -> Composition | None:
        """The edition for `preferences`, or None when it would be empty.

        Of stories listed at or after `covered`, the end of what the reader was sent last; of the
        window, where they were sent nothing yet.
        """
        spoken = self._language(preferences)
        chosen = spoken.selector.select(preferences, covered)
        if not chosen.picks:
            return None
        stories = tuple(pick.story.id for pick in chosen.picks)
        identity = (stories, tuple(story.id for story in chosen.more))
        if (known := spoken.compositions.get(identity)) is None:
            known = spoken.compositions[identity] = self._compose(spoken, chosen)
        return known

    def frozen(
        self,
        language: str,
        stories: Sequence[str],
        more: Sequence[str],
        *,
        before: str = "",
        date: datetime | None = None,
    ) -> EditionMessage:
        """The message of an edition that was planned before, by the ids of its stories.

        They are candidates of this issue still. `before` stands before the subject; `date` is that
        of the message, where it is not the issue's.
        """
        spoken = self._opened(language)
        known = {story.id: story for story in spoken.selector.candidates}
        chosen = [known[story] for story in stories]
        return self._message(spoken, chosen, more, before=before, date=date)

    def reader(self, subscriber: Subscriber, place: str = "") -> Reader:
        """What is different for `subscriber` alone. `place`: of the delivery in the ledger."""
        wanted, keys, issue = subscriber.preferences, self._keys, self.issue.id
        own, base = self._language(wanted).translations, self.config.newsletter.base_url
        token = sign(keys, Purpose.PREFERENCES, subscriber.id)
        leave = sign(keys, Purpose.UNSUBSCRIBE, subscriber.id)
        view = sign(keys, Purpose.VIEW, subscriber.id, context=issue)
        feedback = sign(keys, Purpose.FEEDBACK, subscriber.id, context=issue)
        return Reader(
            delivery=delivery_id(issue, subscriber.id),
            address=subscriber.email,
            name=subscriber.name,
            salutation=wording.salutation(subscriber.name, own),
            why=self._why(wanted, subscriber.cadence, own),
            preferences_url=preferences_url(base, token),
            unsubscribe_url=unsubscribe_url(base, leave),
            view_url=view_url(base, issue, view),
            feedback_url=feedback_url(base, issue, feedback),
            place=place,
        )

    def plan(self, readership: Readership) -> Plan:
        """Count who gets what; everybody is read once."""
        skipped: Counter[str] = Counter()
        readers: Counter[str] = Counter()
        for subscriber in readership.due(self.issue, skipped):
            composition = self.composition(subscriber.preferences)
            if composition is None:
                skipped[NOTHING_NEW] += 1
                continue
            identity = composition.edition.id
            readers[identity] += 1
            self._first.setdefault(identity, (composition, subscriber))
        counted = [replace(self._first[e][0].edition, readers=n) for e, n in readers.items()]
        selector = self._language(Preferences()).selector
        return Plan(
            issue=self.issue,
            editions=tuple(sorted(counted, key=lambda edition: (-edition.readers, edition.id))),
            readers=readers.total(),
            stories=selector.candidates,
            omitted=tuple(selector.outside),
            skipped=dict(sorted(skipped.items())),
        )

    def batches(self, readership: Readership) -> Iterator[Batch]:
        """Every delivery of the issue, grouped by edition as far as `WAITING` allows."""
        waiting: dict[str, list[Reader]] = {}
        messages: dict[str, EditionMessage] = {}
        held = 0
        for subscriber in readership.due(self.issue, Counter()):
            composition = self.composition(subscriber.preferences)
            if composition is None:
                continue
            edition = composition.edition.id
            messages[edition] = composition.message
            waiting.setdefault(edition, []).append(self.reader(subscriber))
            held += 1
            full = len(waiting[edition]) == BATCH
            for ready in [edition] if full else list(waiting) if held == WAITING else ():
                batch = Batch(self.issue.id, messages[ready], tuple(waiting.pop(ready)))
                held -= len(batch.readers)
                yield batch
        for edition, readers in waiting.items():
            yield Batch(self.issue.id, messages[edition], tuple(readers))

    def sample(self, edition: Edition) -> str:
        """The HTML of a planned edition, as its first reader (or nobody) gets it."""
        if edition.id in self._first:
            composition, subscriber = self._first[edition.id]
            return composition.message.html(self.reader(subscriber))
        stories, more = ([story.id for story in part] for part in (edition.stories, edition.more))
        return self.frozen(edition.language, stories, more).html(self._someone())

    def wishes(self, edition: Edition) -> Preferences:
        """What the first reader of a planned edition follows."""
        return self._first[edition.id][1].preferences

    def mjml(self, subscriber: Subscriber, covered: datetime | None = None) -> str:
        """The MJML source of the subscriber's digest, rendered the plain way, in one piece.

        For a subscriber who gets something: `composition` is not None.
        """
        spoken = self._language(subscriber.preferences)
        chosen = spoken.selector.select(subscriber.preferences, covered)
        stories = [pick.story for pick in chosen.picks]
        values = self._words(spoken, stories) | self.reader(subscriber).values()
        language = spoken.translations.code
        return self.renderer.whole(stories, chosen.more, self.issue, language, values)[0]

    def language(self, preferences: Preferences) -> str:
        """The language of the words around the stories: the reader's first, if we speak it."""
        known = (code for code in preferences.languages if code in languages())
        return next(known, self.config.newsletter.language)

    def _language(self, preferences: Preferences) -> _Language:
        return self._opened(self.language(preferences))

    def _opened(self, language: str) -> _Language:
        known = self._languages
        return known.get(language) or known.setdefault(language, self._open(language))

    def _open(self, language: str) -> _Language:
        """Compile the window's stories in one language, and weigh them for the byte cap."""
        candidates = self._undressed.candidates
        newsletter, links = self.config.newsletter, list[clicks.CountedLink]()
        if language not in self._compiled:
            self._compiled[language] = self.renderer.compile(candidates, self.issue, language)
        compiled = self._compiled[language]
        if self.counted:
            compiled, links = clicks.counting(compiled, newsletter.base_url, self.issue.id)
        press = Press(compiled, newsletter, self.issue)
        sizes = measure(compiled.html)
        return _Language(translations(language), self._selector(sizes.at_most), press, sizes, links)

    def _selector(self, weigh: Callable[..., int] | None) -> Selector:
        limits = self.config.limits
        return Selector(
            self.content.stories,
            self.issue.window,
            min(self.issue.date, self.issue.window.end),
            key=self.content.vocabulary.key,
            caps=Caps(limits.max_stories, limits.max_html_bytes, weigh),
            language=self.config.newsletter.language,
            listed=self.listing.of,
            reach=self.listing.reach,
        )

    def _compose(self, spoken: _Language, chosen: Selection) -> Composition:
        stories = tuple(pick.story for pick in chosen.picks)
        message = self._message(spoken, stories, [story.id for story in chosen.more])
        code, size = spoken.translations.code, len(message.html(self._someone()).encode())
        identity = edition_id(code, message.stories, message.more)
        return Composition(Edition(identity, code, stories, chosen.more, 0, size), message)

    def _message(
        self,
        spoken: _Language,
        stories: Sequence[Story],
        more: Sequence[str],
        *,
        before: str = "",
        date: datetime | None = None,
    ) -> EditionMessage:
        words = self._words(spoken, stories)
        return spoken.press.edition(
            [story.id for story in stories],
            more,
            subject=before + words[Slot.SUBJECT],
            preheader=words[Slot.PREHEADER],
            intro=words[Slot.INTRO],
            date=date,
        )

    def _words(self, spoken: _Language, stories: Sequence[Story]) -> dict[Slot, str]:
        """The sentences of an edition."""
        own = spoken.translations
        return {
            Slot.SUBJECT: wording.subject(stories, own),
            Slot.PREHEADER: wording.preheader(stories, own),
            Slot.INTRO: wording.intro(stories, self.issue.cadence, own),
        }

    def _someone(self) -> Reader:
        """A reader without a name, to weigh an edition with its slots filled."""
        nobody = Subscriber(0, "reader@example.com", "", Preferences(), self.issue.cadence, "")
        return self.reader(nobody)
