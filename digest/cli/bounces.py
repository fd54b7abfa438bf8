"""`digest bounces`: mails that came back."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.groups import command_group
from digest.cli.session import Session, project_command
from digest.cli.stored import required_store
from digest.cli.tables import counted

if TYPE_CHECKING:
    from digest.bounces import Report
    from digest.store import Store

_BATCH = 500  # mails
_SHOWN = 20  # reasons


@project_command(name="import", example="digest bounces import /var/mail/bounces", goes_on=True)
@click.argument("places", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what they are, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def import_bounces(session: Session, places: tuple[Path, ...], dry_run: bool, as_json: bool) -> int:
    """Take in what came back by mail: bounces, delays and complaints.

    From files, mboxes, maildirs or folders of mails. May be repeated: a mail that was read before
    changes nothing. A mail counts only when it holds the id of a delivery of ours.
    """
    intake = _Intake(required_store(session), datetime.now(UTC), dry_run)
    for place in places:
        intake.take(place)
    intake.write()
    shape = intake.shape()
    if as_json:
        click.echo(json.dumps(shape, ensure_ascii=False))
        return session.finish()
    session.say(counted(intake.kinds.total(), "mail"))
    for kind, number in intake.kinds.most_common():
        click.echo(f"{number:>9,} {kind}")
    for reason, number in intake.reasons.most_common(_SHOWN):
        click.echo(f"{number:>11,} {reason}")
    heard = intake.heard
    written = (
        f"{counted(heard.stamped, 'delivery', 'deliveries')} marked, "
        f"{counted(heard.suppressed, 'address', 'addresses')} suppressed"
    )
    session.say("nothing is changed" if dry_run else f"{written}, {heard.known:,} known before")
    return session.finish()


class _Intake:
    """Mails on their way into the ledger."""

    def __init__(self, store: "Store", now: datetime, dry_run: bool) -> None:
        from digest.store.ledger.hearing import Heard

        self.kinds: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.heard: Heard = Heard()
        self._store, self._now, self._dry_run = store, now, dry_run
        self._waiting: list[Report] = []

    def take(self, place: Path) -> None:
        from digest.bounces import MOST, mails, understand

        for raw in mails(place):
            try:
                if len(raw) > MOST:
                    raise ValueError("too large")
                self._waiting.append(understand(raw, self._now))
            except ValueError as error:
                self.kinds["unreadable"] += 1
                self.reasons[f"unreadable: {error}"] += 1
            if len(self._waiting) >= _BATCH:
                self.write()

    def write(self) -> None:
        """Count those who wait, and write what is about deliveries of ours."""
        from digest.bounces import Said

        readers = self._store.hearing.readers(
            {name for one in self._waiting for name in one.deliveries}, self._now
        )
        events = []
        for one in self._waiting:
            ours = next((name for name in one.deliveries if name in readers), None)
            if one.said is Said.OTHER:
                self.kinds[Said.OTHER.value] += 1
            elif ours is None:
                self.kinds["not ours"] += 1
            else:
                self.kinds[one.said.value] += 1
                events.append(one.event(ours, readers[ours]))
                if one.reason:
                    self.reasons[f"{one.status} {one.reason}".strip()] += 1
        self._waiting.clear()
        if events and not self._dry_run:
            self.heard += self._store.hearing.hear(events, self._now, "bounce mail", thorough=True)

    def shape(self) -> dict[str, object]:
        """As docs/json.md has it."""
        from digest.bounces import Said

        kinds = (*(said.value for said in Said), "not ours", "unreadable")
        return {
            "schema": "digest/bounces@1",
            "dry_run": self._dry_run,
            "mails": self.kinds.total(),
            "kinds": {kind: self.kinds[kind] for kind in kinds},
            "known": self.heard.known,
            "stamped": self.heard.stamped,
            "suppressed": self.heard.suppressed,
            "reasons": [{"reason": why, "mails": n} for why, n in self.reasons.most_common()],
        }


command = command_group(
    "bounces",
    import_bounces,
    help="Take in bounces and complaints that came by mail.",
    example="digest bounces import /var/mail/bounces",
)
