"""Planning and sending by command, with a store."""

import json
import os
import subprocess
import sys
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest

from digest import providers
from digest.cli.exits import Exit
from tests.store import sending

AT = ("--at", "2026-11-20")
ISSUE = "weekly-2026-11-19"


@pytest.fixture
def stored(project, run):  # type: ignore[no-untyped-def]
    """The project, with its list in a store."""
    project.write("digest.toml", (project.root / "digest.toml").read_text())
    assert run("subscribers", "import", "subscribers/list.csv", "--consent", "a test").code == 0
    return project


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> sending.Carrier:
    """A provider that is not the outbox, taken by the setting `delivery.provider`."""
    one = sending.Carrier()
    monkeypatch.setitem(providers._MODULES, "carrier", "tests.store.carried")
    monkeypatch.setattr("tests.store.carried.CARRIER", one)
    monkeypatch.setenv("DIGEST_DELIVERY__PROVIDER", "carrier")
    return one


def shown(run, *more: str) -> dict:  # type: ignore[no-untyped-def, type-arg]
    return json.loads(run("issues", "show", ISSUE, "--json", *more).out)


def test_a_plan_is_kept_and_shown_again(stored, run):  # type: ignore[no-untyped-def]
    first = json.loads(run("plan", "--json", *AT).out)
    again = json.loads(run("plan", "--json", *AT).out)

    assert first == again
    assert (first["readers"], first["state"]) == (3, "planned")
    assert 0 < first["sizes"]["smallest"] <= first["sizes"]["median"] <= first["sizes"]["largest"]
    assert first["skipped"] == {"monthly, not due": 1, "nothing new for their tags": 1}


def test_the_outbox_gets_exactly_the_plan(stored, run):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    result = run("send", ISSUE)

    assert result.code == 0
    assert "3 submitted" in result.err
    assert len(list((stored.root / "outbox" / ISSUE).glob("0000/*.eml"))) == 3
    assert (stored.root / "outbox" / ISSUE / "index.html").exists()


def test_with_and_without_a_store_the_messages_are_the_same(project, run):  # type: ignore[no-untyped-def]
    """But for what is made of a reader's id, which the store draws."""
    run("send", *AT)
    without = _subjects(project.root)
    (project.root / "outbox").rename(project.root / "before")
    run("subscribers", "import", "subscribers/list.csv", "--consent", "a test")
    run("send", *AT)

    assert _subjects(project.root) == without


def _subjects(root: Path) -> set[tuple[str, str, str]]:
    messages = [
        BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        for path in (root / "outbox").rglob("*.eml")
    ]
    return {(m["To"], m["Subject"], m["Date"]) for m in messages}


def test_sending_twice_sends_nothing_more(stored, run):  # type: ignore[no-untyped-def]
    run("send", *AT)
    result = run("send", *AT)

    assert result.code == 0
    assert "0 in this run" in result.err


def test_a_changed_post_makes_the_plan_stale(stored, run):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    stored.post("agents", tags="#ai #python", title="Another title")

    result = run("send", ISSUE)
    again = run("send", ISSUE, "--replan")

    assert result.code == Exit.STALE
    assert "story agents has changed" in result.err
    assert "digest plan --replan" in result.err
    assert again.code == 0


POST_WITH_PRIVATE_LINK = """\
---
title: About agents
publishedAt: 2026-11-16
hashtags: "#ai #python"
---
## About agents

**TLDR:** What happened with agents, in one sentence.

**Link:** [The original](https://localhost/agents)
"""


def test_a_real_provider_needs_the_plan_first(stored, run, carrier):  # type: ignore[no-untyped-def]
    result = run("send", *AT)

    assert result.code == Exit.FAILED
    assert "digest plan --at 2026-11-19" in result.err


@pytest.mark.parametrize("said", [[], ["--confirm", "4"]])
def test_a_real_provider_needs_the_number_of_readers(stored, run, carrier, said):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    result = run("send", ISSUE, *said)

    assert result.code == Exit.DECLINED
    assert "--confirm 3" in result.err
    assert ("4 is not the number" in result.err) == bool(said)
    assert carrier.taken == []


@pytest.mark.parametrize("said", [[], ["--confirm", "4"]])
def test_a_send_that_is_refused_says_so_when_it_is_to_be_quiet_too(stored, run, carrier, said):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    result = run("send", ISSUE, *said, "-q")

    assert (result.code, result.out) == (Exit.DECLINED, "")
    assert result.err.startswith("Not sent")
    assert "--confirm 3" in result.err


def test_with_the_number_of_readers_it_is_sent(stored, run, carrier):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    result = run("send", ISSUE, "--confirm", "3", "--json")

    assert result.code == 0
    assert json.loads(result.out)["deliveries"]["submitted"] == len(carrier.taken) == 3


