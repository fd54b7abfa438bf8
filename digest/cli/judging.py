"""What the checks say of an issue that is planned or about to go out, and what may pass."""

import getpass
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from digest.cli.session import Session
from digest.cli.tables import counted
from digest.issues import Draft
from digest.models import Finding, Plan

if TYPE_CHECKING:
    from digest.store import Store
    from digest.store.ledger.records import PlannedIssue


@dataclass(frozen=True, slots=True)
class Errors:
    """The errors of an issue: those that block it, and those that were allowed just now."""

    blocking: tuple[Finding, ...]
    allowed: tuple[Finding, ...]


def judge(session: Session, draft: Draft, plan: Plan, store: "Store | None") -> None:
    """Check everything that a plan holds; findings are told at the end of the command."""
    from digest.proofs import before, inspect_plan

    last = before(store, draft.issue) if store else None
    session.findings.extend(inspect_plan(draft, plan, last))


def errors_of(
    session: Session, store: "Store", issue: "PlannedIssue", wished: Iterable[str]
) -> Errors:
    """The errors found, without those of checks that were allowed for this issue before."""
    from digest.proofs import blocking

    known = [one.check for one in store.ledger.operator.allowed(issue.number)]
    left = blocking(session.findings, known)
    still = blocking(left, wished)
    return Errors(tuple(still), tuple(one for one in left if one not in still))


def record(store: "Store", issue: "PlannedIssue", errors: Errors) -> None:
    """Write down what was allowed, by whom and when."""
    if errors.allowed:
        checks = Counter(finding.check for finding in errors.allowed)
        store.ledger.operator.allow(issue.number, checks, _person(), datetime.now(UTC))


def blocked(findings: Iterable[Finding]) -> str:
    """`2 errors of link/private, 1 error of size/html`."""
    checks = Counter(finding.check for finding in findings)
    return ", ".join(f"{counted(n, 'error')} of {check}" for check, n in checks.items())


def allowing(issue: str, findings: Iterable[Finding]) -> str:
    """The command that lets it go out all the same."""
    checks = dict.fromkeys(finding.check for finding in findings)
    return " ".join(("digest send", issue, *(f"--allow {shlex.quote(check)}" for check in checks)))


def known_checks(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Ids as they were given; a usage error for one that is no check's."""
    if given:
        from digest.checks import find, nearest

        for check in given:
            if find(check) is None:
                close = nearest(check)
                hint = f"did you mean {close}?" if close else "digest check --list names them"
                raise click.BadParameter(f"there is no check {check!r}; {hint}")
    return given


def _person() -> str:
    """Who runs the command, as the system knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        return "unknown"
