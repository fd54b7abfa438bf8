"""What `digest check --impact` says of posts that changed, in a real git repository."""

import json
import re
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from digest.changes import changes
from digest.cli.check import command
from digest.errors import DigestError
from tests.conftest import ROOT
from tests.project import make_project

TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
WORKFLOW = ROOT / "docs" / "deploy" / "content-check.yml"


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
    more = ["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *more, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repository(project):
    """The newsletter of the tests, committed on `main`, on a branch of its own."""
    git(project.root, "init")
    git(project.root, "add", ".")
    git(project.root, "commit", "-m", "posts")
    git(project.root, "switch", "-c", "draft")
    return project


def impacts(run, *more: str) -> dict[str, dict]:
    done = run("check", "--impact", "--format", "json", *more)
    assert done.err == "" or "error" not in done.err, done.err
    lines = map(json.loads, done.out.splitlines())
    found = [line for line in lines if line.get("schema") == "digest/impact@1"]
    return {one["path"]: one for one in found}


def test_a_new_post_says_who_gets_it_and_when_and_what_it_adds(repository, run):
    repository.post("fresh", tags="#ai #python", published=TOMORROW)
    (one,) = impacts(run).values()

    assert (one["path"], one["new"], one["stories"]) == ("content/fresh.md", True, 1)
    assert (one["tags"], one["added"]) == (["ai", "python"], ["ai", "python"])
    assert 1_000 < one["html_bytes"] == one["html_bytes_more"]
    weekly = next(issue for issue in one["issues"] if issue["issue"].startswith("weekly"))
    assert (weekly["readers"], weekly["of"]) == (1, 4)  # Ana; Cy has muted #ai
    assert datetime.fromisoformat(weekly["due"]) > datetime.now(UTC)


def test_a_post_that_comes_late_goes_into_the_next_issue(repository, run):
    repository.post("late", tags="#kubernetes", published="2020-01-06")
    (one,) = impacts(run).values()
    weekly = next(issue for issue in one["issues"] if issue["issue"].startswith("weekly"))

    assert weekly["readers"] == 2  # Bo and Cy
    assert datetime.fromisoformat(weekly["due"]) > datetime.now(UTC)


def test_an_edit_of_what_went_out_reaches_nobody_again(repository, run):
    repository.post("old", tags="#ai #en #databases", published="2020-01-06")
    git(repository.root, "commit", "-am", "dated")
    repository.post("old", tags="#ai #en #rust", published="2020-01-06")
    one = impacts(run, "--base", "HEAD")["content/old.md"]

    assert one["note"] == "it went out before: nobody gets it again"
    assert (one["added"], one["removed"]) == (["rust"], ["databases"])
    assert one["html_bytes_more"] < 100


UNNAMED = """\
---
title: Rust in the kernel
publishedAt: "2020-01-06"
hashtags: "#ai"
---

**TLDR:** What happened, in one sentence.

**Link:** [The original]({link})
"""


@pytest.mark.parametrize("link", ["https://example.com/rust", "", "https://example.com"])
def test_a_post_with_another_name_is_the_same_post_by_its_link(repository, run, link):
    repository.write("content/rust.md", UNNAMED.format(link=link))
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-m", "posts")
    git(repository.root, "mv", "content/rust.md", "content/rust-in-the-kernel.md")
    one = impacts(run, "--base", "HEAD")["content/rust-in-the-kernel.md"]
    known = "/" in link.removeprefix("https://")

    assert one["new"] is not known
    assert (one["note"] == "it went out before: nobody gets it again") is known
    assert bool(one["added"]) is not known


def test_a_post_with_another_name_is_the_same_post_by_its_slug(repository, run):
    git(repository.root, "mv", "content/old.md", "content/renamed.md")
    (one,) = impacts(run).values()

    assert (one["path"], one["new"], one["html_bytes_more"]) == ("content/renamed.md", False, 0)


def test_a_post_is_what_has_its_id_and_not_also_what_has_its_link(repository, run):
    twin = (repository.root / "content/old.md").read_text().replace('slug: "old"', 'slug: "twin"')
    repository.write("content/twin.md", twin.replace("hashtags:", 'x: "y"\nhashtags:'))
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-m", "posts")
    git(repository.root, "mv", "content/old.md", "content/renamed.md")
    git(repository.root, "rm", "content/twin.md")
    one = impacts(run, "--base", "HEAD")["content/renamed.md"]

    assert (one["new"], one["html_bytes_more"]) == (False, 0)


def test_pictures_beside_posts_are_not_asked_for(repository):
    (repository.root / "content/old.png").write_bytes(b"\x89PNG")
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-m", "a picture")
    git(repository.root, "rm", "content/old.png", "content/old.md")
    (repository.root / "content/new.png").write_bytes(b"\x89PNG")
    repository.post("new")
    found = changes(repository.root / "content", "HEAD")

    assert [(one.path.name, one.gone) for one in found] == [("new.md", False), ("old.md", True)]


def test_what_is_taken_away_is_not_told(repository, run):
    git(repository.root, "rm", "content/old.md")

    assert impacts(run) == {}


def test_a_story_that_is_added_to_an_old_post_is_in_the_next_issue(repository, run):
    story = "\n## {0}\n\n**TLDR:** What {0} is.\n\n**Link:** [It](https://example.com/{0})\n"
    head = '---\ntitle: Notes\npublishedAt: "2020-01-06"\nhashtags: "#kubernetes"\n---\n'
    path = repository.write("content/notes.md", head + story.format("one") + story.format("two"))
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-m", "posts")
    path.write_text(path.read_text() + story.format("three"))
    one = impacts(run, "--base", "HEAD")["content/notes.md"]

    assert (one["new"], one["stories"], one["note"]) == (False, 3, "")
    assert next(i for i in one["issues"] if i["issue"].startswith("weekly"))["readers"] == 2


def test_a_draft_reaches_nobody(repository, run):
    repository.write("content/wip.md", "---\ntitle: T\ndate: 2020-01-06\ndraft: true\n---\nText.\n")
    (one,) = impacts(run).values()

    assert one["note"].startswith("a draft")


def test_only_posts_that_differ_from_where_the_branch_began_are_told(repository, run):
    repository.post("mine", published=TOMORROW)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-m", "mine")
    git(repository.root, "switch", "main")
    repository.post("theirs", published=TOMORROW)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-m", "theirs")
    git(repository.root, "switch", "draft")
    repository.write("content/notes.txt", "no post")

    assert list(impacts(run)) == ["content/mine.md"]


def test_the_words_name_tags_readers_and_bytes(repository, run):
    repository.post("fresh", tags="#ai #python", published=TOMORROW)
    text = run("check", "--impact").out
    annotated = run("check", "--impact", "--format", "github").out

    assert re.search(
        r"impact  content/fresh.md\n +new, 1 story\n +#ai #python\n"
        r"(?: +in daily-.*\n)? +in weekly-[\d-]+, \w{3} \d\d \w{3} \d{4} 09:00: "
        r"1 of 4 readers get it\n(?: +in monthly.*\n)? +adds \d\.\d kB to their digest\n",
        text,
    ), text
    assert "::notice file=content/fresh.md,line=1,title=impact::new, 1 story; #ai #python; " in (
        annotated
    )


def test_a_newsletter_in_a_folder_of_its_repository_is_named_from_the_top(
    repository, run, monkeypatch
):
    inner = make_project(repository.root / "news")
    monkeypatch.chdir(inner.root)
    inner.post("shout", title="THIS IS ALL VERY IMPORTANT", published=TOMORROW)
    annotated = run("check", "--impact", "--base", "HEAD", "--format", "github").out
    log = json.loads(run("check", "--format", "sarif").out)

    assert "file=news/content/shout.md,line=8,title=content/shouting" in annotated
    assert "file=news/content/shout.md,line=1,title=impact" in annotated
    places = [one["locations"][0]["physicalLocation"] for one in log["runs"][0]["results"]]
    assert all(one["artifactLocation"]["uri"].startswith("news/") for one in places)


def test_a_name_with_a_space_and_accents_is_found(repository, run):
    repository.post("zażółć gęślą", published=TOMORROW)

    assert list(impacts(run)) == ["content/zażółć gęślą.md"]


def test_a_revision_that_is_not_there_is_told_with_what_to_do(repository, run):
    done = run("check", "--impact", "--base", "origin/nowhere")

    assert done.code == 1
    assert "fetch-depth: 0" in done.err


def test_a_clone_without_history_is_told_of(repository, run, monkeypatch):
    repository.post("fresh", published=TOMORROW)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "-m", "fresh")
    clone = repository.root / "clone"
    git(repository.root, "clone", "--depth", "1", repository.root.as_uri(), str(clone))
    monkeypatch.chdir(clone)
    done = run("check", "--impact")

    assert "no post has changed" in done.err
    assert "this clone lacks its history" in done.err


