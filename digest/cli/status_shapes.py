"""How things stand, as JSON (docs/json.md) and as tables for a terminal."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from digest.cli.tables import counted, safe
from digest.config import Config
from digest.scheduler import Survey
from digest.scheduler.decision import in_words
from digest.scheduler.survey import Rhythm, Watched
from digest.store.ledger.records import DeliveryState, IssueState

_LOOKS = {
    IssueState.PLANNED: "cyan",
    IssueState.SENDING: "bold green",
    IssueState.PAUSED: "bold yellow",
    IssueState.DONE: "dim",
    IssueState.CANCELLED: "dim",
}
_TOLD = (  # states that a line mentions when there are any
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.SUPPRESSED,
    DeliveryState.CANCELLED,
)


def status_json(config: Config, found: Survey) -> dict[str, Any]:
    """`digest/status@1`."""
    return {
        "schema": "digest/status@1",
        "at": found.at.isoformat(),
        "provider": config.provider,
        "rate_limit": config.restraint.rate,
        "senders": found.senders,
        "unknown": found.unknown,
        "issues": [_issue_json(one) for one in found.issues],
        "cadences": [_rhythm_json(one) for one in found.rhythms],
        "suppressions": dict(found.suppressions),
        "subscribers": dict(found.subscribers),
    }


def _issue_json(one: Watched) -> dict[str, Any]:
    remaining = one.remaining
    return {
        "issue": one.issue.id,
        "state": one.issue.state.value,
        "paused_because": one.issue.paused_because,
        "provider": one.issue.provider,
        "due": one.issue.due.isoformat(),
        "readers": one.issue.readers,
        "deliveries": {state.value: n for state, n in one.progress.states.items()},
        "per_second": round(one.rate, 2),
        "seconds_left": None if remaining is None else int(remaining.total_seconds()),
    }


def _rhythm_json(one: Rhythm) -> dict[str, Any]:
    return {
        "cadence": one.cadence.value,
        "next": one.coming.id,
        "due": one.coming.window.end.isoformat(),
        "by_itself": one.by_itself,
        "paused_because": one.paused_because,
        "behind_seconds": int(one.behind.total_seconds()),
        "waits": list(one.waits),
    }


def drawn(config: Config, found: Survey) -> RenderableType:
    """The same for people."""
    return Group(
        _issues(found) if found.issues else Text("No issue was planned yet."),
        *(f"  {note}" for one in found.issues for note in _issue_notes(one)),
        "",
        _rhythms(found),
        *(f"  {one.cadence.value}: {note}" for one in found.rhythms for note in _waits(one)),
        "",
        *_last_lines(config, found),
    )


def _issues(found: Survey) -> Table:
    table = _table("issue", "state", "done", "readers", "a second", "left")
    for column in table.columns[2:]:
        column.justify = "right"
    for one in found.issues:
        readers, state = one.issue.readers, one.issue.state
        table.add_row(
            Text(one.issue.id, "bold"),
            Text(state.value, _LOOKS[state]),
            f"{(readers - one.left) / readers:.0%}" if readers else "-",
            f"{readers:,}",
            f"{one.rate:,.1f}" if one.progress.lately else "",
            _span(one.remaining) if one.remaining is not None else "",
        )
    return table


def _issue_notes(one: Watched) -> Iterator[str]:
    name = one.issue.id
    if one.issue.paused_because:
        yield f"{name}: [yellow]paused:[/] {_shown(one.issue.paused_because)}"
    for state in _TOLD:
        if number := one.progress.states[state]:
            looks = "red" if state in (DeliveryState.FAILED, DeliveryState.UNKNOWN) else "default"
            yield f"{name}: [{looks}]{number:,} {state.value}[/]"


def _rhythms(found: Survey) -> Table:
    table = _table("cadence", "next issue", "due", "behind")
    for one in found.rhythms:
        due = one.coming.date
        late = f"[bold red]{_span(one.behind)}[/]" if one.behind else "no"
        table.add_row(
            Text(one.cadence.value, "bold"),
            one.coming.id,
            f"{due:%a %d %b %H:%M}, in {in_words(one.coming.window.end - found.at)}",
            late if one.by_itself else "",
        )
    return table


def _waits(one: Rhythm) -> Iterator[str]:
    if not one.by_itself:
        yield "does not go out by itself yet; start: digest serve"
    yield from map(_shown, one.waits)


def _last_lines(config: Config, found: Survey) -> Iterator[str]:
    limit = f", at most {config.restraint.rate:,} a second" if config.restraint.rate else ""
    who = counted(found.senders, "sender") if found.senders else "no sender"
    yield f"{who} at work; through {config.provider}{limit}"
    yield f"subscribers: {_listed(found.subscribers)}; suppressed: {_listed(found.suppressions)}"
    if found.unknown:
        yield "[red]settle what is unknown:[/] digest issues resolve ISSUE --help"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items()) or "none"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table


def _span(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s" if span < timedelta(minutes=2) else in_words(span)


def _shown(text: str) -> str:
    """Somebody else's words, which steer neither the terminal nor rich."""
    return escape(safe(text))
