"""Hashtags: any spelling to one key, topics apart from markers.

Pure. A tag is *raw* as an author typed it, a *key* is what two spellings share, and the
*canonical* spelling is what people are shown.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from digest.config import TagConfig

_DROPPED = re.compile(r"[\s_\-\u2010-\u2015]+")
_GLUED = re.compile(r"(?<=\w)#(?=\w)")


@lru_cache(maxsize=16_384)
def fold(tag: str) -> str:
    """What all spellings of one tag share: no `#`, case, hyphen, underscore or space.

    Idempotent. Empty for a tag with nothing in it. NFC and not NFKC: `H₂O` is not `H2O`.
    """
    tag = _DROPPED.sub("", tag)
    key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", tag).casefold())
    while (shorter := _DROPPED.sub("", key).removeprefix("#")) != key:
        key = shorter
    return key


def parse_tags(value: object, *, split_words: bool = False) -> tuple[str, ...]:
    """Raw tags from a front matter value: text, number, list of them, or nothing.

    Text is cut at white space only where every word has its `#`, else at commas; `a b c` is one
    tag unless `split_words`. Spellings of one tag are kept once, the first. Never raises.
    """
    found: dict[str, str] = {}
    for raw in _raw(value, split_words):
        tag = " ".join(raw.removeprefix("#").split())
        found.setdefault(fold(tag), tag)
    found.pop("", None)
    return tuple(found.values())


def is_ambiguous(text: str) -> bool:
    """True for `a b c`: one name with spaces or three tags, only the author knows."""
    return "," not in text and "#" not in text and len(text.split()) > 1


def _raw(value: object, split_words: bool) -> Iterable[str]:
    if value is None:
        return ()
    if isinstance(value, list | tuple | set | frozenset):
        return [tag for item in value for tag in _item(item)]
    return _text(str(value), split_words)


def _item(value: object) -> Iterable[str]:
    """An item of a list keeps its spaces and commas, unless it is a `#` string of its own."""
    if value is None or isinstance(value, list | tuple | dict):
        return ()
    text = str(value)
    return _text(text, False) if text.count("#") > 1 else (text,)


def _text(text: str, split_words: bool) -> Iterable[str]:
    if text.count("#") > text.count(" #") + 1:
        text = _GLUED.sub(" #", text)
    words = text.replace(",", " ").split() if "#" in text else ()
    if words and all(word.startswith("#") for word in words):
        return words
    if "," in text:
        return text.split(",")
    if text.lstrip().startswith("#"):  # `#machine learning #ai`: each `#` opens a tag
        return re.split(r"\s+(?=#)", text)
    return text.split() if split_words else (text,)


class Tags(NamedTuple):
    """The tags of one post, sorted out. Spellings are canonical."""

    topics: tuple[str, ...]
    markers: tuple[str, ...]  # metadata, the language among it
    language: str  # of the first language tag; empty when there is none


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every tag of the content: how it is shown, what it is an alias of, what is no topic."""

    spellings: Mapping[str, str]  # key -> canonical spelling
    aliases: Mapping[str, str]  # key -> key
    markers: frozenset[str]  # keys
    languages: Mapping[str, str]  # key -> primary subtag
    _places: dict[str, tuple[str, bool, str]] = field(
        default_factory=dict, compare=False, repr=False
    )  # what `sort` has worked out, by raw spelling

    @classmethod
    def of(cls, counts: Mapping[str, int], config: TagConfig) -> "Vocabulary":
        """From raw spellings with how many posts use each. The most frequent spelling is shown."""
        aliases = _resolved({fold(a): fold(b) for a, b in config.aliases.items()})
        best: dict[str, tuple[object, ...]] = {}
        for raw, count in counts.items():
            key = fold(raw)
            if key and key not in aliases:
                rank = (-count, *_preference(raw))
                best[key] = min(best.get(key, rank), rank)
        spellings = {key: str(rank[-1]) for key, rank in best.items()}
        for target in config.aliases.values():
            spellings.setdefault(fold(target), target.removeprefix("#"))
        languages = {fold(code): code.lower() for code in config.languages}
        markers = frozenset(aliases.get(fold(tag), fold(tag)) for tag in config.markers)
        return cls(spellings, aliases, markers, languages)

    def key(self, tag: str) -> str:
        """The key that decides whether two tags are one: folded, aliases applied."""
        key = fold(tag)
        return self.aliases.get(key, key)

    def spelling(self, tag: str) -> str:
        """How a tag is shown; as typed when no post uses it."""
        return self.spellings.get(self.key(tag)) or tag.removeprefix("#")

    def sort(self, raw: Iterable[str]) -> Tags:
        """Topics, markers and language of one post, each tag once, in the post's order."""
        topics: dict[str, None] = {}
        markers: dict[str, None] = {}
        language = ""
        for tag in raw:
            shown, is_marker, named = self._places.get(tag) or self._place(tag)
            if is_marker:
                markers[shown] = None
                language = language or named
            else:
                topics[shown] = None
        return Tags(tuple(topics), tuple(markers), language)

    def _place(self, tag: str) -> tuple[str, bool, str]:
        key = self.key(tag)
        is_marker = key in self.markers or key in self.languages
        place = self.spelling(tag), is_marker, self.languages.get(key, "")
        self._places[tag] = place
        return place


def language_of(raw: Iterable[str], languages: Iterable[str]) -> str:
    """The language that the tags of a post name, by the first that does; else empty."""
    known = {fold(code): code.lower() for code in languages}
    return next((known[fold(tag)] for tag in raw if fold(tag) in known), "")


def _preference(raw: str) -> tuple[object, ...]:
    """Among equally frequent spellings: hyphenated, then lower case, then by the alphabet."""
    return ("-" not in raw, raw != raw.lower(), raw)


def _resolved(aliases: Mapping[str, str]) -> dict[str, str]:
    """Aliases of aliases followed to their end; a circle ends where it began."""
    ends: dict[str, str] = {}
    for start in aliases:
        seen, key = {start}, aliases[start]
        while key in aliases and key not in seen:
            seen.add(key)
            key = aliases[key]
        if key != start:
            ends[start] = key
    return ends
