"""The checks as a whole: ids, what is said of each, and the forms in which findings are given."""

import json
import re
from pathlib import Path

import pytest

from digest.checks import RULES, find, nearest
from digest.cli.reports import is_file, sarif
from digest.models import Finding, Severity
from digest.renderer import Renderer
from tests import checks_page, invented
from tests.conftest import ROOT

# `refuse(path, 0, "content/encoding", …` and `Finding(path, 0, "front-matter/none", …`
MADE = re.compile(r'"((?:content|front-matter|story|template|subscribers)/[a-z-]+)"')


def sources(*folders: str) -> str:
    return "".join(
        path.read_text() for name in folders for path in (ROOT / "digest" / name).rglob("*.py")
    )


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_check_says_what_why_and_what_to_do(rule):
    assert re.fullmatch(r"[a-z-]+(/([a-z-]+|\*))?", rule.id)
    assert rule.title.endswith(".")
    assert rule.why.endswith((".", "”"))
    assert rule.fix.endswith((".", "?", "…"))
    assert rule.source


def test_every_finding_that_reading_makes_has_its_check():
    made = set(MADE.findall(sources("content", "renderer", "cli")))

    assert len(made) > 20
    assert not [check for check in made if not find(check)]
    assert find("config/newsletter.sender") is find("config/*")


def test_a_group_that_shares_a_check_is_no_excuse_for_an_unknown_id():
    assert find("link/nothing") is None
    assert nearest("near") == "tag/near"
    assert nearest("link/ded") == "link/dead"


def test_the_page_of_checks_is_that_of_the_registry():
    assert checks_page.PAGE.read_text() == checks_page.page(), "python -m tests.checks_page"


MOUSTACHE = """\
---
title: "The moustache"
publishedAt: "2026-11-17"
hashtags: "#ai #en"
---

## How `{{ message }}` became the moustache

**TLDR:** Jinja writes `{% if user %}`, and Handlebars had `{{ 'a name' }}` before it.

**Key takeaways:**
- Many a page greeted its readers with a word that a program leaves: `None`
- `undefined`

**Link:** [The account](https://example.com/moustache)
"""
FINDINGS = [
    Finding("content/a post.md", 7, "link/http", Severity.WARNING, "http://x", "link", "https"),
    Finding("weekly-2026-11-19/3fa1", 0, "size/html", Severity.ERROR, "110,000 bytes"),
    Finding("digest.toml", 0, "config/newsletter.sender", Severity.ERROR, "no"),
]


def test_sarif_has_the_shape_that_its_schema_requires():
    log = json.loads(json.dumps(sarif(FINDINGS)))

    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "digest"
    assert len({rule["id"] for rule in rules}) == len(rules) == 3
    for result in run["results"]:
        assert result["level"] in ("none", "note", "warning", "error")
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        for location in result["locations"]:
            assert location.keys() <= {"physicalLocation", "logicalLocations"}
            assert not location["physicalLocation"]["artifactLocation"]["uri"].startswith("/")


def test_sarif_places_a_finding_in_its_file_by_an_escaped_uri():
    first, second, third = sarif(FINDINGS)["runs"][0]["results"]

    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "content/a%20post.md"
    assert place["region"] == {"startLine": 7}
    assert second["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].endswith("/3fa1")
    assert second["message"]["text"] == "weekly-2026-11-19/3fa1: 110,000 bytes"
    assert "region" not in third["locations"][0]["physicalLocation"]


def test_check_explains_one_check_and_lists_all(run):
    explained, listed = run("check", "--explain", "tag/near"), run("check", "--list")

    assert explained.code == listed.code == 0
    assert explained.out.startswith("tag/near  warning\n")
    assert all(word in explained.out for word in ("Why:", "Fix:", "Source:"))
    assert len(listed.out.splitlines()) == len(RULES)


def test_an_unknown_check_is_named_with_the_nearest_one(run):
    done = run("check", "--explain", "tag/neer")

    assert done.code == 2
    assert "did you mean tag/near?" in done.err


def test_check_tells_a_near_miss_of_a_tag_with_its_line(run, project):
    for number in range(3):
        project.post(f"k{number}", tags="#kubernetes")
    project.post("slip", tags="#ai #kuberntes")
    done = run("check")

    assert "content/slip.md:5: tags: #kuberntes is used once; did you mean #kubernetes?" in done.out


def test_one_post_is_held_against_all_of_them(run, project):
    for number in range(3):
        project.post(f"k{number}", tags="#kubernetes")
    project.post("slip", tags="#ai #kuberntes")
    alone = run("check", "content/slip.md")

    assert "did you mean #kubernetes?" in alone.out
    assert "content/k0.md" not in alone.out


def test_a_post_can_be_checked_before_there_is_a_newsletter(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "---\ntitle: A\ndate: 2026-11-16\ntags: ai\n---\n**TLDR:** TODO: write this down.\n"
    (tmp_path / "a.md").write_text(text)
    done = run("check", "a.md")

    assert done.code == 3
    assert "a.md:6: a placeholder: “TODO”" in done.out


def test_readers_who_follow_a_misspelt_tag_are_counted(run, project):
    project.post("accessible", tags="#accessibility #ai")
    rows = "".join(f"p{n}@example.com,,accesibility,,weekly,\n" for n in range(3))
    project.write("subscribers/list.csv", "email,name,tags,muted,cadence,language\n" + rows)
    done = run("check", "-v")

    told = "#accesibility: tags: 3 readers follow what no post has; did you mean #accessibility?"
    assert told in done.out
    assert "content/ferry.md:5: tags: nobody follows #kubernetes" in done.out


def test_check_gives_sarif_and_annotations(run, project):
    project.post("shout", title="THIS IS ALL VERY IMPORTANT")
    log = json.loads(run("check", "--format", "sarif").out)
    annotated = run("check", "--format", "github").out

    results = {result["ruleId"]: result for result in log["runs"][0]["results"]}
    place = results["content/shouting"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "content/shout.md"
    assert "::warning file=content/shout.md,line=8,title=content/shouting::capitals" in annotated


def test_a_post_may_speak_of_placeholders_and_of_none(run, project):
    project.write("content/moustache.md", MOUSTACHE)
    done = run("check")

    assert (done.code, done.out) == (0, "")


def test_a_template_of_ours_is_named_without_where_it_lies(run, project):
    shell = Renderer(None, invented.settings(project.root)).path("digest.mjml")

    assert shell == "digest.mjml (ours)"
    assert not is_file(shell)


def test_the_samples_have_no_errors_and_no_warnings(run, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DIGEST_SECRET_KEY", "a-secret-key-for-tests")
    done = run("check")

    assert (done.code, done.out) == (0, "")


def test_real_posts_have_no_error(run, corpus: Path):
    done = run("check", "-q", str(corpus / "motyl-dev"))

    assert done.code == 0, [line for line in done.out.splitlines() if line.startswith("error")]
