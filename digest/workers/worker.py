"""One worker: takes jobs from the queue until it is told to stop."""

import asyncio
import signal

from digest import logs
from digest.config import Config
from digest.providers import connect
from digest.sender import Stopping
from digest.store import Store
from digest.tokens import Keys
from digest.workers.queue import Queue
from digest.workers.upkeep import Upkeep
from digest.workers.workplace import Workplace

_log = logs.get("worker")


def work(config: Config, store: Store, keys: Keys) -> None:
    """Run until a signal says stop; what is under way is finished, the rest is left to others.

    SIGHUP is one: systemd, and whatever else restarts a worker, lets it read its settings again.
    """
    stopping = Stopping()
    provider = connect(config)
    place = Workplace(config, store, keys, provider, stopping)
    try:
        asyncio.run(_work(Queue(store.database.address), place, Upkeep(config, store), stopping))
    finally:
        place.close()
        provider.close()


async def _work(queue: Queue, place: Workplace, upkeep: Upkeep, stopping: Stopping) -> None:
    async def batch(issue: int, window: int) -> None:
        await asyncio.to_thread(place.send, issue, window)

    async def look_after_all() -> None:
        await queue.drop_stalled()
        await asyncio.to_thread(upkeep)

    def stop() -> None:
        stopping.request()
        for worker in workers:
            worker.stop()  # type: ignore[no-untyped-call]

    queue.serve(batch, look_after_all)
    workers = queue.workers()
    async with queue.app.open_async():
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(one, stop)
        _log.info("worker.started")
        await look_after_all()  # what this machine left is settled by its own journals, at once
        await asyncio.gather(
            *(worker.run() for worker in workers)  # type: ignore[no-untyped-call]
        )
    _log.info("worker.stopped")
