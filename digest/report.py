"""What became of issues as one HTML file: charts that need no script, each with its table.

Nothing in it is loaded from anywhere, and no address is in it: it may be mailed to anybody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from digest.config import Newsletter
from digest.store.followed import FEWEST as LEAST_READERS
from digest.store.followed import (
    Followed,
    IssueFollowed,
    StoryFollowed,
    by_target,
    stories_together,
)
from digest.store.statistics import Figures, IssueFigures, added

TAGS = 20
STORIES = 20
FEWEST = 5  # answers, before a topic may be called more useful than another
LEAST = 0.01
# Shares of what was handed over from which on something is wrong: the mailbox providers' own.
LIMITS = {"bounced": (0.01, 0.02), "complained": (0.001, 0.003)}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a chart and of its table."""

    name: str
    figures: Figures

    def share(self, part: str) -> float:
        """Of what was handed over; 0 to 1."""
        whole = self.figures.submitted
        return min(1.0, getattr(self.figures, part) / whole) if whole else 0.0

    def sum(self, parts: Iterable[tuple[str, str]]) -> float:
        """The share of several parts together."""
        return sum(self.share(part) for part, _ in parts)

    @property
    def votes(self) -> int:
        return self.figures.useful + self.figures.not_useful

    @property
    def useful(self) -> float:
        return self.figures.useful / self.votes if self.votes else 0.0

    def alarm(self, part: str) -> int:
        """0: as it should be; 1: look at it; 2: mailbox providers will act."""
        return sum(self.share(part) >= limit for limit in LIMITS.get(part, ()))


@dataclass(frozen=True, slots=True)
class Counted:
    """How often links were followed, in those issues whose clicks were counted."""

    issues: tuple[tuple[str, Followed], ...]  # by their names, where enough readers had them
    stories: tuple[StoryFollowed, ...]  # the most followed first
    links: tuple[tuple[str, Followed], ...] = ()  # of one issue alone, by where they lead

    @classmethod
    def of(cls, issues: Sequence[IssueFigures]) -> "Counted | None":
        """Of these; None where none was counted."""
        counted = [(one.issue.id, one.clicks) for one in issues if one.clicks is not None]
        if not counted:
            return None
        stories = stories_together(one for _, one in counted)[:STORIES]
        told = tuple((name, one.total) for name, one in counted if one.total is not None)
        return cls(told, stories, _links(counted[0][1]) if len(issues) == 1 else ())

    @property
    def rows(self) -> list[tuple[str, Followed]]:
        """The stories by their titles."""
        return [(one.title, one.followed) for one in self.stories]

    @property
    def most(self) -> float:
        """What a whole bar stands for: the highest rate, but no less than one in a thousand."""
        return max((1.0, *(one.followed.per_1000 for one in self.stories)))


def write_report(path: Path, newsletter: Newsletter, issues: Sequence[IssueFigures]) -> None:
    """Write the report of these issues, newest first."""
    path.write_text(report(newsletter, issues), encoding="utf-8")


def report(newsletter: Newsletter, issues: Sequence[IssueFigures]) -> str:
    """The report as text."""
    environment = Environment(
        loader=PackageLoader("digest", "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    total = Row("", sum((one.total for one in issues), Figures()))
    return environment.get_template("report.html").render(
        newsletter=newsletter,
        total=total,
        issues=[Row(one.issue.id, one.total) for one in issues],
        providers=_rows(added(one.providers for one in issues)),
        tags=_rows(added(one.tags for one in issues))[:TAGS],
        clicks=Counted.of(issues),
        alone=len(issues) == 1,
        least=LEAST_READERS,
        fewest=FEWEST,
        verdict=verdict,
        scale=_scale,
    )


def _links(issue: IssueFollowed) -> tuple[tuple[str, Followed], ...]:
    """Targets without their scheme: nothing in the report is to look like an address to load."""
    few = [(f"links of fewer than {LEAST_READERS} readers", issue.few)] if issue.few else []
    return (*by_target(issue.links[:STORIES], scheme=False), *few)


def verdict(tags: Sequence[Row]) -> str:
    """What the answers say of topics; nothing that a single reader could have said."""
    if not any(row.votes for row in tags):
        return "Nobody has said yet which topics are useful"
    asked = sorted((row for row in tags if row.votes >= FEWEST), key=lambda row: -row.useful)
    if not asked:
        return "Too few have answered to say which topics are useful"
    if len(asked) > 1 and asked[0].useful == asked[-1].useful:
        return "No topic is found more useful than another"
    return f"#{asked[0].name} is found most useful"


def percent(share: float) -> str:
    """`99.8 %`; more digits where there is little."""
    shown = 100 * share
    digits = 0 if shown in (0, 100) else 3 if shown < 0.1 else 2 if shown < 1 else 1
    return f"{shown:.{digits}f} %"


def _scale(rows: Sequence[Row], parts: Sequence[tuple[str, str]]) -> float:
    """What a whole bar stands for: the most there is, but no less than a hundredth."""
    return max((LEAST, *(row.sum(parts) for row in rows)))


def _rows(parts: dict[str, Figures]) -> list[Row]:
    return [Row(name, figures) for name, figures in parts.items()]