@pytest.mark.parametrize("base", ["--output=/tmp/x", "-x", "HEAD --help"])
def test_a_revision_is_never_an_option(repository, base):
    with pytest.raises(DigestError, match="there is no revision"):
        changes(repository.root / "content", base)


def test_outside_of_a_repository_it_is_told(project, run):
    done = run("check", "--impact")

    assert done.code == 1
    assert "not a git repository" in done.err


def test_the_workflow_is_one_and_its_commands_exist():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    steps = workflow["jobs"]["check"]["steps"]
    run = "\n".join(step.get("run", "") for step in steps)
    known = {option for parameter in command.params for option in parameter.opts}

    assert workflow[True]["pull_request"]["paths"]  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    assert steps[0]["with"]["fetch-depth"] == 0
    commands = [line for line in run.splitlines() if line.strip().startswith("digest ")]
    assert len(commands) == 2
    for line in commands:
        words = shlex.split(line.strip().partition(" || ")[0])
        assert words[1] == "check"
        assert {word for word in words if word.startswith("--")} <= known


def test_counted_links_weigh_what_they_weigh_in_the_mail(repository, run, monkeypatch):
    repository.post("fresh", tags="#ai #python", published=TOMORROW)
    (direct,) = impacts(run).values()
    monkeypatch.setenv("DIGEST_STATS__CLICKS", "true")
    (counted,) = impacts(run).values()

    assert counted["html_bytes"] != direct["html_bytes"]
    assert counted["tags"] == direct["tags"]
