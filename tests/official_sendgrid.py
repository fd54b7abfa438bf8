"""The same mail made with the official package's objects: the slow reference for our bytes."""

from collections.abc import Iterable, Sequence
from typing import Any

from sendgrid.helpers.mail import (
    ClickTracking,
    Content,
    CustomArg,
    Ganalytics,
    Header,
    Mail,
    OpenTracking,
    Personalization,
    ReplyTo,
    SubscriptionTracking,
    Substitution,
    To,
    TrackingSettings,
)
from sendgrid.helpers.mail import From as Sender

from digest.composer import Reader, html_values, text_values
from digest.layout import READER_SLOTS, Slot
from digest.providers.sendgrid.letters import DELIVERY_ARGUMENT

SLOTS = [slot for slot in Slot if slot in READER_SLOTS]


def mail(shared: dict[str, Any], readers: Iterable[Reader], tags: Sequence[str]) -> Mail:
    """A request with what `shared` says of all messages; `tags` as they stand in its content."""
    made = Mail()
    made.from_email = Sender(shared["from"]["email"], shared["from"]["name"])
    made.reply_to = ReplyTo(shared["reply_to"]["email"])
    made.subject = shared["subject"]
    for name, value in shared["headers"].items():
        made.add_header(Header(name, value))
    for part in shared["content"]:
        made.add_content(Content(part["type"], part["value"]))
    tracking = TrackingSettings()
    tracking.click_tracking = ClickTracking(False, False)
    tracking.open_tracking = OpenTracking(False)
    tracking.subscription_tracking = SubscriptionTracking(False)
    tracking.ganalytics = Ganalytics(False)
    made.tracking_settings = tracking
    domain = shared["from"]["email"].rpartition("@")[2]
    for reader in readers:
        made.add_personalization(personalization(reader, tags, domain))
    return made


def personalization(reader: Reader, tags: Sequence[str], domain: str) -> Personalization:
    """One reader."""
    made = Personalization()
    made.add_to(To(reader.recipient, reader.name or None))
    plain = reader.values()
    html, text = html_values(plain), text_values(plain)
    values = [*(html[slot] for slot in SLOTS), *(text[slot] for slot in SLOTS)]
    for tag, value in zip(tags, values, strict=True):
        made.add_substitution(Substitution(tag, value))
    made.add_header(Header("Message-ID", f"<{reader.delivery}@{domain}>"))
    made.add_header(Header("List-Unsubscribe", f"<{reader.unsubscribe_url}>"))
    made.add_header(Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    made.add_custom_arg(CustomArg(DELIVERY_ARGUMENT, reader.delivery))
    return made
