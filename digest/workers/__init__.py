"""Sending by many machines: an issue is left to workers, each of which is a process like any other.

The queue is Procrastinate's, in the PostgreSQL of the store (the extra `[postgres]`); it is
imported when it is used. What is sent and what is not is told by the ledger alone.
"""

from digest.errors import StoreError
from digest.store import Store

BATCH = 250  # deliveries of one job: as many are unknown when a machine is lost
_HINT = "leave `workers` out of [delivery]: one machine needs no queue"


def require_queue(store: Store) -> None:
    """StoreError where there can be no workers."""
    if store.database.dialect != "postgresql":
        raise StoreError(
            f"workers need PostgreSQL, and the store is {store.database.place}", hint=_HINT
        )
    try:
        import procrastinate  # noqa: F401
    except ModuleNotFoundError as error:
        raise StoreError(
            f"workers need the package {error.name}",
            hint="install it with: pip install 'digest-newsletter[postgres]'",
        ) from error


def submit(store: Store, number: int, provider: str) -> int:
    """Leave an issue to the workers; how many batches were put into the queue.

    Those in it already are not put there again, so it may be called at any time.
    """
    require_queue(store)
    from digest.workers.queue import defer

    return store.ledger.enqueue(number, provider, defer(), most=BATCH)
