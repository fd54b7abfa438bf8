"""The commands on subscribers, tags, suppressions and the database, as a person types them."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from digest.cli import digest
from tests.project import Project

Run = Callable[..., SimpleNamespace]
LIST = "subscribers/list.csv"
CONSENT = ("--consent", "sample")
GROUPS = ("subscribers", "tags", "suppressions", "db")


@pytest.fixture
def imported(project: Project, run: Run) -> Project:
    """The project with its list in the store."""
    assert run("subscribers", "import", LIST, *CONSENT).code == 0
    return project


@pytest.mark.parametrize("group", GROUPS)
def test_every_subcommand_is_documented_and_ends_with_an_example(group: str) -> None:
    found = digest.get_command(click.Context(digest), group)
    assert isinstance(found, click.Group)
    text = (Path(__file__).parent.parent.parent / "docs" / "subscribers.md").read_text()

    for name, command in found.commands.items():
        assert f"digest {group} {name}" in (command.epilog or "").split("Example:")[1]
        assert f"`digest {group} {name}" in text
        options = {opt for param in command.params for opt in param.opts if opt[:2] == "--"}
        shared = {"--config", "--quiet", "--verbose", "--no-color"}
        assert not [option for option in options - shared if option not in text]


def test_an_imported_list_is_what_plan_reads(imported: Project, run: Run) -> None:
    before = json.loads(run("plan", "--at", "2026-11-20", "--json").out)["readers"]
    run("subscribers", "unsubscribe", "ana@example.com")

    after = json.loads(run("plan", "--at", "2026-11-20", "--replan", "--json").out)["readers"]

    assert after == before - 1


def test_tagging_changes_what_explain_says(imported: Project, run: Run) -> None:
    at = ("--at", "2026-11-20", "--json")
    run("subscribers", "untag", "ana@example.com", "ai", "python")
    run("subscribers", "tag", "ana@example.com", "k8s")

    explained = json.loads(run("explain", "ana@example.com", *at).out)

    assert [pick["id"] for pick in explained["in"]] == ["ferry"]
    shown = json.loads(run("subscribers", "show", "ana@example.com", "--json").out)
    assert shown["tags"] == ["kubernetes"]


def test_tags_are_listed_with_readers_stories_and_bars(imported: Project, run: Run) -> None:
    now = datetime.now(UTC)
    for slug, days in (("agents", 1), ("old", 89), ("older", 91), ("planned", -5)):
        moment = f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
        imported.post(slug, tags="#ai", published=moment)
    rows = [line.split() for line in run("tags", "list").out.splitlines()]

    assert rows[0] == ["tag", "readers", "muted", "stories/month"]
    assert rows[1] == ["#ai", "1", "█" * 24, "1", "0.7"]
    assert ["#gardening", "1", "█" * 24, "–"] in rows


def test_a_story_that_came_late_counts_since_it_was_listed(imported: Project, run: Run) -> None:
    run("plan")
    imported.post("late", tags="#sailing", published="2020-01-06")
    shape = json.loads(run("tags", "show", "sailing", "--json").out)

    assert shape["stories_a_month"] == 0.3


def test_tags_as_json_are_one_object(imported: Project, run: Run) -> None:
    shape = json.loads(run("tags", "list", "--json").out)

    assert (shape["schema"], shape["everything"]) == ("digest/tags@1", 2)
    ai = next(tag for tag in shape["tags"] if tag["key"] == "ai")
    assert (ai["followers"], ai["muters"]) == (1, 1)


def test_one_tag_is_shown_with_its_newest_stories(imported: Project, run: Run) -> None:
    shown = run("tags", "show", "AI")

    assert "followed by 1, muted by 1" in shown.out
    assert "About agents" in shown.out
    assert run("tags", "show", "aii").code == 1


def test_renaming_and_merging_tags(imported: Project, run: Run) -> None:
    assert run("tags", "rename", "gardening", "Gardening").code == 0
    assert "1 reader moved" in run("tags", "merge", "gardening", "python").err

    shown = json.loads(run("subscribers", "show", "ed@example.com", "--json").out)
    assert shown["tags"] == ["python"]


def test_merging_tells_of_stories_that_stay_behind(imported: Project, run: Run) -> None:
    assert run("tags", "rename", "ai", "LLM").code == 1
    assert "no post has the tag #llm" in run("tags", "merge", "ai", "llm").err

    said = run("tags", "merge", "ai", "python").err

    assert "stories with #ai do not reach them by it any more" in said
    assert '[tags.aliases] ai = "python"' in said


def test_an_alias_means_its_tag_in_every_command(imported: Project, run: Run) -> None:
    run("subscribers", "tag", "ed@example.com", "k8s")

    assert "#kubernetes" in run("tags", "show", "K8s").out
    assert "ed@example.com" in run("subscribers", "list", "--tag", "k8s").out
    assert "stands for #kubernetes already" in run("tags", "merge", "k8s", "kubernetes").err
    assert run("tags", "merge", "gardening", "k8s").code == 0
    assert "followed by" in run("tags", "show", "kubernetes").out


def test_rejected_rows_are_listed_in_a_file_that_can_be_mended(project: Project, run: Run) -> None:
    project.write("list.csv", "email,name\nana@example.com,Ana\nbad,Bo\ncy@example.com\n")

    result = run("subscribers", "import", "list.csv", *CONSENT)

    assert result.code == 3
    assert "3 rows: 1 new, 2 left out" in result.err
    rows = list(csv.reader((project.root / "list.csv.rejects.csv").read_text().splitlines()))
    assert rows[0][3:] == ["email", "name"]
    assert [(row[0], row[1], row[3]) for row in rows[1:]] == [
        ("3", "email", "bad"),
        ("4", "", "cy@example.com"),
    ]


def test_a_dry_run_writes_nothing_at_all(imported: Project, run: Run) -> None:
    imported.write("more.csv", "email\nbad\nnew@example.com\n")

    result = run("subscribers", "import", "more.csv", *CONSENT, "--dry-run", "--json")

    assert json.loads(result.out)["added"] == 1
    assert not (imported.root / "more.csv.rejects.csv").exists()
    assert run("subscribers", "show", "new@example.com").code == 1


def test_columns_are_mapped_as_asked(project: Project, run: Run) -> None:
    project.write("list.csv", "Mail,Likes\nana@example.com,ai\n")

    mapping = ("--map", "Mail=email", "--map", "likes=tags")
    assert run("subscribers", "import", "list.csv", *CONSENT, *mapping).code == 0

    shown = json.loads(run("subscribers", "show", "ana@example.com", "--json").out)
    assert shown["tags"] == ["ai"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("import", LIST), 1, "nothing says that these people agreed"),
        (("import", "nowhere.csv", *CONSENT), 1, "nowhere.csv: No such file"),
        (("import", LIST, *CONSENT, "--map", "email"), 2, "expected COLUMN=FIELD"),
        (("add", "not-an-address", *CONSENT), 2, "@-sign"),
        (("add", "x@example.com", *CONSENT, "--timezone", "Mars"), 2, "'Mars' is unknown"),
        (("add", "x@example.com", *CONSENT, "--language", "tlh1"), 2, "is no language"),
        (("add", "ana@example.com", *CONSENT), 1, "is here already"),
        (("tag", "ana@example.com"), 2, "name tags to follow"),
        (("tag", "ana@example.com", "##"), 2, "names no tag"),
        (("untag", "ana@example.com", "zig"), 1, "does not follow #zig"),
        (("pause", "ana@example.com", "--until", "2020-01-01"), 2, "in the past"),
        (("add", "x@example.com", *CONSENT, "--day", "31"), 2, "is no day of a weekly issue"),
        (("add", "ana@example.com", *CONSENT, "--back", "--hour", "7"), 2, "as they were"),
        (("when", "ana@example.com"), 2, "say what to change"),
        (("when", "ana@example.com", "--day", "31"), 2, "is no day of a weekly issue"),
        (("when", "ana@example.com", "--hour", "7:30"), 2, "is no full hour"),
        (("when", "ana@example.com", "--timezone", "Mars"), 2, "expected an IANA name"),
        (("when", "ana@example.com", "--cadence", "daily", "--day", "mon"), 2, "no day to choose"),
        (("show", "nobody@example.com"), 1, "is not among the subscribers"),
    ],
)
def test_what_cannot_be_done_is_said(
    imported: Project,
    run: Run,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    result = run("subscribers", *arguments)

    assert result.code == code
    assert message in result.err


def test_pausing_and_resuming(imported: Project, run: Run) -> None:
    assert run("subscribers", "pause", "ana@example.com", "--until", "2999-01-01").code == 0
    shown = json.loads(run("subscribers", "show", "ana@example.com", "--json").out)
    assert shown["pause_until"] == "2999-01-01T00:00:00Z"

    assert "is due again" in run("subscribers", "resume", "ana@example.com").err
    assert "was not paused" in run("subscribers", "resume", "ana@example.com").err


def test_pausing_does_not_promise_mail_to_who_left(imported: Project, run: Run) -> None:
    run("subscribers", "unsubscribe", "ana@example.com")

    paused = run("subscribers", "pause", "ana@example.com", "--until", "2999-01-01").err
    resumed = run("subscribers", "resume", "ana@example.com").err

    assert "gets no mail anyway: unsubscribed" in paused
    assert "is paused no more, but gets no mail anyway: unsubscribed" in resumed


@pytest.mark.parametrize("lift", [True, False])
def test_the_hint_about_who_left_leads_back(imported: Project, run: Run, lift: bool) -> None:
    run("subscribers", "unsubscribe", "ana@example.com")
    if lift:
        assert "--back --consent" in run("suppressions", "remove", "ana@example.com").err

    refused = run("subscribers", "add", "ana@example.com", *CONSENT)

    assert "add ana@example.com --back --consent 'how they asked'" in refused.err
    back = ("subscribers", "add", "ana@example.com", "--back", "--consent", "she wrote to us")
    assert run(*back).code == 0
    shown = json.loads(run("subscribers", "show", "ana@example.com", "--json").out)
    assert (shown["state"], shown["suppressed"]) == ("confirmed", [])
    assert "she wrote to us" in run("subscribers", "history", "ana@example.com").out


def test_replacing_by_the_same_file_changes_nobody(imported: Project, run: Run) -> None:
    imported.write("again.csv", "email,tags\ned@example.com,#Gardening\n")

    said = run("subscribers", "import", "again.csv", *CONSENT, "--on-conflict", "replace", "--json")

    assert json.loads(said.out)["changed"] == 0


def test_muting_and_unmuting(imported: Project, run: Run) -> None:
    assert "mutes #crypto" in run("subscribers", "mute", "ana@example.com", "crypto").err
    assert "mutes" not in run("subscribers", "unmute", "ana@example.com", "crypto").err


def test_erasing_wants_the_address_typed(imported: Project, run: Run) -> None:
    refused = run("subscribers", "erase", "ana@example.com", "--confirm", "yes")
    assert refused.code == 5

    assert run("subscribers", "erase", "ana@example.com", "--confirm", "ana@example.com").code == 0
    assert run("subscribers", "show", "ana@example.com").code == 1
    again = run("subscribers", "import", LIST, *CONSENT)
    assert "suppressed (erased)" in again.err


def test_history_tells_of_consent(imported: Project, run: Run) -> None:
    shape = json.loads(run("subscribers", "history", "ana@example.com", "--json").out)

    assert [(e["kind"], e["detail"]) for e in shape["events"]] == [
        ("consent", "sample (import, list.csv)")
    ]


@pytest.mark.parametrize("shape", ["csv", "ndjson"])
def test_an_export_is_written_for_its_owner_only(imported: Project, run: Run, shape: str) -> None:
    to_file = run("subscribers", "export", "--format", shape, "--out", "out.txt")
    to_stdout = run("subscribers", "export", "--format", shape)

    path = imported.root / "out.txt"
    assert to_file.code == to_stdout.code == 0
    assert path.read_text(encoding="utf-8") == to_stdout.out
    assert path.stat().st_mode & 0o077 == 0


def test_lists_are_filtered_and_counted(imported: Project, run: Run) -> None:
    found = run("subscribers", "list", "--tag", "AI", "--json")

    assert [json.loads(line)["email"] for line in found.out.splitlines()] == ["ana@example.com"]
    assert run("subscribers", "list", "--search", "e", "--limit", "2").err == "2 subscribers\n"


def test_suppressions_are_added_listed_and_removed(imported: Project, run: Run) -> None:
    run("suppressions", "add", "ana@example.com", "--reason", "complained")
    (line,) = run("suppressions", "list", "--json").out.splitlines()

    assert (json.loads(line)["email"], json.loads(line)["reason"]) == (
        "ana@example.com",
        "complained",
    )
    assert run("suppressions", "remove", "ana@example.com").code == 0
    assert run("suppressions", "remove", "ana@example.com").code == 1


@pytest.mark.parametrize("heading", ["", "email,why\n"])
def test_suppressions_are_imported_with_or_without_a_heading(
    imported: Project,
    run: Run,
    heading: str,
) -> None:
    row = "{},x\n" if heading else "{}\n"
    addresses = ("ana@example.com", "unknown@example.com", "not an address")
    imported.write("bounces.csv", heading + "".join(row.format(one) for one in addresses))

    result = run("suppressions", "import", "bounces.csv", "--reason", "bounced")

    assert result.code == 3
    assert "2 new suppressions, 1 row left out" in result.err


@pytest.mark.parametrize("arguments", [("tags", "list"), ("subscribers", "list"), ("db", "backup")])
def test_looking_does_not_make_a_store(
    project: Project,
    run: Run,
    arguments: tuple[str, ...],
) -> None:
    """A store that is there, if empty, would stand in for the CSV files."""
    result = run(*arguments)

    assert result.code == 1
    assert f"digest subscribers import {LIST}" in result.err
    assert not (project.root / "digest.sqlite3").exists()


@pytest.mark.parametrize(
    "arguments",
    [("tags", "list"), ("subscribers", "list"), ("plan",), ("send",), ("db", "upgrade")],
)
def test_an_empty_file_is_not_taken_for_a_store(
    project: Project, run: Run, arguments: tuple[str, ...]
) -> None:
    path = project.root / "digest.sqlite3"
    path.touch()

    result = run(*arguments)

    assert result.code == 1
    assert "digest.sqlite3 is empty: no store is in it" in result.err
    assert path.stat().st_size == 0
    assert run("subscribers", "import", LIST, *CONSENT).code == 0


def test_the_database_is_shown_upgraded_and_copied(imported: Project, run: Run) -> None:
    assert "already" in run("db", "upgrade").err
    assert "(current;" in run("db", "current").out
    assert run("db", "backup", "copy.sqlite3").code == 0
    assert (imported.root / "copy.sqlite3").stat().st_size > 0


def test_names_cannot_steer_the_terminal(imported: Project, run: Run) -> None:
    refused = run("subscribers", "add", "x@example.com", *CONSENT, "--name", "\x1b[2J")
    run("subscribers", "add", "y@example.com", *CONSENT, "--name", "\u202eevil")

    assert refused.code == 2
    assert "\u202e" not in run("subscribers", "show", "y@example.com").out


def test_day_and_hour_are_set_shown_kept_and_given_back(imported: Project, run: Run) -> None:
    def shown() -> dict[str, object]:
        found = json.loads(run("subscribers", "show", "ana@example.com", "--json").out)
        return {key: found[key] for key in ("cadence", "day", "hour", "timezone")}

    zone = ("--timezone", "Europe/Warsaw")
    said = run("subscribers", "when", "ana@example.com", "--day", "tue", "--hour", "07:00", *zone)
    assert "gets weekly issues, day tue, hour 07:00, Europe/Warsaw" in said.err
    assert "no effect yet: `choose` is not set in [cadence.weekly]" in said.err
    assert "Day         tue" in run("subscribers", "show", "ana@example.com").out
    assert shown() == {"cadence": "weekly", "day": 1, "hour": 7, "timezone": "Europe/Warsaw"}
    run("subscribers", "when", "ana@example.com", "--hour", "8")
    assert (shown()["day"], shown()["hour"]) == (1, 8)
    run("subscribers", "when", "ana@example.com", "--day", "")
    assert (shown()["day"], shown()["hour"]) == (None, 8)

    run("subscribers", "when", "ana@example.com", "--cadence", "monthly", "--day", "28")

    assert shown() == {"cadence": "monthly", "day": 28, "hour": None, "timezone": "Europe/Warsaw"}


def test_somebody_is_added_with_their_day_and_hour(imported: Project, run: Run) -> None:
    run("subscribers", "add", "x@example.com", *CONSENT, "--day", "fri", "--hour", "7")

    shown = json.loads(run("subscribers", "show", "x@example.com", "--json").out)
    assert (shown["day"], shown["hour"]) == (4, 7)


def test_an_hour_that_counts_is_set_without_a_word_of_warning(imported: Project, run: Run) -> None:
    file = imported.root / "digest.toml"
    file.write_text(file.read_text() + '[cadence.weekly]\nat = "thu 09:00"\nchoose = true\n')

    said = run("subscribers", "when", "ana@example.com", "--hour", "7")

    assert (said.code, "no effect" in said.err) == (0, False)


@pytest.mark.parametrize(
    ("content", "consent"),
    [
        (b"email\nana@example.com\n", ()),
        (b"email\nana@example.com\n", ("--consent", "  ")),
        (b"name\nAna\n", CONSENT),
        ("email\nana@example.com\n".encode("utf-16"), CONSENT),
        (b"", CONSENT),
    ],
)
def test_an_import_of_nothing_makes_no_store(
    project: Project, run: Run, content: bytes, consent: tuple[str, ...]
) -> None:
    """An empty store would take the place of the CSV files: nobody would get anything any more."""
    (project.root / "new.csv").write_bytes(content)
    done = run("subscribers", "import", "new.csv", *consent)

    assert done.code == 1
    assert "made" not in done.err
    assert not (project.root / "digest.sqlite3").exists()
