"""Request bodies for `POST /v3/mail/send`: an edition once, and what differs for each reader.

The edition's HTML and text are merged and escaped once, with a tag where a reader's value goes, and
SendGrid puts the values in. A value needs two tags, one for HTML and one for text, because SendGrid
escapes nothing. The JSON of a reader is two `%`; the official objects take 45 µs for it.
"""

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring
from typing import NamedTuple

from digest.addresses import identity
from digest.composer import EditionMessage, Reader, html_values, merge, text_values
from digest.composer.escape import html_value, text_value
from digest.composer.headers import clean, link, phrase, token, wire_address
from digest.composer.message import LIST_UNSUBSCRIBE_BYTES
from digest.config import Newsletter
from digest.errors import ConfigError, DigestError
from digest.layout import Slot
from digest.tokens import pause_url

DELIVERY_ARGUMENT = "dg_did"  # comes back in every event; the prefix keeps off SendGrid's own names

# SendGrid sends text that fits into Latin-1 as Latin-1, and Gmail then clips it, however short
# (sendgrid-nodejs#1231). One invisible character beyond it keeps a part in UTF-8.
INVISIBLE = "\u200c"
_BEYOND_LATIN1 = re.compile("[\u0100-\ud7ff\ue000-\U0010ffff]").search

_SUBSTITUTIONS_BYTES = 10_000  # of one personalization
_ADDRESS_CHARACTERS = 320
_HEADER_BYTES = LIST_UNSUBSCRIBE_BYTES  # SendGrid mangles any longer value of a header
_DELIVERY_ID = 20  # characters

# `_values` has these first as HTML, then as text.
_SLOTS = (
    Slot.SALUTATION,
    Slot.WHY,
    Slot.PREFERENCES_URL,
    Slot.PAUSE_URL,
    Slot.UNSUBSCRIBE_URL,
)

# A URL that is the same in JSON, HTML and text: printable ASCII without quotes, `&`, `<`, `>`, `\`.
_PLAIN_URL = re.compile(r"[!#-%(-;=?-\[\]-~]+").fullmatch
_SEPARATES_NAMES = re.compile("[;,]")  # SendGrid takes neither in a name

_TRACKING_OFF: Mapping[str, object] = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
_PERSONALIZATION = (
    b'{"to":[{"email":"%b"%b}],"headers":{%b"List-Unsubscribe":"<%b>",'
    b'"List-Unsubscribe-Post":"List-Unsubscribe=One-Click"},'
    b'"custom_args":{"' + DELIVERY_ARGUMENT.encode() + b'":"%b"}%b}'
)


class Letter(NamedTuple):
    """One reader's part of a request, as JSON."""

    delivery: str
    address: str  # by its identity
    personalization: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """Readers of one content; any part of them makes a request as well."""

    letters: tuple[Letter, ...]
    rest: bytes  # the JSON after the personalizations

    def body(self) -> bytes:
        middle = b",".join([letter.personalization for letter in self.letters])
        return b'{"personalizations":[' + middle + self.rest


class Unwritable(NamedTuple):
    """A reader whom SendGrid could not reach, whatever we send."""

    delivery: str
    reason: str


