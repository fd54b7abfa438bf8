"""What one check is: its id, how much it matters, and what a person is told who asks why."""

from dataclasses import dataclass

from digest.models import Finding, Severity

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. The id never changes and is never used for another."""

    id: str  # `group/name`; a rule that ends in `/*` stands for every id of its group
    severity: Severity  # of most of its findings; a milder case may say so
    title: str  # one sentence: what holds when nothing is found
    why: str  # what goes wrong for a reader or the sender otherwise
    fix: str  # what to do about a finding
    source: str  # who says so: a standard, a mailbox provider's rules, a measurement

    @property
    def group(self) -> str:
        return self.id.partition("/")[0]

    def at(
        self,
        path: str,
        line: int,
        message: str,
        *,
        key: str = "",
        fix: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this check at a place."""
        return Finding(path, line, self.id, severity or self.severity, message, key, fix)
