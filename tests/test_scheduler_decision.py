"""What is done for a cadence, decided from its settings, what the ledger knows, and the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.config import CadenceConfig, Missed
from digest.models import Cadence, Due, Issue, Window
from digest.scheduler.decision import (
    Ask,
    Begun,
    Known,
    Plan,
    Rest,
    Send,
    Situation,
    Skip,
    decide,
    in_words,
)
from digest.store.ledger.records import IssueState
from digest.store.schedule.records import Answer, Approval, Standing

DUE = datetime(2026, 11, 19, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def issue(due: datetime = DUE) -> Issue:
    return Issue(f"weekly-{due:%Y-%m-%d}", Cadence.WEEKLY, Window(due - WEEK, due), due)


def situation(state: IssueState | None = None, **settings: object) -> Situation:
    """A weekly newsletter whose issue of the 19th is due."""
    return Situation(
        CadenceConfig(Due(9, 0, weekday=3), **settings),  # type: ignore[arg-type]
        Standing(DUE - 10 * WEEK),
        Known(issue(), state),
        Known(issue(DUE + WEEK)),
    )


def said(answer: Answer, asked: datetime | None = DUE - HOUR) -> Approval:
    return Approval("approve is set", asked, answer, None)


def test_an_issue_that_is_due_is_planned_then_sent_then_left_alone():
    assert decide(situation(), DUE) == Plan(issue())
    assert decide(situation(IssueState.PLANNED), DUE) == Send(issue())
    assert decide(situation(IssueState.DONE), DUE) == Rest()
    assert decide(situation(IssueState.CANCELLED), DUE) == Rest()


def test_what_was_due_before_issues_went_out_by_themselves_stays_unsent():
    fresh = replace(situation(), standing=Standing(DUE + MINUTE))

    assert decide(fresh, DUE + HOUR) == Rest()


def test_a_begun_issue_goes_on_when_there_is_work_also_while_its_cadence_is_paused():
    begun = Begun(issue(), DUE + HOUR)
    at_work = replace(
        situation(IssueState.SENDING), begun=(begun,), standing=Standing(DUE - WEEK, "holidays")
    )

    assert decide(at_work, DUE + HOUR) == Send(issue())
    assert decide(at_work, DUE) == Rest(
        ("weekly-2026-11-19 goes on at 2026-11-19 10:00 UTC", "paused: holidays")
    )


def test_nothing_is_planned_while_a_cadence_is_paused():
    paused = replace(situation(), standing=Standing(DUE - WEEK, "holidays"))

    assert decide(paused, DUE) == Rest(("paused: holidays",))


@pytest.mark.parametrize("late", [MINUTE, 11 * HOUR, 12 * HOUR])
def test_a_missed_issue_is_sent_up_to_the_limit(late):
    assert decide(situation(), DUE + late) == Plan(issue())


def test_a_missed_issue_is_skipped_beyond_the_limit_and_the_reason_is_said():
    step = decide(situation(), DUE + 13 * HOUR)

    assert step == Skip(issue(), "13 h late, and 12 h is the limit")
    skipped = replace(situation(), due=Known(issue(), skipped="13 h late"))
    assert decide(skipped, DUE + 14 * HOUR) == Rest(("weekly-2026-11-19 was skipped: 13 h late",))


def test_a_newsletter_that_skips_missed_issues_allows_for_a_restart():
    skips = situation(missed=Missed.SKIP)

    assert decide(skips, DUE + 10 * MINUTE) == Plan(issue())
    assert isinstance(decide(skips, DUE + 11 * MINUTE), Skip)


def test_a_newsletter_that_asks_plans_a_missed_issue_and_waits_for_a_yes():
    asks = situation(missed=Missed.ASK)

    assert decide(asks, DUE + 30 * HOUR) == Plan(issue())
    planned = situation(IssueState.PLANNED, missed=Missed.ASK)
    assert decide(planned, DUE) == Send(issue())
    assert decide(planned, DUE + 2 * HOUR) == Ask(
        issue(), "2 h late, and missed issues are asked about"
    )


def test_with_approval_an_issue_is_planned_ahead_and_the_editors_are_asked():
    ahead = situation(IssueState.DONE, approve=True, plan_ahead=6 * HOUR)
    coming = issue(DUE + WEEK)

    assert decide(ahead, DUE + WEEK - 6 * HOUR - MINUTE) == Rest()
    assert decide(ahead, DUE + WEEK - 6 * HOUR) == Plan(coming)
    planned = replace(ahead, coming=Known(coming, IssueState.PLANNED))
    assert decide(planned, DUE + WEEK - 5 * HOUR) == Ask(coming, "approve is set")


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        (Answer.APPROVED, Send(issue())),
        (Answer.HELD, Rest(("weekly-2026-11-19 is held: approve is set",))),
        (
            Answer.NONE,
            Rest(("weekly-2026-11-19 waits for an editor's yes: approve is set",), issue()),
        ),
    ],
)
def test_at_the_due_moment_only_what_was_approved_is_sent(answer, step):
    known = Known(issue(), IssueState.PLANNED, approval=said(answer))

    assert decide(replace(situation(approve=True), due=known), DUE) == step


def test_an_approved_issue_waits_for_its_moment():
    coming = Known(issue(DUE + WEEK), IssueState.PLANNED, approval=said(Answer.APPROVED))
    waits = replace(situation(IssueState.DONE, approve=True), coming=coming)

    assert decide(waits, DUE + WEEK - MINUTE) == Rest(
        ("weekly-2026-11-26 is approved and not due yet",), issue(DUE + WEEK)
    )


def test_a_late_yes_is_a_yes():
    known = Known(issue(), IssueState.PLANNED, approval=said(Answer.APPROVED))

    assert decide(replace(situation(approve=True), due=known), DUE + 50 * HOUR) == Send(issue())


def test_a_paused_issue_waits_for_a_person():
    known = Known(issue(), IssueState.PAUSED, "canary of 500 readers")

    assert decide(replace(situation(), due=known), DUE) == Rest(
        ("weekly-2026-11-19 is paused: canary of 500 readers",)
    )


@pytest.mark.parametrize(
    ("span", "words"),
    [(90 * MINUTE, "90 min"), (13 * HOUR, "13 h"), (WEEK, "7 days")],
)
def test_time_spans_are_said_in_words(span, words):
    assert in_words(span) == words