def test_errors_in_posts_stop_a_real_send_until_allowed(stored, run, carrier):  # type: ignore[no-untyped-def]
    stored.write("content/bad.md", "---\ntitle: Bad\npublishedAt: soon\n---\nText.\n")
    run("plan", *AT)

    refused = run("send", ISSUE, "--confirm", "3")
    assert refused.code == Exit.DECLINED
    assert f"digest send {ISSUE} --allow front-matter/date" in refused.err
    assert run("send", ISSUE, "--confirm", "3", "--allow", "link/dead").code == Exit.DECLINED
    quiet = run("send", ISSUE, "--confirm", "3", "-q").err
    assert f"digest send {ISSUE} --allow front-matter/date" in quiet
    sent = run("send", ISSUE, "--confirm", "3", "--allow", "front-matter/date")
    assert sent.code == Exit.CHECKS
    assert len(carrier.taken) == 3


def test_what_a_check_found_stops_a_real_send_and_the_yes_to_it_is_recorded(  # type: ignore[no-untyped-def]
    stored, run, carrier, monkeypatch
):
    monkeypatch.setattr("getpass.getuser", lambda: "ana")
    stored.write("content/agents.md", POST_WITH_PRIVATE_LINK)
    planned = run("plan", *AT)
    refused = run("send", ISSUE, "--confirm", "3")

    assert (
        "content/agents.md:10: link: localhost is no public site; link to the public page"
        in planned.err
    )
    assert planned.code == Exit.CHECKS
    assert refused.code == Exit.DECLINED
    assert "Not sent: 1 error of link/private" in refused.err

    run("send", ISSUE, "--confirm", "3", "--allow", "link/private", "--canary", "1")
    run("issues", "resume", ISSUE)
    rest = run("send", ISSUE, "--confirm", "3")
    shown = run("issues", "show", ISSUE, "--json")

    assert rest.code == Exit.CHECKS  # allowed once, allowed for the rest
    assert len(carrier.taken) == 3
    (allowed,) = json.loads(shown.out)["allowed"]
    assert (allowed["check"], allowed["findings"], allowed["by"]) == ("link/private", 1, "ana")
    assert "1 error of link/private, by ana at " in run("issues", "show", ISSUE).out


def test_only_a_check_that_exists_can_be_allowed(stored, run):  # type: ignore[no-untyped-def]
    done = run("send", ISSUE, "--allow", "link/privat")

    assert done.code == Exit.USAGE
    assert "did you mean link/private?" in done.err


def test_the_outbox_asks_for_no_yes_to_errors(stored, run):  # type: ignore[no-untyped-def]
    stored.write("content/agents.md", POST_WITH_PRIVATE_LINK)
    done = run("send", *AT)

    assert done.code == Exit.CHECKS
    assert (stored.root / "outbox" / ISSUE).is_dir()


def test_without_a_store_only_the_outbox_is_sent_to(project, run, carrier):  # type: ignore[no-untyped-def]
    result = run("send", *AT)

    assert result.code == Exit.FAILED
    assert "digest subscribers import" in result.err


def test_a_canary_pauses_and_resume_goes_on(stored, run, carrier):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    first = run("send", ISSUE, "--confirm", "3", "--canary", "1")
    refused = run("send", ISSUE, "--confirm", "3")

    assert first.code == Exit.PARTLY
    assert "canary of 1 readers" in first.err
    assert f"digest issues resume {ISSUE}" in refused.err

    run("issues", "resume", ISSUE)
    assert run("send", ISSUE, "--confirm", "3").code == 0
    assert len(carrier.taken) == len(set(carrier.taken)) == 3


def test_an_issue_accounts_for_its_whole_audience_in_every_state(stored, run, carrier):  # type: ignore[no-untyped-def]
    def sums(shape: dict) -> bool:  # type: ignore[type-arg]
        reached = sum(shape["deliveries"].values())
        return reached == shape["readers"] and shape["audience"] == 5 == reached + sum(
            shape["skipped"].values()
        )

    run("plan", *AT)
    assert sums(shown(run))
    run("send", ISSUE, "--confirm", "3", "--canary", "1")
    assert sums(shown(run))
    run("issues", "cancel", ISSUE)
    assert sums(shown(run, "--list", "cancelled"))
    assert len(shown(run, "--list", "cancelled")["listed"]) == 2


def test_issues_are_listed_and_told_to_a_person(stored, run):  # type: ignore[no-untyped-def]
    run("send", *AT)

    assert ISSUE in run("issues", "list").out
    assert json.loads(run("issues", "list", "--json").out)["issues"][0]["state"] == "done"
    assert "3 submitted" in run("issues", "show", ISSUE).out
    assert "done: 3 submitted" in run("issues", "watch", ISSUE).out


def test_unknown_deliveries_are_listed_and_settled_by_name(stored, run, carrier):  # type: ignore[no-untyped-def]
    carrier.answers["ana"] = sending.refused(sending.Outcome.UNKNOWN, "no answer")
    run("plan", *AT)
    assert run("send", ISSUE, "--confirm", "3").code == Exit.PARTLY
    (one,) = shown(run, "--list", "unknown")["listed"]

    assert run("issues", "resolve", ISSUE, one["delivery"]).code == Exit.USAGE
    assert "not among" in run("issues", "resolve", ISSUE, "nobody", "--accept").err
    assert run("issues", "resolve", ISSUE, one["delivery"], "--accept").code == 0
    assert shown(run)["deliveries"]["submitted"] == 3


