"""What wakes the scheduler up: APScheduler, which knows moments and decides nothing.

One cron trigger for each cadence and zone, one that looks again every minute, and a tick at the
start. All of them only set an event; a thread for each cadence ticks, so that a daily issue need
not wait for a weekly one to be sent. No job is kept anywhere: after a restart the ledger is asked.
"""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest import logs
from digest.dues import closing_zone
from digest.models import WEEKDAYS, Cadence, Due
from digest.scheduler.tick import Scheduler

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.cron import CronTrigger

LOOKS_AGAIN = timedelta(minutes=1)
# APScheduler fires late rather than not at all, and once for however many moments were missed: a
# tick is about now, not about the moment that woke it.
MISFIRES = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}

_QUARTERS = "0,15,30,45"  # a full hour is one of these, in whatever zone

_log = logs.get("scheduler")


class Clockwork:
    """Lets a scheduler tick in threads of its own, from `start` to `stop`."""

    def __init__(self, scheduler: Scheduler, every: timedelta = LOOKS_AGAIN) -> None:
        self.scheduler, self._every = scheduler, every
        self._bells = {cadence: threading.Event() for cadence in Cadence}
        self._threads = [
            threading.Thread(target=self._work, args=(cadence,), name=cadence.value, daemon=True)
            for cadence in Cadence
        ]
        self._alarm: BackgroundScheduler | None = None

    def start(self) -> None:
        """Tick now, and from now on."""
        _log.info("schedule.started", cadences=list(self.scheduler.config.schedule))
        for thread in self._threads:
            thread.start()
        self.use(self.scheduler)

    def use(self, scheduler: Scheduler) -> None:
        """Go on with another one, as with another configuration; a tick under way is finished."""
        self.scheduler = scheduler
        if self._alarm is not None:
            self._alarm.shutdown(wait=False)
        self._alarm = self._set_alarm()
        self._ring()

    def stop(self, patience: float) -> bool:
        """End within so many seconds. False when something is still in flight then.

        What is handed over at that moment is not lost: recovery finds it in the journal.
        """
        until = time.monotonic() + patience
        self.scheduler.stopping.request()
        if self._alarm is not None:
            self._alarm.shutdown(wait=False)
        self._ring()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        in_flight = [thread.name for thread in self._threads if thread.is_alive()]
        _log.info("schedule.stopped", in_flight=in_flight)
        return not in_flight

    def _work(self, cadence: Cadence) -> None:
        """A cadence's thread."""
        bell = self._bells[cadence]
        while not self.scheduler.stopping.requested:
            bell.wait()
            bell.clear()
            scheduler = self.scheduler
            if cadence not in scheduler.config.schedule or scheduler.stopping.requested:
                continue
            try:
                scheduler.tick(cadence)
            except Exception as error:
                # a mistake of ours must not end the service; the next minute tries again
                _log.error("tick.failed", cadence=cadence, failure=error, hint="")

    def _ring(self) -> None:
        for bell in self._bells.values():
            bell.set()

    def _set_alarm(self) -> "BackgroundScheduler":
        from apscheduler.schedulers.background import BackgroundScheduler
        from apscheduler.triggers.interval import IntervalTrigger

        alarm = BackgroundScheduler(timezone=UTC, job_defaults=MISFIRES)
        for cadence, trigger in self._triggers():
            alarm.add_job(self._bells[cadence].set, trigger)
        alarm.add_job(self._ring, IntervalTrigger(seconds=self._every.total_seconds()))
        alarm.start()
        return alarm

    def _triggers(self) -> "Iterator[tuple[Cadence, CronTrigger]]":
        from apscheduler.triggers.cron import CronTrigger

        config = self.scheduler.config
        for cadence, settings in config.schedule.items():
            zones: set[tzinfo] = {closing_zone(config, cadence)}
            if settings.local_time:
                zones.add(config.newsletter.timezone)
                zones |= {ZoneInfo(name) for name in self.scheduler.store.audience.zones(cadence)}
            for zone in zones:
                yield cadence, trigger_of(settings.due, zone)
            if settings.choose:
                yield cadence, CronTrigger(minute=_QUARTERS, timezone=UTC)


def trigger_of(due: Due, zone: tzinfo) -> "CronTrigger":
    """Wakes at the due moments in a zone, and at the second of two equal times as well."""
    from apscheduler.triggers.cron import CronTrigger

    # names, because its numbers are not those of cron: 0 is Monday here, Sunday there
    weekday = None if due.weekday is None else WEEKDAYS[due.weekday]
    return CronTrigger(
        day=due.day, day_of_week=weekday, hour=due.hour, minute=due.minute, timezone=zone
    )