class Stationery:
    """What all requests of a newsletter share."""

    def __init__(self, newsletter: Newsletter, *, sandbox: bool) -> None:
        """ConfigError when SendGrid cannot send from the newsletter's address."""
        sender = _sender(newsletter.sender)
        shared: dict[str, object] = {
            "from": {"email": sender, "name": _name(newsletter.sender_name or newsletter.name)},
            "tracking_settings": _TRACKING_OFF,
        }
        if newsletter.reply_to:
            shared["reply_to"] = {"email": wire_address(newsletter.reply_to)}
        if sandbox:
            shared["mail_settings"] = {"sandbox_mode": {"enable": True}}
        self._shared, self._title = shared, newsletter.name
        self._list_id = _list_id(newsletter)
        self._domain = sender.rpartition("@")[2]
        self._own_message_id = len(self._domain) + _DELIVERY_ID + len("<@>") <= _HEADER_BYTES

    def rest(self, edition: EditionMessage, html: str, text: str) -> bytes:
        """The JSON that follows the personalizations."""
        fields = {
            **self._shared,
            "subject": clean(edition.values[Slot.SUBJECT]) or self._title,
            "headers": {
                "List-Id": self._list_id,
                "Precedence": "bulk",
                "X-Auto-Response-Suppress": "All",
                "Content-Language": edition.compiled.language,
            },
            "content": [
                {"type": "text/plain", "value": _not_latin1(text, "\n")},
                {"type": "text/html", "value": _not_latin1(html, "</body>")},
            ],
        }
        written = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return b"]," + written[1:].encode("utf-8", "replace")

    def personalization(self, reader: Reader, recipient: str, substitutions: bytes) -> bytes:
        """DigestError when the reader's id or link cannot stand in a header."""
        unsubscribe = link(reader.unsubscribe_url)
        if len(unsubscribe) > LIST_UNSUBSCRIBE_BYTES - 2:
            raise DigestError("a List-Unsubscribe link is too long")
        delivery = token(reader.delivery).encode()
        return _PERSONALIZATION % (
            recipient.encode(),
            _name_json(reader.name),
            self._message_id(delivery),
            unsubscribe.encode(),
            delivery,
            b',"substitutions":%b' % substitutions if substitutions else b"",
        )

    def _message_id(self, delivery: bytes) -> bytes:
        """The same as by every provider: two messages for one delivery can be told as one."""
        if not self._own_message_id:
            return b""
        return b'"Message-ID":"<%b@%b>",' % (delivery, self._domain.encode())


class Form:
    """One edition, ready to be filled in."""

    def __init__(self, stationery: Stationery, edition: EditionMessage) -> None:
        self._stationery, self._edition = stationery, edition
        html_tags, text_tags = _tags(_mark(edition))
        html, text = _merged(edition, html_tags, text_tags)
        self._rest = stationery.rest(edition, html, text)
        tags = [*html_tags.values(), *text_tags.values()]
        self._places = [n for n, tag in enumerate(tags) if tag in html or tag in text]
        pairs = b",".join(b'"%b":%%b' % tags[place].encode() for place in self._places)
        self._substitutions = b"{" + pairs + b"}" if pairs else b""

    def requests(self, readers: Iterable[Reader], most: int) -> Iterator[Request | Unwritable]:
        """Everybody once, up to `most` in a request, and no address twice in one of them.

        SendGrid refuses a request as a whole when an address occurs in it twice.
        """
        while readers:
            again: list[Reader] = []
            letters: dict[str, Letter] = {}
            for reader in readers:
                written = self._write(reader)
                if not isinstance(written, Letter):
                    yield written
                elif written.address in letters:
                    again.append(reader)
                else:
                    letters[written.address] = written
                if len(letters) == most:
                    yield Request(tuple(letters.values()), self._rest)
                    letters = {}
            if letters:
                yield Request(tuple(letters.values()), self._rest)
            readers = again

    def _write(self, reader: Reader) -> Letter | Request | Unwritable:
        """A request of the reader's own where the values are too long for substitutions."""
        try:
            recipient = _recipient(reader)
            values = _values(reader)
            filled = self._substitutions % tuple([values[place] for place in self._places])
            if fits := len(filled) <= _SUBSTITUTIONS_BYTES:
                written = self._stationery.personalization(reader, recipient, filled)
            else:
                written = self._stationery.personalization(reader, recipient, b"")
        except DigestError as error:
            return Unwritable(reader.delivery, str(error))
        letter = Letter(reader.delivery, identity(recipient), written)
        return letter if fits else self._alone(letter, reader)

    def _alone(self, letter: Letter, reader: Reader) -> Request:
        edition = self._edition
        rest = self._stationery.rest(edition, edition.html(reader), edition.text(reader))
        return Request((letter,), rest)


def _merged(
    edition: EditionMessage, html_tags: Mapping[Slot, str], text_tags: Mapping[Slot, str]
) -> tuple[str, str]:
    """HTML and text of the edition, these in place of a reader's values."""
    html, text = edition.compiled.html, edition.compiled.text
    stories, more = edition.stories, edition.more
    return (
        merge(html, stories, more, {**html_values(edition.values), **html_tags}),
        merge(text, stories, more, {**text_values(edition.values), **text_tags}),
    )


