"""A template after compilation: literal text, slots to fill, and blocks with a fragment per story.

The renderer makes one `Layout` for the HTML and one for the plain text of each language of an
issue; the composer measures, encodes and splices them. No rendering happens after this point.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Slot(StrEnum):
    """A value that is not known when the template is compiled. The value is its template name."""

    # the same for every reader of an edition
    SUBJECT = "subject"
    PREHEADER = "preheader"
    INTRO = "intro"  # "3 stories for you this week, about 24 minutes of reading."
    # different for every reader
    SALUTATION = "salutation"  # "Hi Ana," or "Hi,"
    WHY = "why"  # "You get this because you follow #ai and #python, weekly."
    VIEW_URL = "view_url"
    FEEDBACK_URL = "feedback_url"
    PREFERENCES_URL = "preferences_url"
    PAUSE_URL = "pause_url"
    UNSUBSCRIBE_URL = "unsubscribe_url"


EDITION_SLOTS = frozenset({Slot.SUBJECT, Slot.PREHEADER, Slot.INTRO})
READER_SLOTS = frozenset(Slot) - EDITION_SLOTS

Part = str | Slot  # literal text, or a slot


class BlockName(StrEnum):
    """The three places where stories repeat."""

    CONTENTS = "contents"  # the list at the top; shown from two stories on
    STORIES = "stories"  # the cards; always shown
    MORE = "more"  # titles that fell over a cap; shown when there are any


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the message that repeats per story; hidden as a whole when it has no items."""

    name: BlockName
    before: tuple[Part, ...]
    items: Mapping[str, tuple[Part, ...]]  # story id -> its fragment
    after: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """One part (HTML or text) of one language, in order."""

    parts: tuple[Part | Block, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """All that is needed to compose any edition of an issue in one language."""

    language: str
    html: Layout
    text: Layout
