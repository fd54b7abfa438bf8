"""One mail to one person about something they (or somebody) asked for: composed and handed over.

Confirmations, fresh links, an address that changed, an issue that waits for its editor. It goes
through the configured provider and is in no ledger. The words are the caller's, in plain text.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from digest.composer import EditionMessage, Reader, notice_message
from digest.config import Config
from digest.errors import ProviderError
from digest.providers import Batch, Provider, Receipt, Refusal, connect
from digest.renderer import Renderer

BATCH = "notices"  # where the outbox puts them


@dataclass(frozen=True, slots=True)
class Button:
    """Where the notice leads: what the link says, and its address."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person is told. Plain text throughout; templates/notice.* lays it out."""

    to: str  # a normalised address
    language: str  # one of `translations.languages()`
    subject: str
    before: tuple[str, ...]  # paragraphs
    lines: tuple[str, ...] = ()  # a list of facts
    button: Button | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Postman:
    """Mails notices, each over a connection of its own; from any thread."""

    config: Config
    connect: Callable[[Config], Provider] = connect

    def post(self, notice: Notice, now: datetime) -> Receipt:
        """Hand it to the provider. ProviderError when it was not taken or nobody knows."""
        delivery = f"note{secrets.token_hex(8)}"
        message = compose(notice, self.config, delivery, now)
        provider = self.connect(self.config)
        try:
            answers = tuple(provider.hand_over(Batch(BATCH, message, (_to(notice, delivery),))))
        finally:
            provider.close()
        for answer in answers:
            if isinstance(answer, Refusal):
                raise ProviderError(answer.reason, outcome=answer.outcome)
        (receipt,) = answers
        assert isinstance(receipt, Receipt)
        return receipt


def compose(notice: Notice, config: Config, delivery: str, now: datetime) -> EditionMessage:
    """The message of a notice."""
    button = notice.button
    html, text = Renderer(config.templates, config).notice(
        notice.language,
        {
            "subject": notice.subject,
            "before": notice.before,
            "lines": notice.lines,
            "link": button.url if button else "",
            "words": button.words if button else "",
            "after": notice.after,
        },
    )
    return notice_message(
        config.newsletter,
        to=notice.to,
        delivery=delivery,
        language=notice.language,
        subject=notice.subject,
        html=html,
        text=text,
        date=now.astimezone(config.newsletter.timezone),
    )


def _to(notice: Notice, delivery: str) -> Reader:
    return Reader(
        delivery=delivery,
        address=notice.to,
        name="",
        salutation="",
        why="",
        preferences_url="",
        unsubscribe_url="",
        view_url="",
        feedback_url="",
    )
