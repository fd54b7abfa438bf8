"""A message the plain way: Jinja, MJML and `EmailMessage` for every reader.

What tests hold the composer equal to, and benchmarks measure it against.
"""

from collections.abc import Mapping, Sequence
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage

from digest.composer import Reader
from digest.config import Newsletter
from digest.layout import Slot
from digest.models import Issue, Story
from digest.renderer import Renderer


def render(
    renderer: Renderer,
    stories: Sequence[Story],
    more: Sequence[Story],
    issue: Issue,
    language: str,
    values: Mapping[Slot, str],
) -> tuple[str, str]:
    """The HTML and the text of one edition for one reader; `values` for every slot, plain."""
    _, html, text = renderer.whole(stories, more, issue, language, values)
    return html, text


def message(
    newsletter: Newsletter,
    issue: Issue,
    language: str,
    reader: Reader,
    subject: str,
    html: str,
    text: str,
) -> EmailMessage:
    """A complete message with the standard library alone."""
    made = EmailMessage(policy=policy.SMTP)
    domain = newsletter.sender.rpartition("@")[2]
    made["From"] = Address(newsletter.sender_name or newsletter.name, addr_spec=newsletter.sender)
    made["To"] = Address(reader.name, addr_spec=reader.address)
    made["Subject"] = subject
    made["Date"] = issue.date
    made["Message-ID"] = f"<{reader.delivery}@{domain}>"
    made["Reply-To"] = newsletter.reply_to
    made["List-Id"] = f"{newsletter.name} <{newsletter.list_id}>"
    made["List-Unsubscribe"] = f"<{reader.unsubscribe_url}>"
    made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made["Feedback-ID"] = f"{issue.id}:{language}:digest:{newsletter.list_id.partition('.')[0]}"
    made["Precedence"] = "bulk"
    made["X-Auto-Response-Suppress"] = "All"
    made.set_content(text, cte="quoted-printable")
    made.add_alternative(html, subtype="html", cte="quoted-printable")
    made["Content-Language"] = language  # last, because `add_alternative` moves it into a part
    return made
