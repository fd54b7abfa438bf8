"""Complete RFC 5322 messages at the speed of a memory copy.

What an issue shares is encoded once (`Press`). An edition only points at it, so that thousands of
editions take no memory, and their fragments stay in the processor's cache. A message is a join of
these and of a reader's dozen values. Same input, same bytes: no clock, no random boundary.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from digest.composer import headers
from digest.composer.escape import html_value, html_values, text_value, text_values
from digest.composer.quoted_printable import encode
from digest.composer.reader import Reader
from digest.composer.splice import merge, parts
from digest.config import Newsletter
from digest.errors import ConfigError, DigestError
from digest.layout import Block, Compiled, Layout, Part, Slot
from digest.models import Issue
from digest.tokens import TOKEN_LENGTH, pause_url, unsubscribe_url

# SendGrid rewrites a longer List-Unsubscribe into encoded-words, and its button disappears.
LIST_UNSUBSCRIBE_BYTES = 77

_LIST_ID_BYTES = 255  # RFC 2919 3
_SENDER_CHARACTERS = 5, 15  # of the last part of Feedback-ID

# A reader's values come in this order: the header fields, then these in the text, then in the HTML.
_SLOTS = (
    Slot.SALUTATION,
    Slot.WHY,
    Slot.VIEW_URL,
    Slot.FEEDBACK_URL,
    Slot.PREFERENCES_URL,
    Slot.PAUSE_URL,
    Slot.UNSUBSCRIBE_URL,
)
_HEADER = 0
_IN_TEXT = {slot: 1 + place for place, slot in enumerate(_SLOTS)}
_IN_HTML = {slot: 1 + len(_SLOTS) + place for place, slot in enumerate(_SLOTS)}

_HTML_SPECIAL = re.compile("[&<>\"']").search

_Piece = bytes | int  # bytes of the message, or which of the reader's values goes here


@dataclass(frozen=True, slots=True)
class EditionMessage:
    """One edition, ready but for the reader. `Press.edition` makes it.

    Or a notice, which is to one person and ready as it is: `notice_message` makes it.
    """

    compiled: Compiled
    stories: tuple[str, ...]
    more: tuple[str, ...]
    values: Mapping[Slot, str]  # of the edition's slots, plain
    domain: str  # right side of Message-ID
    pieces: tuple[bytes, ...]  # the message's bytes, empty where a reader's value goes
    places: tuple[tuple[int, int], ...]  # (which piece, which of the reader's values)
    feedback_id: str = ""  # names the issue to mailbox providers, never the reader
    bulk: bool = True  # False: a notice, which belongs to no list and cannot be unsubscribed from

    def message(self, reader: Reader) -> bytes:
        """The complete message for `reader`, lines ended by CRLF.

        DigestError when an address, the delivery id or a link cannot stand in a header.
        """
        values = _reader_values(reader, self.domain) if self.places else ()
        pieces = list(self.pieces)
        for piece, value in self.places:
            pieces[piece] = values[value]
        return b"".join(pieces)

    def html(self, reader: Reader) -> str:
        """The HTML part as the reader's mail program will decode it."""
        values = html_values({**self.values, **reader.values()})
        return merge(self.compiled.html, self.stories, self.more, values)

    def text(self, reader: Reader) -> str:
        """The plain text part as the reader's mail program will decode it."""
        values = text_values({**self.values, **reader.values()})
        return merge(self.compiled.text, self.stories, self.more, values)


class Press:
    """One issue in one language: headers written and fragments encoded once, for all editions."""

    def __init__(self, compiled: Compiled, newsletter: Newsletter, issue: Issue) -> None:
        """ConfigError when `newsletter.base_url` is too long for List-Unsubscribe."""
        _check_base_url(newsletter.base_url)
        self._compiled = Compiled(
            compiled.language, _ends_a_line(compiled.html), _ends_a_line(compiled.text)
        )
        self._boundary = _boundary(issue.id, compiled.language)
        sender = headers.wire_address(newsletter.sender)
        self._domain = sender.rpartition("@")[2]
        name = newsletter.sender_name or newsletter.name
        self._from = headers.mailbox_field("From", name, sender)
        self._feedback_id = _feedback_id(newsletter, issue, compiled.language)
        self._date = issue.date
        self._fixed = _fixed_fields(
            newsletter, compiled.language, self._boundary, self._feedback_id
        )
        self._encoded: dict[str, bytes] = {}  # literal of a layout -> its quoted-printable segment

    def edition(
        self,
        stories: Sequence[str],
        more: Sequence[str],
        *,
        subject: str,
        preheader: str,
        intro: str,
        date: datetime | None = None,
    ) -> EditionMessage:
        """The message of these stories, in this order; `more` are listed by title only.

        Its Date is the issue's, unless another is given.
        """
        values = {Slot.SUBJECT: subject, Slot.PREHEADER: preheader, Slot.INTRO: intro}
        dated = headers.field("Date", headers.date(date or self._date))
        pieces = tuple(self._pieces(stories, more, values, dated))
        return EditionMessage(
            compiled=self._compiled,
            stories=tuple(stories),
            more=tuple(more),
            values=values,
            domain=self._domain,
            pieces=tuple(piece if isinstance(piece, bytes) else b"" for piece in pieces),
            places=tuple((n, piece) for n, piece in enumerate(pieces) if isinstance(piece, int)),
            feedback_id=self._feedback_id,
        )

    def _pieces(
        self, stories: Sequence[str], more: Sequence[str], values: Mapping[Slot, str], date: bytes
    ) -> Iterator[_Piece]:
        yield self._from
        yield _HEADER
        yield headers.text_field("Subject", values[Slot.SUBJECT]) + date + self._fixed + b"\r\n"
        yield _part_header(self._boundary, "plain")
        text = text_values(values)
        for part in parts(self._compiled.text, stories, more):
            yield self._piece(part, text, _IN_TEXT)
        yield b"\r\n" + _part_header(self._boundary, "html")
        html = html_values(values)
        for part in parts(self._compiled.html, stories, more):
            yield self._piece(part, html, _IN_HTML)
        yield f"\r\n--{self._boundary}--\r\n".encode()

    def _piece(self, part: Part, values: Mapping[Slot, str], readers: Mapping[Slot, int]) -> _Piece:
        if isinstance(part, Slot):
            return readers[part] if part in readers else encode(values[part])
        if (encoded := self._encoded.get(part)) is None:
            encoded = self._encoded[part] = encode(part)
        return encoded


