"""A story as it was when its issue was planned: one text, its hash, and the story back. Pure.

The hash is what a plan is held to (`stale`), and the text is what it is the hash of: whoever has
the two can prove that an archived story is the one that was sent.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from hashlib import blake2b
from typing import Any

from digest.models import Story

_NOTHING: Mapping[object, object] = {str: "", bool: False, int: 0, tuple[str, ...]: ()}


def story_text(story: Story) -> str:
    """Everything of a story but where in its file it stands."""
    return canonical({**asdict(story), "line": 0})


def story_digest(story: Story) -> str:
    """The hash of `story_text`."""
    return digest_of(story_text(story))


def story_from(text: str) -> Story:
    """The story of a text; what an older version did not write down yet is empty."""
    raw: dict[str, Any] = json.loads(text)
    values = {one.name: _value(raw.get(one.name), one.type, raw) for one in fields(Story)}
    return Story(**values)


def canonical(value: object) -> str:
    """The one JSON of a value, with its keys in order. Half a character becomes `?`."""
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()


def digest_of(text: str) -> str:
    """32 hex digits."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _value(value: Any, kind: object, raw: Mapping[str, Any]) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value or raw["published"])
    if kind == datetime | None:
        return datetime.fromisoformat(value) if value else None
    if value is None:
        return _NOTHING.get(kind)
    return tuple(value) if isinstance(value, list) else value
