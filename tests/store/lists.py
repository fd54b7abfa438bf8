"""Importing text, and what came of it."""

from io import BytesIO, StringIO

from digest.roster.export import write_csv, write_ndjson
from digest.roster.intake import Import, Order, Progress, Reject
from digest.store import Filter, Store
from tests.store.conftest import NOW


def take_in(
    store: Store, text: str | bytes, *, consent: str = "they asked", **more: object
) -> tuple[Progress, list[Reject]]:
    """Import a whole file; gives the result and what was left out."""
    data = text.encode() if isinstance(text, str) else text
    rejects: list[Reject] = []
    order = Order("list.csv", consent, **more)  # type: ignore[arg-type]
    *_, result = Import(BytesIO(data), order, NOW).run(store, rejects.append)
    return result, rejects


def csv_of(store: Store) -> str:
    """Everyone as CSV."""
    out = StringIO()
    write_csv(store, store.subscriptions.stream(Filter()), out)
    return out.getvalue()


def ndjson_of(store: Store) -> str:
    """Everyone as NDJSON."""
    out = StringIO()
    write_ndjson(store, store.subscriptions.stream(Filter()), out)
    return out.getvalue()
