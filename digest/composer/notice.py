"""One message to one person about their subscription: no list, and nothing to unsubscribe from."""

from datetime import datetime
from hashlib import blake2b

from digest.composer import headers
from digest.composer.message import EditionMessage
from digest.composer.quoted_printable import encode
from digest.config import Newsletter
from digest.layout import Compiled, Layout, Slot


def notice_message(
    newsletter: Newsletter,
    *,
    to: str,
    delivery: str,
    language: str,
    subject: str,
    html: str,
    text: str,
    date: datetime,
) -> EditionMessage:
    """The complete message. DigestError when the address cannot stand in a header."""
    sender = headers.wire_address(newsletter.sender)
    domain = sender.rpartition("@")[2]
    boundary = "=_" + blake2b(delivery.encode(), digest_size=12).hexdigest()
    fields = {
        "Date": headers.date(date),
        "Reply-To": newsletter.reply_to and headers.wire_address(newsletter.reply_to),
        "Message-ID": f"<{headers.token(delivery)}@{domain}>",
        # a person asked on our pages, no person wrote: RFC 3834, and Exchange's own word
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": language,
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    pieces = (
        headers.mailbox_field("From", newsletter.sender_name or newsletter.name, sender),
        headers.mailbox_field("To", "", headers.wire_address(to)),
        headers.text_field("Subject", subject),
        *(headers.field(name, value) for name, value in fields.items() if value),
        b"\r\n",
        _part(boundary, "plain", text),
        _part(boundary, "html", html),
        f"--{boundary}--\r\n".encode(),
    )
    layouts = Layout((html,)), Layout((text,))
    values = {Slot.SUBJECT: subject, Slot.PREHEADER: "", Slot.INTRO: ""}
    compiled = Compiled(language, *layouts)
    return EditionMessage(compiled, (), (), values, domain, pieces, places=(), bulk=False)


def _part(boundary: str, kind: str, text: str) -> bytes:
    head = (
        f"--{boundary}\r\n"
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + encode(text if text.endswith("\n") else text + "\n")
