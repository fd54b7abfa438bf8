"""Request bodies for `POST /v3/mail/send`: an edition once, and what differs for each reader.

The edition's HTML and text are merged and escaped once, with a tag where a reader's value goes, and
SendGrid puts the values in. Words need two tags, one for HTML and one for text, because SendGrid
escapes nothing. The JSON of a reader is one `%`; the official objects take ten times as long.
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
from digest.composer.headers import clean, link, phrase, token, wire_address
from digest.composer.message import LIST_UNSUBSCRIBE_BYTES
from digest.config import Newsletter
from digest.errors import ConfigError, DigestError
from digest.layout import READER_SLOTS, Slot
from digest.tokens import pause_url

# Both come back in every event; the prefix keeps off SendGrid's own names.
DELIVERY_ARGUMENT = "dg_did"
PLACE_ARGUMENT = (
    "dg_row"  # issue and row in the ledger, where events then find the delivery at once
)

# SendGrid sends text that fits into Latin-1 as Latin-1, and Gmail then clips it, however short
# (sendgrid-nodejs#1231). One invisible character beyond it keeps a part in UTF-8.
INVISIBLE = "\u200c"
_BEYOND_LATIN1 = re.compile("[\u0100-\ud7ff\ue000-\U0010ffff]").search

_PERSONALIZATION_BYTES = 10_000  # the limit of its substitutions, on the safe side
_ADDRESS_CHARACTERS = 320
_HEADER_BYTES = LIST_UNSUBSCRIBE_BYTES  # SendGrid mangles any longer value of a header
_DELIVERY_ID = 20  # characters

# A delivery id with its place, and four links, that are the same in JSON, HTML and text (no quotes,
# `&`, `<`, `>`, `\`), the first link short enough for a header. One match: matching takes the time.
_LINK = r"https?://[!#-%(-;=?-\[\]-~]+"
_LINK_BYTES = LIST_UNSUBSCRIBE_BYTES - len("<>")
_PLAIN = re.compile(
    rf"[A-Za-z0-9._-]+ (?=\S{{1,{_LINK_BYTES}}} ){_LINK}(?: {_LINK}){{3}}"
).fullmatch
_SEPARATES_NAMES = re.compile("[;,]")  # SendGrid takes neither in a name

_TRACKING_OFF: Mapping[str, object] = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
# Filled with address, name, delivery, link, delivery, place. `%.0b` takes a value, prints nothing.
_ENVELOPE = (
    b'{"to":[{"email":"%%b"%%b}],"headers":{%b"List-Unsubscribe":"<%%b>",'
    b'"List-Unsubscribe-Post":"List-Unsubscribe=One-Click"},'
    b'"custom_args":{"' + DELIVERY_ARGUMENT.encode() + b'":"%%b"%%b}'
)
_PLACE = b',"' + PLACE_ARGUMENT.encode() + b'":"%b"'
_NOTICE_ENVELOPE = (
    b'{"to":[{"email":"%%b"}],"headers":{%b"Auto-Submitted":"auto-generated"},'
    b'"custom_args":{"' + DELIVERY_ARGUMENT.encode() + b'":"%%b"}}'
)
_NO_MESSAGE_ID = b"%.0b"


# One reader's part of a request: delivery id, address by its identity, JSON. A plain tuple, because
# making a named one takes as long as matching the address.
Letter = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """Readers of one content; any part of them makes a request as well."""

    letters: tuple[Letter, ...]
    rest: bytes  # the JSON after the personalizations

    def body(self) -> bytes:
        first, *others = [personalization for _, _, personalization in self.letters]
        pieces = [b'{"personalizations":[' + first, *others]
        pieces[-1] += self.rest
        return b",".join(pieces)


@dataclass(frozen=True, slots=True)
class Unwritable:
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
        message_id = _message_id(sender.rpartition("@")[2])
        self.envelope = _ENVELOPE % message_id
        self.notice_envelope = _NOTICE_ENVELOPE % message_id

    def rest(self, edition: EditionMessage, html: str, text: str) -> bytes:
        """The JSON that follows the personalizations."""
        bulk = {"List-Id": self._list_id, "Precedence": "bulk"} if edition.bulk else {}
        if edition.feedback_id:
            bulk["Feedback-ID"] = edition.feedback_id
        fields = {
            **self._shared,
            "subject": clean(edition.values[Slot.SUBJECT]) or self._title,
            "headers": {
                **bulk,
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


class Form:
    """One edition, ready to be filled in."""

    def __init__(self, stationery: Stationery, edition: EditionMessage) -> None:
        self._stationery, self._edition = stationery, edition
        tags = _tags(_mark(edition))
        html, text = _merged(edition, _as_html(tags), _as_text(tags))
        self._rest = stationery.rest(edition, html, text)
        pairs = b",".join(b'"%b":"%%b"' % tag.encode() for tag in tags)
        self._pattern = stationery.envelope + b',"substitutions":{' + pairs + b"}}"

    def requests(self, readers: Iterable[Reader], most: int) -> Iterator[Request | Unwritable]:
        """Everybody once, up to `most` in a request, and no address twice in one of them.

        SendGrid refuses a request as a whole when an address occurs in it twice.
        """
        while readers:
            again: list[Reader] = []
            letters: dict[str, Letter] = {}
            for reader in readers:
                written = self._write(reader)
                if not isinstance(written, tuple):
                    yield written
                elif written[1] in letters:
                    again.append(reader)
                else:
                    letters[written[1]] = written
                if len(letters) == most:
                    yield Request(tuple(letters.values()), self._rest)
                    letters = {}
            if letters:
                yield Request(tuple(letters.values()), self._rest)
            readers = again

    def _write(self, reader: Reader) -> Letter | Request | Unwritable:
        try:
            recipient = _recipient(reader)
            if not self._edition.bulk:
                return self._notice(reader, recipient)
            links = f"{reader.preferences_url} {reader.view_url} {reader.feedback_url}"
            if not _PLAIN(f"{reader.delivery}{reader.place} {reader.unsubscribe_url} {links}"):
                return self._alone(reader, recipient)
            delivery, unsubscribe = reader.delivery.encode(), reader.unsubscribe_url.encode()
            filled = self._pattern % (
                recipient.encode(),
                _name_json(reader.name),
                delivery,
                unsubscribe,
                delivery,
                _PLACE % reader.place.encode() if reader.place else b"",
                *_words(reader.salutation, reader.why),
                reader.preferences_url.encode(),
                unsubscribe,
                reader.view_url.encode(),
                reader.feedback_url.encode(),
            )
            if len(filled) > _PERSONALIZATION_BYTES:
                return self._alone(reader, recipient)
        except DigestError as error:
            return Unwritable(reader.delivery, str(error))
        return reader.delivery, identity(recipient), filled

    def _alone(self, reader: Reader, recipient: str) -> Request:
        """A request of the reader's own, where substitutions cannot hold the values.

        DigestError when the id or the link cannot stand in a header.
        """
        delivery = token(reader.delivery).encode()
        unsubscribe = link(reader.unsubscribe_url)
        if len(unsubscribe) > _LINK_BYTES:
            raise DigestError("a List-Unsubscribe link is too long")
        names = recipient.encode(), _name_json(reader.name)
        place = _PLACE % token(reader.place).encode() if reader.place else b""
        values = (*names, delivery, unsubscribe.encode(), delivery, place)
        envelope = self._stationery.envelope % values
        letter = reader.delivery, identity(recipient), envelope + b"}"
        edition = self._edition
        rest = self._stationery.rest(edition, edition.html(reader), edition.text(reader))
        return Request((letter,), rest)

    def _notice(self, reader: Reader, recipient: str) -> Request:
        """The request of a notice: its words are all there, and no list is named."""
        delivery = token(reader.delivery).encode()
        filled = self._stationery.notice_envelope % (recipient.encode(), delivery, delivery)
        return Request(((reader.delivery, identity(recipient), filled),), self._rest)


class _Tags(NamedTuple):
    """Where the values go. None is a part of another."""

    html_salutation: str
    html_why: str
    text_salutation: str
    text_why: str
    preferences: str  # links that need no escaping stand in HTML as they do in text
    unsubscribe: str
    view: str
    feedback: str


def _tags(mark: str) -> _Tags:
    return _Tags._make(f"-{mark}{n}-" for n in range(len(_Tags._fields)))


def _as_html(tags: _Tags) -> dict[Slot, str]:
    return _links(tags) | {Slot.SALUTATION: tags.html_salutation, Slot.WHY: tags.html_why}


def _as_text(tags: _Tags) -> dict[Slot, str]:
    return _links(tags) | {Slot.SALUTATION: tags.text_salutation, Slot.WHY: tags.text_why}


def _links(tags: _Tags) -> dict[Slot, str]:
    return {
        Slot.PREFERENCES_URL: tags.preferences,
        Slot.PAUSE_URL: pause_url(tags.preferences),
        Slot.UNSUBSCRIBE_URL: tags.unsubscribe,
        Slot.VIEW_URL: tags.view,
        Slot.FEEDBACK_URL: tags.feedback,
    }


def _merged(
    edition: EditionMessage, for_html: Mapping[Slot, str], for_text: Mapping[Slot, str]
) -> tuple[str, str]:
    """HTML and text of the edition, with these in the place of a reader's values."""
    html, text = edition.compiled.html, edition.compiled.text
    stories, more = edition.stories, edition.more
    return (
        merge(html, stories, more, {**html_values(edition.values), **for_html}),
        merge(text, stories, more, {**text_values(edition.values), **for_text}),
    )