def _mark(edition: EditionMessage) -> str:
    """What makes a tag a tag: random, so that no post and no reader's name can hold it."""
    nothing = dict.fromkeys(_SLOTS, "")
    content = "".join((*_merged(edition, nothing, nothing), edition.values[Slot.SUBJECT]))
    mark = secrets.token_hex(6)
    while mark in content:
        mark = secrets.token_hex(6)
    return mark


def _tags(mark: str) -> tuple[dict[Slot, str], dict[Slot, str]]:
    """For HTML and for text. None is a part of another."""
    return (
        {slot: f"-{mark}h{n}-" for n, slot in enumerate(_SLOTS)},
        {slot: f"-{mark}t{n}-" for n, slot in enumerate(_SLOTS)},
    )


def _values(reader: Reader) -> tuple[bytes, ...]:
    """The reader's values as JSON: `_SLOTS` for HTML, then for text."""
    salutation, why = _salutation(reader.salutation), _why(reader.why)
    preferences, pause = _url(reader.preferences_url), _url(pause_url(reader.preferences_url))
    unsubscribe = _url(reader.unsubscribe_url)
    return (
        salutation[0],
        why[0],
        preferences[0],
        pause[0],
        unsubscribe[0],
        salutation[1],
        why[1],
        preferences[1],
        pause[1],
        unsubscribe[1],
    )


# Many readers are called Anna, and all who follow the same tags read the same line about them.
@lru_cache(maxsize=8192)
def _salutation(text: str) -> tuple[bytes, bytes]:
    return _both(Slot.SALUTATION, text)


@lru_cache(maxsize=8192)
def _why(text: str) -> tuple[bytes, bytes]:
    return _both(Slot.WHY, text)


def _url(url: str) -> tuple[bytes, bytes]:
    if _PLAIN_URL(url):
        written = b'"%b"' % url.encode()
        return written, written
    return _both(Slot.PREFERENCES_URL, url)


def _both(slot: Slot, text: str) -> tuple[bytes, bytes]:
    return _json(html_value(slot, text)), _json(text_value(slot, text))


def _json(text: str) -> bytes:
    return encode_basestring(text).encode("utf-8", "replace")


@lru_cache(maxsize=8192)
def _name_json(name: str) -> bytes:
    shown = _name(name)
    return b',"name":%b' % _json(shown) if shown else b""


def _name(name: str) -> str:
    return clean(_SEPARATES_NAMES.sub(" ", name))


def _recipient(reader: Reader) -> str:
    """DigestError for an address that SendGrid does not take."""
    recipient = reader.recipient
    if not recipient.isascii():
        raise DigestError("SendGrid takes no address with letters outside ASCII before the @")
    if len(recipient) > _ADDRESS_CHARACTERS:
        raise DigestError(f"an address is longer than {_ADDRESS_CHARACTERS} characters")
    return recipient


def _sender(address: str) -> str:
    try:
        sender = wire_address(address)
    except DigestError as error:
        raise ConfigError(f"newsletter.sender: {error}") from error
    if not sender.isascii():
        raise ConfigError("newsletter.sender: SendGrid takes ASCII alone before the @")
    return sender


def _list_id(newsletter: Newsletter) -> str:
    """The id with the newsletter's name, where that is ASCII and short."""
    named = f"{phrase(newsletter.name, indent=len('List-Id: '))} <{newsletter.list_id}>"
    plain = len(named) <= _HEADER_BYTES and "=?" not in named
    return named.lstrip() if plain else f"<{newsletter.list_id}>"


def _not_latin1(text: str, end: str) -> str:
    """The text, with an invisible character before the last `end` if it would fit into Latin-1."""
    if _BEYOND_LATIN1(text):
        return text
    before, found, after = text.rpartition(end)
    return f"{before}{INVISIBLE}{found}{after}" if found else f"{text}{INVISIBLE}"
