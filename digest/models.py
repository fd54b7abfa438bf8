"""The nouns of `docs/glossary.md`, frozen. No behaviour beyond what a noun is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # the post is left out, and a real send is blocked
    WARNING = "warning"  # shown in plans and checks; nothing is left out
    INFO = "info"  # a hint, shown with -v


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem at one place. `str()` gives `file:line: key: message`."""

    path: str
    line: int  # 1-based; 0 when the problem is the whole file
    check: str  # stable id, like `front-matter/date`
    severity: Severity
    message: str  # what is wrong, with the value seen
    key: str = ""  # front matter key, config key or column
    fix: str = ""  # what would be accepted

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        key = f"{self.key}: " if self.key else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{place}: {key}{self.message}{fix}"


class Cadence(StrEnum):
    """How often a subscriber wants the newsletter."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Chosen:
    """When a reader wants their issues; None: as the newsletter has it."""

    day: int | None = None  # weekly: 0 is Monday; monthly: 1 to 28; daily: there is none
    hour: int | None = None  # 0 to 23


NOTHING_CHOSEN = Chosen()


@dataclass(frozen=True, slots=True)
class Due:
    """When a cadence is due, in local time: every day, one weekday, or one day of the month."""

    hour: int
    minute: int
    weekday: int | None = None  # 0 is Monday
    day: int | None = None  # 1 to 28


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open `[start, end)` of time that an issue covers; both are aware."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Story:
    """One item inside a post: what a reader sees as a card.

    Texts are inline Markdown as the author wrote it, whitespace collapsed to single spaces;
    the renderer makes safe HTML and plain text of them.
    """

    id: str  # stable: post id, or `<post id>#<heading slug>` when the post has several stories
    post: str  # path of the Markdown file, relative to the project, with forward slashes
    post_title: str
    title: str
    tldr: str
    takeaways: tuple[str, ...]
    tradeoffs: tuple[str, ...]
    why: str  # "Why do I care", may be empty
    link: str  # canonical link of the original; empty when the post names none
    url: str  # our own page of the post; empty when the config gives no `content.url`
    published: datetime  # aware; a bare date is that local day's start
    language: str  # primary subtag, like `en`
    tags: tuple[str, ...]  # topics only, in their canonical spelling, without `#`, as in the post
    markers: tuple[str, ...]  # metadata tags, like `generated`, `substack`, `en`
    generated: bool
    disclaimer: str  # the trailing provenance note of the post, plain text, may be empty
    pinned: bool
    draft: bool
    words: int  # of the whole story body, for the reading time
    line: int  # 1-based line of the story's heading in the file


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a subscriber or persona wants. Tags as typed; the selector folds them."""

    tags: tuple[str, ...] = ()
    everything: bool = False  # all tags; `muted` still applies
    muted: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()  # in order of preference; empty: any


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One reader."""

    id: int  # 64-bit, opaque, never derived from the address without a key
    email: str  # as typed, validated
    name: str
    preferences: Preferences
    cadence: Cadence
    timezone: str  # IANA name; empty: the newsletter's
    chosen: Chosen = NOTHING_CHOSEN


class State(StrEnum):
    """Whether a person is subscribed. Only the confirmed are ever due."""

    PENDING = "pending"  # asked for it, has not confirmed yet
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"  # left; stays so until they come back themselves


class SuppressionReason(StrEnum):
    """Why an address is never mailed."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"  # the mailbox does not exist
    COMPLAINED = "complained"  # reported us as spam
    MANUAL = "manual"  # the publisher's decision
    ERASED = "erased"  # asked to be forgotten


class Visibility(StrEnum):
    """Who may see an issue in the archive."""

    PUBLIC = "public"  # listed, in feeds and in the sitemap
    UNLISTED = "unlisted"  # whoever knows its address; search engines are asked not to
    HIDDEN = "hidden"  # nobody but its readers, each their own edition


class Reason(StrEnum):
    """Why a candidate is out of a selection. The value is what people read."""

    DRAFT = "draft"
    FUTURE = "future"
    BEFORE_WINDOW = "before the window"
    AFTER_WINDOW = "after the window"
    COVERED = "covered by an earlier issue"
    OTHER_LANGUAGE = "other language"
    MUTED = "muted"
    NO_TAG = "no tag matched"
    SAME_LINK = "same link as"
    TRANSLATION = "translation of"
    OVER_CAP = "over the cap"


@dataclass(frozen=True, slots=True)
class Pick:
    """A story that is in, and the canonical tags that brought it in (empty: everything)."""

    story: Story
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Omission:
    """A story that is out, and why. `detail` names the other story, the muted tag or the cap."""

    story: Story
    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.value} {self.detail}".rstrip()


@dataclass(frozen=True, slots=True)
class Selection:
    """What one set of preferences gets: every candidate is in `picks` or in `omissions`.

    `more` are stories that fell over a cap and are listed by title; they are omissions as well.
    """

    picks: tuple[Pick, ...]
    omissions: tuple[Omission, ...]
    more: tuple[Story, ...] = ()


@dataclass(frozen=True, slots=True)
class Edition:
    """One distinct content of an issue: ordered stories and a language, shared by many readers."""

    id: str  # 8 hex digits of the content hash
    language: str
    stories: tuple[Story, ...]
    more: tuple[Story, ...]
    readers: int
    html_bytes: int  # after merging, before transfer encoding


@dataclass(frozen=True, slots=True)
class Issue:
    """One dated number of the newsletter, for one cadence and window."""

    id: str  # `weekly-2026-11-19`
    cadence: Cadence
    window: Window
    date: datetime  # the moment it is due, aware; every Date header carries it


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen when an issue is sent; nothing in it is rendered yet."""

    issue: Issue
    editions: tuple[Edition, ...]  # most readers first, then id
    readers: int
    stories: tuple[Story, ...]  # candidates that are in at least one edition or would be
    omitted: tuple[Omission, ...]  # candidates out for everybody
    skipped: Mapping[str, int] = field(default_factory=dict)  # reason -> subscribers

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Bytes of HTML of the smallest, the median and the largest edition; zeros without any."""
        sizes = sorted(edition.html_bytes for edition in self.editions) or [0]
        return sizes[0], sizes[len(sizes) // 2], sizes[-1]