def _mark(edition: EditionMessage) -> str:
    """What makes a tag a tag: random, so that no post and no reader's name can hold it."""
    nothing = dict.fromkeys(READER_SLOTS, "")
    content = "".join((*_merged(edition, nothing, nothing), edition.values[Slot.SUBJECT]))
    mark = secrets.token_hex(6)
    while mark in content:
        mark = secrets.token_hex(6)
    return mark


def _message_id(domain: str) -> bytes:
    """The same as by every provider: two messages for one delivery can be told as one."""
    if len(domain) + _DELIVERY_ID + len("<@>") > _HEADER_BYTES:
        return _NO_MESSAGE_ID
    return b'"Message-ID":"<%%b@%b>",' % domain.encode()


# All who follow the same tags read the same line about them, and many readers are called Anna.
@lru_cache(maxsize=8192)
def _words(salutation: str, why: str) -> tuple[bytes, bytes, bytes, bytes]:
    """For HTML and for text."""
    words = {Slot.SALUTATION: salutation, Slot.WHY: why}
    html, text = html_values(words), text_values(words)
    return (
        _json(html[Slot.SALUTATION]),
        _json(html[Slot.WHY]),
        _json(text[Slot.SALUTATION]),
        _json(text[Slot.WHY]),
    )


def _json(text: str) -> bytes:
    """The text inside a JSON string, without the quotes."""
    return encode_basestring(text)[1:-1].encode("utf-8", "replace")


@lru_cache(maxsize=8192)
def _name_json(name: str) -> bytes:
    shown = _name(name)
    return b',"name":"%b"' % _json(shown) if shown else b""


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