def _reader_values(reader: Reader, domain: str) -> tuple[bytes, ...]:
    """What goes into the places of an edition: `_HEADER`, then `_IN_TEXT`, then `_IN_HTML`."""
    unsubscribe = headers.link(reader.unsubscribe_url)
    if len(unsubscribe) > LIST_UNSUBSCRIBE_BYTES - 2:
        raise DigestError("a List-Unsubscribe link is too long", hint="shorten newsletter.base_url")
    header = (
        headers.mailbox_field("To", reader.name, reader.recipient)
        + f"Message-ID: <{headers.token(reader.delivery)}@{domain}>\r\n"
        f"List-Unsubscribe: <{unsubscribe}>\r\n".encode()
    )
    links = [
        reader.view_url,
        reader.feedback_url,
        reader.preferences_url,
        pause_url(reader.preferences_url),
        unsubscribe,
    ]
    in_text = [encode(link) for link in links]
    in_html = in_text
    if any(map(_HTML_SPECIAL, links)):
        in_html = [encode(html_value(Slot.UNSUBSCRIBE_URL, link)) for link in links]
    return (
        header,
        _text_code(Slot.SALUTATION, reader.salutation),
        _text_code(Slot.WHY, reader.why),
        *in_text,
        _html_code(Slot.SALUTATION, reader.salutation),
        _html_code(Slot.WHY, reader.why),
        *in_html,
    )


# All who follow the same tags read the same line about them, and many readers are called Anna.
@lru_cache(maxsize=8192)
def _text_code(slot: Slot, text: str) -> bytes:
    return encode(text_value(slot, text))


@lru_cache(maxsize=8192)
def _html_code(slot: Slot, text: str) -> bytes:
    return encode(html_value(slot, text))


def _fixed_fields(newsletter: Newsletter, language: str, boundary: str, feedback_id: str) -> bytes:
    """The header fields that every message of an issue shares, after its Date."""
    reply_to = newsletter.reply_to and headers.wire_address(newsletter.reply_to)
    fields = {
        "Reply-To": reply_to,
        "List-Id": _list_id(newsletter),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": feedback_id,
        # keep out-of-office replies away; Auto-Submitted is for mail that answers something
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": language,
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    return b"".join(headers.field(name, value) for name, value in fields.items() if value)


def _feedback_id(newsletter: Newsletter, issue: Issue, language: str) -> str:
    """By which Gmail counts complaints: issue, language, product, sender; it reads from the right.

    The sender has to be of 5 to 15 characters, and always the same.
    """
    sender = newsletter.list_id.partition(".")[0]
    if not _SENDER_CHARACTERS[0] <= len(sender) <= _SENDER_CHARACTERS[1]:
        sender = f"{sender[:8]}-{blake2b(newsletter.list_id.encode(), digest_size=3).hexdigest()}"
    return f"{issue.id}:{language}:digest:{sender}"


def _list_id(newsletter: Newsletter) -> str:
    """`Name <id>`, or the id alone when the name would take it over the limit."""
    name = headers.phrase(newsletter.name, indent=len("List-Id: "))
    named = f"{name} <{newsletter.list_id}>".lstrip()
    return named if len(named) <= _LIST_ID_BYTES else f"<{newsletter.list_id}>"


def _part_header(boundary: str, kind: str) -> bytes:
    return (
        f"--{boundary}\r\n"
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
    ).encode()


def _boundary(issue_id: str, language: str) -> str:
    """The same for all messages of an issue; quoted-printable never holds `=_` (RFC 2045 6.7)."""
    return "=_" + blake2b(f"{issue_id}\0{language}".encode(), digest_size=12).hexdigest()


def _ends_a_line(layout: Layout) -> Layout:
    """The layout with a line break at its end, as a MIME part of text has."""
    *before, last = layout.parts
    if isinstance(last, Slot | Block):
        return Layout((*layout.parts, "\n"))
    return Layout((*before, last if last.endswith("\n") else last + "\n"))


def _check_base_url(base_url: str) -> None:
    url = headers.link(unsubscribe_url(base_url, "x" * TOKEN_LENGTH))
    if (over := len(url) + 2 - LIST_UNSUBSCRIBE_BYTES) > 0:
        raise ConfigError(
            f"newsletter.base_url: {base_url!r} is {over} characters too long: unsubscribe links "
            f"must fit {LIST_UNSUBSCRIBE_BYTES} bytes, or mail programs show no unsubscribe button"
        )
