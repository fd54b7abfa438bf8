"""The store of a project, and the issues planned in it, for the commands that plan and send."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from digest.cli.audience import desk_of, laid_out, store_of
from digest.cli.session import Session
from digest.errors import DigestError
from digest.issues import Draft

if TYPE_CHECKING:
    from digest.freshness import Frozen
    from digest.store import Store
    from digest.store.ledger.records import PlannedIssue

OUTBOX = "outbox"  # the provider that takes nothing off this machine


def required_store(session: Session) -> "Store":
    """The store; DigestError when there is none yet."""
    store = store_of(session)
    if store is None:
        raise DigestError(
            "there is no store yet, and without one no issue is kept",
            hint="make it: digest subscribers import FILE --consent 'how they agreed'",
        )
    return store


def planned_issue(store: "Store", name: str) -> "PlannedIssue":
    """The issue of this id; DigestError when none is planned."""
    found = store.ledger.find(name)
    if found is None:
        raise DigestError(f"no issue {name!r} is planned", hint="digest issues list names them")
    return found


def draft_named(session: Session, name: str, *, replan: bool = False) -> Draft:
    """An issue by its id, planned or not: `weekly-2026-11-19` says when it is due."""
    store = store_of(session)
    planned = store.ledger.find(name) if store else None
    desk = desk_of(session) if planned else None
    if planned is not None and desk is not None:
        from digest.planning import as_planned

        return desk.lay_out(as_planned(session.config, planned), replan=replan)
    cadence, _, day = name.partition("-")
    try:
        datetime.fromisoformat(day)
        draft = laid_out(session, day, cadence, replan=replan)
    except ValueError:
        draft = None
    if draft is None or draft.issue.id != name:
        raise DigestError(
            f"there is no issue {name!r}", hint="digest plan names the one that is due"
        )
    return draft


def freeze(session: Session, store: "Store", draft: Draft, *, replan: bool = False) -> "Frozen":
    """The plan of the draft's issue, made now if there is none."""
    from digest.planning import freeze

    return freeze(
        draft,
        store,
        provider=session.config.provider,
        now=datetime.now(UTC),
        replan=replan,
    )


replan_option = click.option(
    "--replan", is_flag=True, help="Plan the issue anew, or what is left of it."
)
