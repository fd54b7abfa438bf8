"""What following, muting and leaving a tag does to preferences. Pure.

A tag is followed, muted or neither, never both; who gets everything follows no tag by name.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from digest.hashtags import fold
from digest.models import Preferences

LONGEST_TAG = 100  # characters

Edit = Callable[[Preferences], Preferences]


@lru_cache(maxsize=16_384)
def clean_tag(raw: str) -> str:
    """The tag as it is kept: no `#`, single spaces. ValueError when it names nothing."""
    name = " ".join(raw.split()).removeprefix("#").strip()
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise ValueError(f"{raw!r} holds control characters")
    if not fold(name):
        raise ValueError(f"{raw!r} names no tag")
    if len(name) > LONGEST_TAG:
        raise ValueError(f"{name[:20]!r}… is longer than {LONGEST_TAG} characters")
    return name


def canonical(tags: Iterable[str], aliases: Mapping[str, str]) -> tuple[str, ...]:
    """The tags, cleaned, each alias (by its key) replaced by what it stands for."""
    return tuple(clean_tag(aliases.get(fold(tag), tag)) for tag in tags)


def settled(preferences: Preferences) -> Preferences:
    """The same wishes without contradictions: muted wins over followed, everything over both.

    Tags are cleaned, kept once and ordered by key, so that equal wishes are equal values.
    """
    muted = _by_key(preferences.muted)
    followed = {} if preferences.everything else _by_key(preferences.tags)
    return replace(
        preferences,
        tags=tuple(name for key, name in sorted(followed.items()) if key not in muted),
        muted=tuple(name for _, name in sorted(muted.items())),
    )


def follow(tags: Iterable[str]) -> Edit:
    """Follow these too; who got everything gets just these from now on."""
    wanted = tuple(tags)

    def edit(preferences: Preferences) -> Preferences:
        return settled(
            replace(
                preferences,
                tags=(*preferences.tags, *wanted),
                everything=False,
                muted=_without(preferences.muted, wanted),
            )
        )

    return edit


def unfollow(tags: Iterable[str]) -> Edit:
    """Follow these no more."""
    unwanted = tuple(tags)
    return lambda preferences: settled(
        replace(preferences, tags=_without(preferences.tags, unwanted))
    )


def mute(tags: Iterable[str]) -> Edit:
    """Never show a story with one of these."""
    unwanted = tuple(tags)
    return lambda preferences: settled(replace(preferences, muted=(*preferences.muted, *unwanted)))


def unmute(tags: Iterable[str]) -> Edit:
    """Take these out of the muted ones."""
    wanted = tuple(tags)
    return lambda preferences: settled(
        replace(preferences, muted=_without(preferences.muted, wanted))
    )


def everything() -> Edit:
    """Get all tags but the muted ones."""
    return lambda preferences: settled(replace(preferences, everything=True))


def _by_key(tags: Iterable[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for tag in map(clean_tag, tags):
        named.setdefault(fold(tag), tag)
    return named


def _without(tags: Iterable[str], unwanted: Iterable[str]) -> tuple[str, ...]:
    keys = {fold(tag) for tag in unwanted}
    return tuple(tag for tag in tags if fold(tag) not in keys)
