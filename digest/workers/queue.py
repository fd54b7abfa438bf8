"""The queue: all that is Procrastinate's, in one place.

Jobs are deleted when they are done, whatever came of them: the ledger is the history.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import procrastinate
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker

from digest.store.ledger.queueing import Defer, Waiting

BATCHES, UPKEEP = "digest.batches", "digest.upkeep"  # queues, and the names of their tasks
HEARTBEAT, DEAD = 5.0, 15.0  # seconds between signs of a worker's life; without one it is dead
EVERY = "* * * * * */10"  # upkeep; in this form of cron the seconds are the last field


def defer(not_before: datetime | None = None) -> Defer:
    """Puts windows into the queue, inside the transaction of a driver's connection."""
    manager = procrastinate.App(connector=procrastinate.SyncPsycopgConnector()).job_manager

    def put(connection: Any, windows: Sequence[Waiting]) -> None:
        manager.batch_defer_jobs([_job(window, not_before) for window in windows], connection)

    return put


def _job(window: Waiting, not_before: datetime | None) -> Job:
    moments = [moment for moment in (window.ready_at, not_before) if moment]
    return Job(
        id=None,
        status=None,
        queue=BATCHES,
        lock=None,
        queueing_lock=window.name,
        task_name=BATCHES,
        task_kwargs={"issue": window.issue, "window": window.window},
        scheduled_at=max(moments, default=None),
    )


class Queue:
    """One worker's end of the queue."""

    def __init__(self, address: str) -> None:
        connector = procrastinate.PsycopgConnector(conninfo=address, min_size=1, max_size=6)
        self.app = procrastinate.App(connector=connector)
        self._workers: list[Worker] = []

    def serve(
        self,
        batch: Callable[[int, int], Awaitable[None]],
        upkeep: Callable[[], Awaitable[None]],
    ) -> None:
        """Say what a job does: a window of an issue, by their numbers; and what is done now and
        then, by one worker of all."""

        @self.app.task(name=BATCHES, queue=BATCHES)
        async def one_batch(issue: int, window: int) -> None:
            await batch(issue, window)

        @self.app.periodic(cron=EVERY)
        @self.app.task(name=UPKEEP, queue=UPKEEP, queueing_lock=UPKEEP)
        async def look_after_all(timestamp: int) -> None:
            await upkeep()

    def workers(self) -> list[Worker]:
        """One batch at a time, and the upkeep beside it: a batch may take minutes."""
        if not self._workers:
            self._workers = [
                Worker(
                    self.app,
                    queues=[queue],
                    name=queue,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=HEARTBEAT,
                    stalled_worker_timeout=DEAD,
                )
                for queue in (BATCHES, UPKEEP)
            ]
        return self._workers

    async def drop_stalled(self) -> int:
        """Forget the jobs of dead workers: what is open of their windows gets new ones. How many.

        Procrastinate never does it by itself.
        """
        jobs = list(await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD))
        for job in jobs:
            await self.app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        return len(jobs)
