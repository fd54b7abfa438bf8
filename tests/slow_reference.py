"""A message the plain way: Jinja, MJML and `EmailMessage` for every reader.

What tests hold the composer equal to, and benchmarks measure it against. Links are counted by a
parser of HTML, over the whole of one reader's mail, rendered with a comment around each story.
"""

import re
from collections.abc import Mapping, Sequence
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from html.parser import HTMLParser
from unittest.mock import patch
from urllib.parse import urlsplit

from digest.clicks import code_of
from digest.composer import Reader
from digest.config import Newsletter
from digest.layout import BlockName, Slot
from digest.models import Issue, Story
from digest.renderer import Renderer
from digest.renderer.sheet import Sheet


def render(
    renderer: Renderer,
    stories: Sequence[Story],
    more: Sequence[Story],
    issue: Issue,
    language: str,
    values: Mapping[Slot, str],
    counted: str = "",
) -> tuple[str, str]:
    """The HTML and the text of one edition for one reader; `values` for every slot, plain.

    `counted`: the address of the pages that links lead through; empty: they lead to their targets.
    """
    _, html, text = renderer.whole(stories, more, issue, language, values)
    if counted:
        with patch.object(Sheet, "items", _marked):
            marked = renderer.whole(stories, more, issue, language, values)[1]
        assert _MARK.sub("", marked) == html
        links = _Links(marked, counted, frozenset(values.values()))
        html = _MARK.sub("", links.through(f"{counted}/g/{issue.id}"))
    return html, text


_items = Sheet.items
_MARK = re.compile("<!--story [0-9a-f]*-->")


def _marked(sheet: Sheet, block: BlockName, stories: Sequence[Story]) -> list[str]:
    """The fragments of the stories, each after its id and before none."""
    texts = _items(sheet, block, stories)
    ids = [story.id.encode().hex() for story in stories]
    return [f"<!--story {i}-->{text}<!--story -->" for i, text in zip(ids, texts, strict=True)]


class _Links(HTMLParser):
    """Every link of a mail, with its words, its story and where its tag stands."""

    def __init__(self, html: str, own: str, readers: frozenset[str]) -> None:
        super().__init__()
        self._html, self._own, self._readers = html, own, readers
        self._lines = [0]
        for line in html.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._found: list[tuple[int, str, str, str]] = []  # offset, tag, address, story
        self._open: tuple[int, str, str, str] | None = None
        self._words = self._story = ""
        self.feed(html)
        self.close()

    def through(self, pages: str) -> str:
        """The mail with the links led through `pages`."""
        html = self._html
        for offset, tag, address, story in reversed(self._found):
            end = offset + len(tag)
            old = address.replace("&", "&amp;").replace('"', "&quot;")
            assert f'"{old}"' in tag, tag
            new = tag.replace(f'"{old}"', f'"{pages}/{code_of(address, story)}"')
            html = html[:offset] + new + html[end:]
        return html

    def handle_comment(self, data: str) -> None:
        if data.startswith("story "):
            self._story = bytes.fromhex(data.removeprefix("story ")).decode()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") or ""
        if tag == "a" and self._is_another(address):
            line, column = self.getpos()
            text = self.get_starttag_text() or ""
            offset = self._lines[line - 1] + column
            self._open, self._words = (offset, text, address, self._story), ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            words = self._words.strip()
            if " " in words or "." not in words:  # not an address itself
                self._found.append(self._open)
            self._open = None

    def _is_another(self, address: str) -> bool:
        parts = urlsplit(address)
        own = parts.netloc == urlsplit(self._own).netloc
        return parts.scheme in ("http", "https") and not own and address not in self._readers


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
