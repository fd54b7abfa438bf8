"""The JSON of the commands on subscribers: documented in docs/json.md, stable."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digest.store import HistoryEvent, Subscription


def subscription_json(one: "Subscription") -> dict[str, object]:
    """One subscriber."""
    reader, wanted = one.subscriber, one.subscriber.preferences
    return {
        "schema": "digest/subscriber@1",
        "id": str(reader.id),  # 63 bits: more than a JSON number holds in a browser
        "email": reader.email,
        "name": reader.name,
        "state": one.state.value,
        "suppressed": [reason.value for reason in one.suppressions],
        "everything": wanted.everything,
        "tags": list(wanted.tags),
        "muted": list(wanted.muted),
        "cadence": reader.cadence.value,
        "languages": list(wanted.languages),
        "timezone": reader.timezone,
        "day": reader.chosen.day,
        "hour": reader.chosen.hour,
        "created": utc(one.created),
        "pause_until": utc(one.pause_until),
        "covered_until": utc(one.covered_until),
    }


def history_json(email: str, events: Iterable["HistoryEvent"]) -> dict[str, object]:
    """What happened to one subscription, oldest first."""
    return {
        "schema": "digest/history@1",
        "email": email,
        "events": [
            {"at": utc(event.at), "kind": event.kind.value, "detail": event.detail}
            for event in events
        ],
    }


def utc(moment: datetime | None) -> str | None:
    """ISO 8601 with a Z; None for none."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None
