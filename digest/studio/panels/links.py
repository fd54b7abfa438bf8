"""Every link of the mail, in order. Nothing is fetched."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

from digest.inline import host
from digest.models import Story
from digest.studio.workshop import Shot


def links(shot: Shot, html: str) -> list[dict[str, object]]:
    """Address, words, the story it belongs to, and what is odd about it."""
    collector = _Links()
    collector.feed(html)
    owners = _owners(shot)
    words: dict[str, set[str]] = {}
    for address, text in collector.found:
        words.setdefault(text.casefold(), set()).add(address)
    return [
        {
            "url": address,
            "text": text,
            "host": host(address),
            "story": owners.get(address, ""),
            "note": _note(address, text, words),
        }
        for address, text in collector.found
    ]


def _owners(shot: Shot) -> dict[str, str]:
    stories: list[Story] = [pick.story for pick in shot.selection.picks]
    return {page: story.id for story in stories for page in (story.url, story.link) if page}


def _note(address: str, text: str, words: dict[str, set[str]]) -> str:
    if urlsplit(address).scheme == "http":
        return "http: not encrypted"
    if not text:
        return "no words: a screen reader reads the address"
    if len(words[text.casefold()]) > 1:
        return "the same words lead somewhere else as well"
    return ""


class _Links(HTMLParser):
    """Collects links with their words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._open: str | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (address := dict(attrs).get("href")):
            self._open, self._words = address, []

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            self.found.append((self._open, " ".join("".join(self._words).split())))
            self._open = None
