"""Which links of a mail are counted, and what a counted link becomes. Pure; after compilation.

A counted link leads through a page of ours, `BASE/g/ISSUE/CODE`, that sends the reader on and adds
one to a number. Its code is made of its target and of the story that it stands in: all readers of
an issue have the same, so that nothing in it says who follows it, and what is followed counts for
that story alone. These stay as they are: links whose words are an address
themselves (a mail program takes another target for a fraud), those to our own pages, to a mailbox
or within the mail, whatever a slot is in, what stands in comments, and the plain text.
"""

import re
from base64 import b32encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from html import unescape
from html.entities import html5
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from digest.composer.splice import shown
from digest.layout import Block, BlockName, Compiled, Layout, Part, Slot

CODE = 12  # letters and digits: 60 bits of a hash

_TAG = r"""(?:"[^"]*"|'[^']*'|[^>"'])*>"""
_TOKEN = re.compile(
    rf"(?P<text><!--.*?-->|<(?P<raw>style|script|title)\b{_TAG}.*?</(?P=raw)\s*>)"
    rf"|<a(?=[\s/])(?P<opens>{_TAG})|(?P<closes></a\s*>)",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_REFERENCE = re.compile(r"&(?:#[xX]?[0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);?")
_ANY_TAG = re.compile(rf"<[a-z/!]{_TAG}", re.IGNORECASE)
_HIDDEN = str.maketrans("", "", "\u00ad\u200b\u200c\u200d\u2060\ufeff")  # room for a line break
_ADDRESS = re.compile(r"\w+://\S+|(?:[\w-]+\.)+[^\W\d]\w+(?::\d+)?(?:[/?#]\S*)?")
_UNSAFE = re.compile(r"[\s\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_PORTS = {"http": 80, "https": 443}
# For marks between the literals of a layout: characters that no text has a use for.
_PRIVATE = range(0xE000, 0xF900)


class Place(NamedTuple):
    """Where a link stands: empty block, the layout; empty story, what surrounds a block's stories.

    As texts, since it is written down.
    """

    language: str
    block: str
    story: str


@dataclass(frozen=True, slots=True)
class CountedLink:
    """One target of one story, or of what surrounds the stories, wherever it is linked there."""

    code: str
    url: str
    places: tuple[Place, ...]  # all of one story

    @property
    def story(self) -> str:
        """Its id; empty around the stories."""
        return next((place.story for place in self.places), "")


def places_of(language: str, stories: Iterable[str], more: Iterable[str]) -> Iterator[Place]:
    """Every place that an edition of these stories shows."""
    cards, titles = tuple(stories), tuple(more)
    yield Place(language, "", "")
    for name in BlockName:
        ids = titles if name is BlockName.MORE else cards
        if shown(name, ids):
            yield from (Place(language, name.value, story) for story in ("", *ids))


def code_of(url: str, story: str = "") -> str:
    """The name of a target in a story: the same one in every issue, and no way back to it."""
    name = f"{url}\n{story}" if story else url  # no target holds a line end
    return b32encode(blake2b(name.encode(), digest_size=8).digest())[:CODE].decode().lower()


def counting(compiled: Compiled, base_url: str, issue: str) -> tuple[Compiled, list[CountedLink]]:
    """The compiled templates with counted links, and which those are, in their order."""
    prefix = f"{base_url}/g/{quote(issue, safe='')}/"
    literals = list(_literals(compiled.html, compiled.language))
    mark = next(chr(one) for one in _PRIVATE if not any(chr(one) in text for text, _ in literals))
    pieces: list[str] = []
    found: dict[tuple[str, str], dict[Place, None]] = {}  # by target and story
    joined, done, number = mark.join(text for text, _ in literals), 0, 0
    for begin, end, target in _targets(joined, mark, base_url):
        number += joined.count(mark, done, begin)
        place = literals[number][1]
        found.setdefault((target, place.story), {})[place] = None
        pieces += [joined[done:begin], prefix + code_of(target, place.story)]
        done = end
    html = _with(compiled.html, iter("".join([*pieces, joined[done:]]).split(mark)))
    links = [
        CountedLink(code_of(url, story), url, tuple(places))
        for (url, story), places in found.items()
    ]
    return replace(compiled, html=html), links


def merged(links: Iterable[CountedLink]) -> tuple[CountedLink, ...]:
    """The links of several languages: each once, with all its places."""
    known: dict[str, CountedLink] = {}
    for link in links:
        before = known.get(link.code)
        places = (*(before.places if before else ()), *link.places)
        known[link.code] = replace(link, places=tuple(dict.fromkeys(places)))
    return tuple(known.values())


def within(links: Iterable[CountedLink], stories: Iterable[str]) -> Iterator[CountedLink]:
    """What is left of them for a plan that holds no other stories than these."""
    held = {"", *stories}
    return (link for link in links if link.story in held)


def _targets(html: str, mark: str, base_url: str) -> Iterator[tuple[int, int, str]]:
    """Where the address of every link that is counted stands, and where it leads."""
    for (begin, end), words in _anchors(html):
        target = _target(html[begin:end], mark, base_url)
        if target and not _is_address(words):
            yield begin, end, target


def _anchors(html: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Where the address of every link stands, and what the link encloses."""
    opened: re.Match[str] | None = None
    for token in _TOKEN.finditer(html):
        if token["opens"]:
            opened = token
        elif token["closes"] and opened is not None:
            if (span := _href(opened)) is not None:
                yield span, html[opened.end() : token.start()]
            opened = None


def _href(tag: re.Match[str]) -> tuple[int, int] | None:
    """Where the value of its first `href` stands; a second one counts for nothing."""
    for attribute in _ATTRIBUTE.finditer(tag.string, tag.start("opens"), tag.end("opens")):
        if attribute[1].lower() == "href":
            return next((attribute.span(n) for n in (2, 3, 4) if attribute[n] is not None), None)
    return None


def _target(value: str, mark: str, base_url: str) -> str:
    """Where an attribute leads, if it leads to another's web page; otherwise nothing."""
    target = _REFERENCE.sub(_referred, value).strip()
    if mark in value or not re.match("https?://", target, re.IGNORECASE) or _UNSAFE.search(target):
        return ""
    try:
        parts, own = urlsplit(target), urlsplit(base_url)
        same = _site(parts) == _site(own)
    except ValueError:
        return ""
    ours = same and (not own.path or f"{parts.path}/".startswith(f"{own.path}/"))
    return "" if ours or not parts.hostname else target


def _site(parts: SplitResult) -> tuple[str | None, int | None]:
    """Host and port, without the port that goes without saying. ValueError for a bad one."""
    usual = parts.port == _PORTS.get(parts.scheme)
    return parts.hostname, None if usual else parts.port


def _referred(reference: re.Match[str]) -> str:
    """What a character reference in an attribute stands for.

    `?a=1&copy=2` holds none, and what is no reference is text (HTML Living Standard 13.2.5.73).
    """
    if reference[0].endswith(";") or reference[0][1] == "#":
        return unescape(reference[0])
    follows = reference.string[reference.end() : reference.end() + 1]
    return reference[0] if follows == "=" else html5.get(reference[0][1:], reference[0])


def _is_address(words: str) -> bool:
    """Whether what a link shows is as a whole an address or the name of a host."""
    shown_text = unescape(_ANY_TAG.sub("", words)).translate(_HIDDEN)
    return _ADDRESS.fullmatch(shown_text.strip().strip("<>()[]“”\"'.,;:!…→› \u00a0")) is not None


def _literals(layout: Layout, language: str) -> Iterator[tuple[str, Place]]:
    """Every literal text of a layout in a fixed order, with its place."""
    for part in layout.parts:
        if isinstance(part, Block):
            around = Place(language, part.name.value, "")
            for parts, place in (
                (part.before, around),
                *((item, around._replace(story=story)) for story, item in part.items.items()),
                (part.after, around),
            ):
                yield from ((one, place) for one in parts if not isinstance(one, Slot))
        elif not isinstance(part, Slot):
            yield part, Place(language, "", "")


def _with(layout: Layout, literals: Iterator[str]) -> Layout:
    """The layout with other literals, in the order of `_literals`."""

    def parts(old: Sequence[Part]) -> tuple[Part, ...]:
        return tuple(one if isinstance(one, Slot) else next(literals) for one in old)

    def block(old: Block) -> Block:
        before = parts(old.before)
        items: Mapping[str, tuple[Part, ...]] = {
            story: parts(item) for story, item in old.items.items()
        }
        return Block(old.name, before, items, parts(old.after))

    return Layout(
        tuple(block(one) if isinstance(one, Block) else parts((one,))[0] for one in layout.parts)
    )
