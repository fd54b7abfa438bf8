"""Everyone, written so that importing it elsewhere gives the same subscribers."""

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TextIO

from digest.cadence import day_in_words, hour_in_words
from digest.roster.cells import NOTHING, STAR, guarded, moment_cell, tags_cell
from digest.roster.evidence import consents_value
from digest.store import Consent, Store, Subscription

COLUMNS = (
    "email",
    "name",
    "tags",
    "muted",
    "cadence",
    "language",
    "timezone",
    "day",
    "hour",
    "state",
    "created",
    "pause_until",
    "covered_until",
    "suppressed",
    "consent",
)
_PAGE = 1000


def write_csv(store: Store, people: Iterable[Subscription], out: TextIO) -> int:
    """Write a header and a row each; gives the number of people."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    number = 0
    for one, consents in _with_consents(store, people):
        writer.writerow([guarded(cell) for cell in _cells(one, consents)])
        number += 1
    return number


def write_ndjson(store: Store, people: Iterable[Subscription], out: TextIO) -> int:
    """Write an object a line, its keys the columns of the CSV file; gives the number of people."""
    number = 0
    for one, consents in _with_consents(store, people):
        out.write(json.dumps(_object(one, consents), ensure_ascii=False) + "\n")
        number += 1
    return number


def _with_consents(
    store: Store, people: Iterable[Subscription]
) -> Iterator[tuple[Subscription, tuple[Consent, ...]]]:
    waiting = iter(people)
    while page := list(islice(waiting, _PAGE)):
        consents = store.subscriptions.consents([one.subscriber.id for one in page])
        for one in page:
            yield one, consents.get(one.subscriber.id, ())


def _cells(one: Subscription, consents: tuple[Consent, ...]) -> tuple[str, ...]:
    person, wanted = one.subscriber, one.subscriber.preferences
    tags = tags_cell(wanted.tags) if wanted.tags else NOTHING
    evidence = json.dumps(consents_value(consents), ensure_ascii=False) if consents else ""
    return (
        person.email,
        person.name,
        STAR if wanted.everything else tags,
        tags_cell(wanted.muted) if wanted.muted else "",
        person.cadence.value,
        " ".join(wanted.languages),
        person.timezone,
        day_in_words(person.chosen, person.cadence),
        hour_in_words(person.chosen),
        one.state.value,
        moment_cell(one.created),
        moment_cell(one.pause_until),
        moment_cell(one.covered_until),
        " ".join(one.suppressions),
        evidence,
    )


def _object(one: Subscription, consents: tuple[Consent, ...]) -> dict[str, Any]:
    wanted = one.subscriber.preferences
    cells = dict(zip(COLUMNS, _cells(one, consents), strict=True))
    return {
        **{name: cell or None for name, cell in cells.items()},
        "name": one.subscriber.name,
        "tags": STAR if wanted.everything else list(wanted.tags),
        "muted": list(wanted.muted),
        "language": list(wanted.languages),
        "suppressed": " ".join(one.suppressions),
        "consent": consents_value(consents),
    }
