"""`digest stats`: what became of issues."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.clicks import clicks_json, tell_clicks
from digest.cli.session import Session, project_command
from digest.cli.stored import planned_issue, required_store
from digest.cli.tables import bar, counted, sparkline, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digest.store.statistics import Figures, IssueFigures

_TAGS = 15
_HEAD = ("", "readers", "delivered", "deferred", "bounced", "complained", "left", "useful")
_RIGHT = tuple(range(1, len(_HEAD)))


@project_command(name="stats", example="digest stats --last 6 --html report.html")
@click.argument("issue", required=False)
@click.option("--last", type=click.IntRange(min=1), default=12, show_default=True, metavar="N",
              help="So many issues, the newest.")  # fmt: skip
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write a report to look at: one file, with charts.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/json.md).")
def command(
    session: Session, issue: str | None, last: int, page: Path | None, as_json: bool
) -> int:
    """Say what became of issues: delivered, bounced, complained, left, found useful.

    Of one issue also by mailbox provider and by tag. Opens are not measured, and clicks only where
    `stats.clicks` asks for it: then for each thousand readers who were sent a story.
    """
    from digest.store.links import kept_since
    from digest.store.statistics import Statistics

    store = required_store(session)
    statistics = Statistics(store.database, kept_since(datetime.now(UTC)))
    found = (statistics.of(planned_issue(store, issue)),) if issue else statistics.latest(last)
    if page is not None:
        from digest.report import write_report

        write_report(page, session.config.newsletter, found)
        session.say(f"wrote {page}")
    if as_json:
        shape = {"schema": "digest/stats@1", "issues": [issue_json(one) for one in found]}
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
    elif page is None:
        _tell(session, found, bool(issue))
    return session.finish()


def _tell(session: Session, found: "Sequence[IssueFigures]", alone: bool) -> None:
    if not found:
        session.say("no issue has gone out yet")
        return
    known = any(one.total.delivered for one in found)
    _table({one.issue.id: one.total for one in found}, known)
    if not alone and len(found) > 1:
        oldest_first = [one.total for one in reversed(found)]
        click.echo()
        for name, part in (("delivered", "delivered"), ("bounced", "bounced"),
                           ("complained", "complained"), ("left", "unsubscribed")):  # fmt: skip
            shares = [_share(getattr(one, part), one.submitted) for one in oldest_first]
            click.echo(f"{name:<12}{sparkline(shares)}")
    for title, parts in (("mailbox providers", _added(found, "providers")),
                         ("tags", _added(found, "tags"))):  # fmt: skip
        click.echo()
        click.secho(f"by {title}", bold=True)
        shown = dict(list(parts.items())[:_TAGS])
        _table(shown, known)
        if len(parts) > len(shown):
            session.say(f"and {counted(len(parts) - len(shown), 'tag')} more; all with --json")
    tell_clicks(session, found, alone)


def _table(rows: "Mapping[str, Figures]", known: bool) -> None:
    """`known`: somebody tells what is delivered; a mail server of one's own does not."""
    most = max((one.readers for one in rows.values()), default=0)
    cells = [_cells(name, one, known, most) for name, one in rows.items()]
    lines = table([(*_HEAD, ""), *cells], right=_RIGHT)
    click.secho(lines[0], dim=True)
    for line in lines[1:]:
        click.echo(line)


def _cells(name: str, one: "Figures", known: bool, most: int) -> tuple[str, ...]:
    """`-`: nobody has told, which is not the same as none."""
    votes = one.useful + one.not_useful
    useful = f"{100 * one.useful / votes:.0f} % of {votes:,}" if votes else "-"
    shares = (one.deferred, one.bounced, one.complained, one.unsubscribed)
    return (
        name,
        f"{one.readers:,}",
        _percent(one.delivered, one.submitted) if known else "-",
        *(_percent(part, one.submitted) for part in shares),
        useful,
        bar(one.readers, most, 16),
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * _share(part, whole):.2f} %" if part else "0 %"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _added(found: "Sequence[IssueFigures]", part: str) -> "dict[str, Figures]":
    from digest.store.statistics import added

    return added(getattr(one, part) for one in found)


def issue_json(one: "IssueFigures") -> dict[str, object]:
    """The figures of one issue."""
    from dataclasses import asdict

    return {
        "issue": one.issue.id,
        "cadence": one.issue.cadence.value,
        "due": one.issue.due.isoformat().replace("+00:00", "Z"),
        "state": one.issue.state.value,
        "total": asdict(one.total),
        "providers": {name: asdict(figures) for name, figures in one.providers.items()},
        "tags": {name: asdict(figures) for name, figures in one.tags.items()},
        "clicks": clicks_json(one.clicks),
    }
