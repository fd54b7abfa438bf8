"""`digest schedule`: what is ahead, and doing it once."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from digest.cli.exits import Exit
from tests.store import sending
from tests.store.test_cli_issues import carrier, stored

__all__ = ["carrier", "stored"]

AT = ("--at", "2026-11-19 09:00")
ISSUE = "weekly-2026-11-19"


def states(run) -> dict[str, str]:  # type: ignore[no-untyped-def]
    listed = json.loads(run("issues", "list", "--json").out)["issues"]
    return {one["issue"]: one["state"] for one in listed}


def test_run_once_plans_and_sends_what_is_due_and_then_nothing(stored, run, carrier):  # type: ignore[no-untyped-def]
    first = run("schedule", "run-once", *AT)
    again = run("schedule", "run-once", *AT)

    assert (first.code, again.code) == (0, 0)
    assert states(run) == {ISSUE: "done"}
    assert len(carrier.taken) == 3
    events = [json.loads(line)["event"] for line in first.err.splitlines() if line[:1] == "{"]
    assert events == ["issue.planned", "issue.sending", "issue.sent"]


def test_the_first_run_sends_nothing_that_was_due_before(stored, run, carrier):  # type: ignore[no-untyped-def]
    assert run("schedule", "run-once").code == 0
    assert states(run) == {}


def test_only_the_outbox_takes_an_issue_before_its_time(stored, run, carrier):  # type: ignore[no-untyped-def]
    later = (datetime.now(UTC) + timedelta(days=30)).isoformat()

    assert run("schedule", "run-once", "--at", later).code == Exit.FAILED


def test_a_failing_provider_fails_the_run(stored, run, carrier, monkeypatch):  # type: ignore[no-untyped-def]
    broken = sending.refused(sending.Outcome.PERMANENT)
    carrier.answers.update(dict.fromkeys(("ana", "bo", "cy"), broken))
    monkeypatch.setenv("DIGEST_DELIVERY__STOP_AFTER", "2")

    assert run("schedule", "run-once", *AT).code == Exit.FAILED
    assert states(run) == {ISSUE: "paused"}


def test_what_is_ahead_is_shown_with_window_readers_and_stories(stored, run):  # type: ignore[no-untyped-def]
    now = datetime.now(UTC)
    stored.post("news", published=f"{now:%Y-%m-%d}")
    shape = json.loads(run("schedule", "show", "--json").out)
    told = run("schedule", "show")

    first, second, *_ = shape["issues"]
    assert len(shape["issues"]) == 5
    assert first["window"]["end"] == second["window"]["start"]
    assert (first["readers"], first["state"]) == (4, "")
    assert first["stories"] >= 1
    assert shape["cadences"][0]["since"] is None
    assert first["issue"] in told.out
    assert "does not go out by itself yet" in told.err


def test_the_next_moments_need_no_store(project, run):  # type: ignore[no-untyped-def]
    lines = run("schedule", "next", "-n", "3").out.splitlines()

    assert len(lines) == 3
    assert all("09:00  weekly-20" in line and "(Europe/Dublin)" in line for line in lines)


def test_a_paused_schedule_says_so_until_it_is_resumed(stored, run, carrier):  # type: ignore[no-untyped-def]
    assert run("schedule", "pause", "weekly", "--because", "holidays").code == 0
    run("schedule", "run-once", *AT)
    assert "weekly: paused: holidays" in run("schedule", "show").err
    assert carrier.taken == []
    assert run("schedule", "resume").code == 0
    assert "paused" not in run("schedule", "show").err


def test_a_cadence_without_settings_cannot_be_paused(stored, run):  # type: ignore[no-untyped-def]
    assert "[cadence.daily]" in run("schedule", "pause", "daily").err


def test_an_issue_is_approved_and_held_by_command(stored, run, carrier, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DIGEST_CADENCE__WEEKLY__APPROVE", "true")
    monkeypatch.setenv("DIGEST_NEWSLETTER__EDITORS", "ed@example.com")
    run("schedule", "run-once", *AT)
    assert carrier.taken == ["ed@example.com"] * 2  # a test copy, and the question

    assert run("schedule", "hold", ISSUE).code == 0
    run("schedule", "run-once", *AT)
    assert states(run) == {ISSUE: "planned"}
    assert run("schedule", "approve", ISSUE).code == 0
    run("schedule", "run-once", *AT)
    assert states(run) == {ISSUE: "done"}
    assert len(carrier.taken) == 2 + 3
    assert "is done" in run("schedule", "hold", ISSUE).err


@pytest.mark.parametrize("verb", ["show", "run-once", "pause", "resume"])
def test_what_needs_a_store_says_how_to_make_one(project, run, verb):  # type: ignore[no-untyped-def]
    result = run("schedule", verb)

    assert result.code == Exit.FAILED
    assert "digest subscribers import" in result.err
