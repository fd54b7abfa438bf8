"""The same mail made with the official package's objects: the slow reference for our bytes."""

from collections.abc import Iterable, Mapping, Sequence
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
from digest.layout import Slot
from digest.providers.sendgrid.letters import DELIVERY_ARGUMENT, PLACE_ARGUMENT


def values(reader: Reader) -> list[str]:
    """What goes into the tags, in our order: words for HTML and for text, then links."""
    plain = reader.values()
    words = [
        part[slot]
        for part in (html_values(plain), text_values(plain))
        for slot in (Slot.SALUTATION, Slot.WHY)
    ]
    links = (Slot.PREFERENCES_URL, Slot.UNSUBSCRIBE_URL, Slot.VIEW_URL, Slot.FEEDBACK_URL)
    return [*words, *(plain[slot] for slot in links)]


def mail(shared: Mapping[str, Any], readers: Iterable[Reader], tags: Sequence[str]) -> Mail:
    """A request for readers, with what `shared` says of all messages."""
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
    for tag, value in zip(tags, values(reader), strict=True):
        made.add_substitution(Substitution(tag, value))
    made.add_header(Header("Message-ID", f"<{reader.delivery}@{domain}>"))
    made.add_header(Header("List-Unsubscribe", f"<{reader.unsubscribe_url}>"))
    made.add_header(Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    made.add_custom_arg(CustomArg(DELIVERY_ARGUMENT, reader.delivery))
    if reader.place:
        made.add_custom_arg(CustomArg(PLACE_ARGUMENT, reader.place))
    return made
