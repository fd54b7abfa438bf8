"""What one worker of all does every ten seconds: settle what dead ones left, and fill the queue."""

from dataclasses import dataclass
from datetime import timedelta

from digest import logs
from digest.config import Config
from digest.errors import DigestError
from digest.pace import Patience
from digest.providers import connect
from digest.sender import JOURNALS, utc_now
from digest.sender.recovery import Recovery
from digest.store import Store
from digest.store.ledger.records import Owner, PlannedIssue
from digest.workers import submit

_log = logs.get("worker")


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Looks after all issues that workers are sending."""

    config: Config
    store: Store

    def __call__(self) -> None:
        """Once for each issue. What goes wrong with one is in the log."""
        ledger = self.store.ledger
        for name in ledger.with_workers():
            try:
                if (planned := ledger.find(name)) is not None:
                    self._look_after(planned)
            except DigestError as error:
                _log.error("worker.failed", issue=name, failure=error, hint=error.hint)

    def _look_after(self, planned: PlannedIssue) -> None:
        ledger = self.store.ledger
        if settled := self._recover(planned):
            _log.warning("worker.recovered", issue=planned.id, windows=settled)
        if ledger.operator.finish(planned.number):
            ledger.settle_coverage()
            _log.info("issue.sent", issue=planned.id)
        else:
            submit(self.store, planned.number, planned.provider)

    def _recover(self, planned: PlannedIssue) -> int:
        """Settle the windows of dead workers: by their journals where those are on this machine,
        else when their lease is over."""
        ledger, restraint = self.store.ledger, self.config.restraint
        claims = ledger.claims(planned.number, Owner("", "upkeep"))
        if not claims.held_by_others():
            return 0
        provider = connect(self.config)
        try:
            return Recovery(
                ledger,
                claims,
                planned.id,
                self.config.root / JOURNALS,
                provider,
                Patience(restraint.attempts, timedelta(seconds=restraint.retry_after)),
                utc_now,
            ).recover()
        finally:
            provider.close()
