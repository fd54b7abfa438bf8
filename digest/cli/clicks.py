"""How often links were followed, for `digest stats`: as tables and as JSON."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from digest.cli.tables import bar, table
from digest.columns import width

if TYPE_CHECKING:
    from digest.cli.session import Session
    from digest.store.followed import Followed, IssueFollowed
    from digest.store.statistics import IssueFigures

_SHOWN = 15
_NAME = 60  # columns of a title or an address
_HEAD = ("", "readers", "clicks", "per 1,000", "by machines")


def tell_clicks(session: "Session", found: "Sequence[IssueFigures]", alone: bool) -> None:
    """What was counted, and what was not measured."""
    from digest.store.followed import FEWEST, by_target, stories_together

    counted = [one for one in found if one.clicks is not None]
    if not counted:
        session.say("opens and clicks are not measured")
        return
    told = [(one.issue.id, one.clicks) for one in counted if one.clicks and one.clicks.total]
    _table("followed", [(name, issue.total) for name, issue in told if issue.total])
    stories = stories_together(issue for _, issue in told)
    _table("by story", [(one.title, one.followed) for one in stories])
    if alone and told:
        issue = told[0][1]
        few = [(f"links of fewer than {FEWEST} readers", issue.few)] if issue.few else []
        _table("by link", [*by_target(issue.links[:_SHOWN], scheme=True), *few])
        if len(issue.links) > _SHOWN:
            session.say(f"and {len(issue.links) - _SHOWN} links more; all with --json")
    if partly := [one.issue.id for one in counted if one.clicks and one.clicks.partly]:
        session.say(f"planned anew while going out: {', '.join(partly)}; "
                    "of links that only a part was sent nothing is told")  # fmt: skip
    if any(one.clicks and not (one.clicks.total or one.clicks.partly) for one in counted):
        session.say(f"clicks of fewer than {FEWEST} readers are not told")
    session.say("clicks are people's, as far as one can tell; opens are not measured")


def _table(title: str, rows: "Iterable[tuple[str, Followed]]") -> None:
    shown = list(rows)[:_SHOWN]
    if not shown:
        return
    most = max(one.per_1000 for _, one in shown)
    cells = [
        (
            _short(name),
            f"{one.readers:,}",
            f"{one.people:,}",
            f"{one.per_1000:,.1f}",
            f"{one.machines:,}",
        )
        for name, one in shown
    ]
    lines = table([_HEAD, *cells], right=(1, 2, 3, 4))
    click.echo()
    click.secho(title, bold=True)
    click.secho(lines[0], dim=True)
    grey = max(width(row[-1]) for row in (_HEAD, *cells))
    for line, (_, one) in zip(lines[1:], shown, strict=True):
        drawn = bar(one.per_1000, most, 16)
        click.echo(f"{line[:-grey]}{click.style(line[-grey:], dim=True)}  {drawn}".rstrip())


def _short(name: str) -> str:
    while width(name) > _NAME:
        name = name[:-2].rstrip("…") + "…"
    return name


def clicks_json(issue: "IssueFollowed | None") -> dict[str, object] | None:
    """The clicks of one issue; null where they were not counted."""
    if issue is None:
        return None
    return {
        **(_json(issue.total) if issue.total else dict.fromkeys(("readers", *_COUNTS))),
        "stories": [
            {"id": one.id, "title": one.title, **_json(one.followed)} for one in issue.stories
        ],
        "links": [
            {"url": one.url, "story": one.story or None, **_json(one.followed)}
            for one in issue.links
        ],
        "few": _json(issue.few) if issue.few else None,
        "partly": issue.partly,
    }


_COUNTS = ("people", "machines", "per_1000")


def _json(one: "Followed") -> dict[str, object]:
    return {**one._asdict(), "per_1000": round(one.per_1000, 2)}
