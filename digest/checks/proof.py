"""What the checks of a message look at: one language of an issue, put together for them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from digest.checks.cascade import Colours
from digest.checks.markup import Document, Piece, Sources, Template, read
from digest.config import Newsletter
from digest.models import Edition, Story


@dataclass(frozen=True)
class Proof:
    """A message of one language with a story of every shape, and which template wrote what.

    Whatever a template does wrong shows here; editions are spliced from the same fragments.
    """

    language: str
    pieces: tuple[Piece, ...]  # of the HTML, in order
    text: str  # the plain text part
    message: bytes  # the whole, as it is handed over
    shell: Template  # digest.mjml
    text_shell: Template  # digest.txt
    reader: str  # address of the invented reader
    pages: Sequence[str]  # the reader's own links: preferences, pause, unsubscribe
    why: str  # why the reader gets it
    newsletter: Newsletter
    stories: Sequence[Story] = ()  # that are in it
    own_hosts: Sequence[str] = ()  # that pictures may come from, beside the sender's
    verdicts: Sequence[str] = ()  # what the readers' mail programs make of it, where it breaks

    def told(self, words: str) -> bool:
        """Whether a story says these words itself: posts are written about `{{ }}` and None too."""
        return any(
            words in text
            for story in self.stories
            for text in (story.title, story.tldr, *story.takeaways, *story.tradeoffs, story.why)
        )

    @cached_property
    def html(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @cached_property
    def document(self) -> Document:
        return read(self.html)

    @cached_property
    def light(self) -> Colours:
        return Colours(self.document)

    @cached_property
    def dark(self) -> Colours:
        return Colours(self.document, dark=True)

    @cached_property
    def sources(self) -> Sources:
        return Sources(self.pieces)

    @cached_property
    def shared(self) -> str:
        """What all readers of an edition have in common."""
        own = {*self.pages, self.reader}
        return "".join(piece.text for piece in self.pieces if piece.text not in own)


@dataclass(frozen=True, slots=True)
class Copy:
    """One edition and the words that its stories make."""

    edition: Edition
    subject: str
    preheader: str

    @property
    def words(self) -> int:
        """Of the cards, about: titles, TLDRs and lists."""
        return sum(
            len(text.split())
            for story in self.edition.stories
            for text in (story.title, story.tldr, *story.takeaways, *story.tradeoffs)
        )


@dataclass(frozen=True, slots=True)
class Before:
    """The issue of the same cadence before, so far as it is known."""

    id: str
    readers: int
    subjects: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settings:
    """digest.toml as checks name it."""

    path: str = "digest.toml"
    lines: Mapping[str, int] = field(default_factory=dict)  # dotted key -> line

    def line(self, key: str) -> int:
        return self.lines.get(key, 0)
