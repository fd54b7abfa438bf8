"""Consents in a cell of our own export, there and back without loss. Pure."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from digest.roster.cells import moment_cell, read_moment
from digest.store import Consent


def consents_value(consents: Iterable[Consent]) -> list[dict[str, str]]:
    """Evidence as plain data, for JSON."""
    return [
        {
            "at": moment_cell(one.at),
            "how": one.how,
            "text": one.text,
            "version": one.version,
            "source": one.source,
        }
        for one in consents
    ]


@lru_cache(maxsize=4096)
def read_consents(cell: str) -> tuple[Consent, ...]:
    """The evidence of a cell that our own export wrote. ValueError when it is another's."""
    if not cell:
        return ()
    try:
        return tuple(_consent(one) for one in json.loads(cell))
    except (json.JSONDecodeError, TypeError, KeyError, AttributeError):
        raise ValueError(f"{cell[:40]!r} is no list of consents as `export` writes it") from None


def _consent(value: dict[str, Any]) -> Consent:
    at = read_moment(str(value["at"]))
    if at is None:
        raise KeyError("at")
    texts = (str(value.get(name, "")) for name in ("text", "version", "source"))
    return Consent(at, str(value["how"]), *texts)
