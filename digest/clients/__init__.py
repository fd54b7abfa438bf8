"""What mail programs know of HTML and CSS: data of caniemail.com, kept beside this file.

`verdicts(html)` says for each program what it shows, shows in part, and breaks. The data has a date
(`UPDATED` of `table()`), and each answer the day it was tested: guidance, not a screenshot.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from digest.checks import support
from digest.checks.support import Answer, Feature, Verdict

__all__ = ["CHOSEN", "Answer", "Feature", "Table", "Verdict", "broken", "table", "verdicts"]

_FILE = Path(__file__).with_name("caniemail.json")

# Programs whose broken features are findings: about nine readers in ten use one of their families.
CHOSEN = frozenset(
    (
        *("Apple Mail, macOS", "Apple Mail, iOS", "Gmail, web", "Gmail, iOS", "Gmail, Android"),
        *("Outlook, Windows", "Outlook.com", "Yahoo, web"),
    )
)


@dataclass(frozen=True, slots=True)
class Table:
    """The data, and where and when it comes from."""

    source: str
    version: str
    updated: str  # ISO date
    clients: tuple[str, ...]
    features: Mapping[str, Feature]


@cache
def table() -> Table:
    """The data, read once."""
    raw = json.loads(_FILE.read_text("utf-8"))
    features = {
        slug: Feature(
            slug,
            one["title"],
            one["tested"],
            one["support"],
            {int(place): note for place, note in one.get("notes", {}).items()},
        )
        for slug, one in raw["features"].items()
    }
    return Table(raw["source"], raw["version"], raw["updated"], tuple(raw["clients"]), features)


def verdicts(html: str) -> tuple[Verdict, ...]:
    """What each mail program makes of a message."""
    known = table()
    return support.verdicts(html, known.features, known.clients)


def broken(html: str) -> list[str]:
    """A sentence for each feature that one of the chosen programs breaks and readers would miss."""
    programs: dict[str, list[str]] = {}
    for verdict in verdicts(html):
        if verdict.client in CHOSEN:
            for answer in verdict.missed:
                programs.setdefault(answer.feature.title, []).append(verdict.client)
    return [f"{title} does not work in {'; '.join(names)}" for title, names in programs.items()]
