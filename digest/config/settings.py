"""What the configuration holds: frozen, absolute paths, nothing left to look up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.config.archive import ArchiveConfig
from digest.config.cadence import CadenceConfig
from digest.config.stats import StatsConfig
from digest.config.web import WebConfig
from digest.models import Cadence, Preferences

# The bold labels that fill a story, by role. Compared without case, colon and inner space runs.
LABELS: Mapping[str, tuple[str, ...]] = {
    "tldr": ("TLDR", "TL;DR", "W skrócie"),
    "summary": ("Summary", "In-depth summary", "Podsumowanie", "Streszczenie"),
    "takeaways": ("Key takeaways", "Takeaways", "Kluczowe wnioski", "Główne wnioski", "Wnioski"),
    "tradeoffs": (
        "Tradeoffs",
        "Trade-offs",
        "Tradeoffs and considerations",
        "Kompromisy",
        "Wady i zalety",
    ),
    "why": (
        "Why do I care",
        "Why I care",
        "Dlaczego mnie to obchodzi",
        "Dlaczego mnie to interesuje",
    ),
    "link": ("Link", "Links", "Linki", "Odnośnik"),
    "disclaimer": ("Disclaimer", "Zastrzeżenie"),
}


@dataclass(frozen=True, slots=True)
class Newsletter:
    """Who writes, from where, and where the reader's pages are."""

    name: str
    sender: str  # address in From
    sender_name: str  # display name in From; the newsletter's name by default
    reply_to: str  # may be empty
    postal_address: str
    base_url: str  # https://news.example.com, no trailing slash: preference and unsubscribe pages
    list_id: str  # platform-weekly.example.com
    language: str  # primary subtag; also the language of posts that name none
    timezone: ZoneInfo


@dataclass(frozen=True, slots=True)
class ContentConfig:
    """Where posts are and how to read them."""

    folder: Path  # absolute
    url: str  # page of a post: `https://blog.example.com/{slug}/`; {slug} {path} {stem} {language}
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(LABELS))
    cache: bool = True
    split_words: bool = False  # `tags: a b c` without `#` or comma is three tags, not one


@dataclass(frozen=True, slots=True)
class TagConfig:
    """What hashtags mean beyond their spelling."""

    aliases: Mapping[str, str] = field(default_factory=dict)  # k8s -> kubernetes
    markers: tuple[str, ...] = (
        "generated",
        "substack",
        "dailydev",
    )  # metadata, never shown as a topic
    languages: tuple[str, ...] = ("en", "pl")  # a tag that says the language of the post


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one edition holds. Gmail clips at 102 kB of decoded HTML."""

    max_stories: int = 12
    max_html_bytes: int = 100_000


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no repr, log or traceback may show."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendgridConfig:
    """How requests to SendGrid are made; its key comes from the environment alone."""

    region: str = "global"  # or "eu"
    subuser: str = ""  # on whose behalf; empty: the key's own account
    personalizations: int = 250  # readers of one request, all unknown when it gets no answer
    connections: int = 4
    sandbox: bool = False  # requests are checked, and nothing is sent
    host: str = ""  # another https://host than SendGrid's
    webhook_keys: tuple[str, ...] = ()  # public keys of its Event Webhooks; empty: refuse all


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    STARTTLS = "starttls"  # before anything is said that matters, and never given up
    TLS = "tls"  # from the first byte
    NONE = "none"  # this machine only, unless the file says `insecure`


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """How the mail server is reached; its password comes from the environment alone."""

    host: str = ""
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""  # empty: the server asks for none
    ca_file: Path | None = None  # what to trust instead of the system's authorities
    connections: int = 4
    messages_per_connection: int = 100
    return_path: str = ""  # where bounces go; empty: the newsletter's sender
    verp: bool = False  # `bounces+<delivery id>@…`, so that a bounce says whose it is
    dkim_selector: str = ""  # empty: the server signs
    dkim_domain: str = ""  # empty: the domain of the newsletter's sender
    dkim_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Restraint:
    """How fast the sender is, how often it tries again, and when it stops by itself."""

    rate: int = 0  # messages a second; 0: as fast as the provider takes them
    attempts: int = 5  # for a delivery that is refused for now
    retry_after: int = 60  # seconds before the second attempt; four times as long every time
    stop_after: int = 50  # answers in a row that take nothing
    stop_percent: int = 30  # not taken of the last 200


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a run needs to know, absolute paths, nothing left to look up."""

    path: Path  # of digest.toml
    root: Path  # its folder
    newsletter: Newsletter
    content: ContentConfig
    tags: TagConfig
    limits: Limits
    schedule: Mapping[Cadence, CadenceConfig]  # never empty
    cadence: Cadence  # the one that `plan` and `send` take when none is named
    subscribers: Path  # a CSV file or a folder of them
    database: str  # `postgresql://…`; empty: SQLite beside digest.toml
    templates: Path  # the project's own; may not exist
    personas: Mapping[str, Preferences]
    provider: str
    outbox: Path
    sendgrid: SendgridConfig = field(default_factory=SendgridConfig)
    restraint: Restraint = field(default_factory=Restraint)
    workers: bool = False  # issues are left to `digest worker`, on any number of machines
    smtp: SmtpConfig = field(default_factory=SmtpConfig)
    editors: tuple[str, ...] = ()  # who approves issues
    web: WebConfig = field(default_factory=WebConfig)
    archive: ArchiveConfig = field(default_factory=ArchiveConfig)
    stats: StatsConfig = field(default_factory=StatsConfig)