def test_failed_deliveries_are_planned_again_by_command(stored, run, carrier):  # type: ignore[no-untyped-def]
    carrier.answers["ana"] = sending.refused(sending.Outcome.PERMANENT)
    run("plan", *AT)
    run("send", ISSUE, "--confirm", "3")
    carrier.answers.clear()

    run("issues", "retry", ISSUE)
    assert run("send", ISSUE, "--confirm", "3").code == 0


def test_an_issue_is_paused_by_command(stored, run, carrier):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    run("issues", "pause", ISSUE, "--because", "a mistake on line 3")

    assert shown(run)["paused_because"] == "a mistake on line 3"
    assert "a mistake on line 3" in run("send", ISSUE, "--confirm", "3").err


def test_a_test_message_is_marked_and_in_no_ledger(stored, run):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    result = run("test-send", ISSUE, "--to", "me@example.com", "--as", "ana")

    (path,) = (stored.root / "outbox" / f"{ISSUE}-test").rglob("*.eml")
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert result.code == 0
    assert message["Subject"].startswith("[TEST] About agents")
    assert message["To"] == "me@example.com"
    assert shown(run)["deliveries"]["planned"] == 3


def test_a_test_message_needs_neither_store_nor_plan(project, run):  # type: ignore[no-untyped-def]
    assert run("test-send", ISSUE, "--to", "me@example.com").code == 0
    assert "there is no issue" in run("test-send", "weekly-2026-11-18", "--to", "a@example.com").err


def test_a_test_message_that_cannot_be_says_what_to_type(project, run):  # type: ignore[no-untyped-def]
    nowhere = run("test-send", ISSUE, "--to", "me")
    nothing = run("test-send", ISSUE, "--to", "me@example.com", "--as", "gardening")

    assert f"digest test-send {ISSUE} --to you@example.com" in nowhere.err
    assert f"digest test-send {ISSUE} --to me@example.com" in nothing.err


def test_an_issue_that_is_not_planned_is_an_error_with_a_hint(stored, run):  # type: ignore[no-untyped-def]
    assert "digest issues list" in run("issues", "show", ISSUE).err


def test_issues_need_a_store(project, run):  # type: ignore[no-untyped-def]
    assert "digest subscribers import" in run("issues", "list").err


LATE = "---\ntitle: Late\ndate: 2026-11-01\ntags: [ai]\n---\n\n**TLDR:** It was forgotten.\n"


def test_a_post_that_appears_late_is_explained_and_left_to_the_next_issue(stored, run):  # type: ignore[no-untyped-def]
    run("plan", *AT)
    stored.write("content/late.md", LATE)

    told = run("explain", "ana@example.com", "late", *AT).out
    plan = json.loads(run("plan", "--json", *AT).out)

    assert "late  after the window (dated 2026-11-01 00:00, it appeared after 20" in told
    assert "late" not in plan["stories"]["in"]


def test_explain_and_render_know_what_a_reader_was_sent(stored, run):  # type: ignore[no-untyped-def]
    run("send", *AT)

    again = json.loads(run("explain", "ana@example.com", "--json", *AT).out)
    told = run("explain", "ana@example.com", *AT).err

    assert again["covered_until"] == "2026-11-19T09:00:00Z"
    assert [pick["id"] for pick in again["in"]]  # as it was then
    assert "an issue that covers this one was handed over already, until 2026-11-19 09:00" in told
    assert run("render", "--as", "ana@example.com", "--format", "text", *AT).code == 0


@pytest.mark.parametrize(
    ("said", "visibility"), [("publish", "public"), ("unlist", "unlisted"), ("hide", "hidden")]
)
def test_the_publisher_says_who_may_see_an_issue(stored, run, said, visibility):  # type: ignore[no-untyped-def]
    run("plan", "--at", "2026-11-19")

    done = run("issues", said, "weekly-2026-11-19")

    assert done.code == 0
    assert visibility in done.err
    listed = json.loads(run("issues", "list", "--json").out)["issues"]
    assert listed[0]["visibility"] == visibility
    assert visibility in run("issues", "list").out
    assert run("issues", said, "weekly-2020-01-02").code == 1


def test_a_closed_pipe_does_not_stop_a_sending(stored, run):  # type: ignore[no-untyped-def]
    """Nobody reads what `digest send | head` goes on to say; everybody gets their digest."""
    run("plan", *AT)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "digest", "send", ISSUE], stdout=writing, stderr=writing, check=False
    )
    os.close(writing)

    assert done.returncode == 0
    assert shown(run)["state"] == "done"
    assert len(list((stored.root / "outbox" / ISSUE).glob("0000/*.eml"))) == 3
