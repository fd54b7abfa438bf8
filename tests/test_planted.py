"""Every check finds the fault planted for it, at its line, and nothing in what is clean."""

import json
from dataclasses import replace

import pytest

from digest import config
from digest.checks import RULES, Before, Copy, check_issue, check_proof
from digest.checks.cascade import Colours
from digest.checks.editions import check_audience, check_reach, check_weights
from digest.checks.headers import check_message
from digest.checks.markup import Piece, Template, read
from digest.checks.places import Places
from digest.checks.tags import check_followers, check_unfollowed
from digest.clients import broken
from digest.content import read_content
from digest.dues import issue_at
from digest.issues import Draft
from digest.models import Edition, Preferences
from digest.proofs import inspect_issue, proof_of, samples
from digest.tokens import Keys
from tests import planted
from tests.project import SETTINGS, make_project
from tests.stories import story

SECRET = "a-secret-key-for-tests"


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    """A good newsletter, read once."""
    project = make_project(tmp_path_factory.mktemp("good"))
    text = SETTINGS + '[templates]\nfolder = "templates"\n'
    configured = config.parse(text, project.root / "digest.toml", {})
    content = read_content(configured)
    now = max(one.published for one in content.stories).replace(month=11, day=20)
    issue = issue_at(configured, configured.cadence, now)
    return Draft(configured, content, issue, Keys((SECRET.encode(),)))


def test_counted_links_are_no_fault_of_anybody(draft: Draft) -> None:
    given = draft.config, draft.content, draft.issue, Keys((SECRET.encode(),))
    counted = Draft(*given, counted=True)
    told, direct = proof_of(counted, "en"), proof_of(draft, "en")

    assert told.html == direct.html
    assert b"/g/weekly" in told.message.replace(b"=\r\n", b"")
    assert inspect_issue(counted) == inspect_issue(draft)
    edition = counted.composition(Preferences(everything=True)).edition
    assert edition.html_bytes != draft.composition(Preferences(everything=True)).edition.html_bytes


@pytest.fixture(scope="module")
def proof(draft: Draft):
    return proof_of(draft, "en")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[dict]]:
    """All findings over a folder of bad posts, by check and file: one run of the command."""
    import os
    import subprocess
    import sys

    project = make_project(tmp_path_factory.mktemp("bad"))
    for one in planted.POSTS:
        project.write(f"content/bad/{one.name}.md", one.source)
    for number in range(3):
        project.post(f"k{number}", tags="#kubernetes #agents")
    project.post("0first", title="Twice told")
    done = subprocess.run(
        [sys.executable, "-m", "digest", "check", "-v", "--format", "json"],
        cwd=project.root, capture_output=True, text=True, check=False,
        env={**os.environ, "DIGEST_SECRET_KEY": SECRET},
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    by: dict[tuple[str, str], list[dict]] = {}
    for line in done.stdout.splitlines():
        finding = json.loads(line)
        by.setdefault((finding["check"], finding["path"]), []).append(finding)
    return by


@pytest.mark.parametrize("plant", planted.POSTS, ids=lambda one: one.check)
def test_a_fault_in_a_post_is_found_at_its_line(found, plant):
    findings = found.get((plant.check, f"content/bad/{plant.name}.md"), [])

    assert findings, sorted(check for check, path in found if plant.name in path)
    line = 1 if plant.check in planted.AT_THE_TOP else plant.line
    assert line in [one["line"] for one in findings]


def test_nothing_is_found_in_the_good_posts_beside_them(found):
    good = {key for key in found if "/bad/" not in key[1] and key[1].startswith("content/")}

    assert good == {("tag/unfollowed", "content/tables.md")}  # a hint: nobody follows its tag


def test_a_good_message_has_no_finding(proof):
    assert check_proof(proof) == []


@pytest.mark.parametrize(("check", "fragment"), planted.FRAGMENTS, ids=lambda v: v[:24])
def test_a_fault_in_a_template_is_found_at_its_line(proof, check, fragment):
    template = Template("templates/digest.mjml", f"<mjml>\n<mj-body>\n{fragment}\n</mj-body>")
    html = proof.html.replace("</body>", "")
    end = Piece(fragment + "</body></html>", template)
    pieces = (Piece(html.replace("</html>", ""), proof.shell), end)
    bad = replace(proof, pieces=pieces, shell=template, verdicts=broken(html + fragment))
    findings = [one for one in check_proof(bad) if one.check == check]

    assert findings
    assert {one.path for one in findings} == {"templates/digest.mjml"}
    assert check == "rendering/support" or 3 in [one.line for one in findings]


@pytest.mark.parametrize(("check", "before", "after"), planted.CHANGES, ids=lambda v: v[:20])
def test_what_is_taken_from_a_message_is_missed(proof, check, before, after):
    assert before in proof.html
    html = proof.html.replace(before, after, 1)
    bad = replace(proof, pieces=(Piece(html, proof.shell),))

    assert check in {one.check for one in check_proof(bad)}


@pytest.mark.parametrize(("check", "before", "after"), planted.HEADERS, ids=lambda v: str(v)[:24])
def test_a_fault_in_a_header_is_found(proof, check, before, after):
    assert before in proof.message
    message = proof.message.replace(before, after, 1)

    assert check in {one.check for one in check_message(message, "message.en")}


@pytest.mark.parametrize(
    "words",
    [
        *(
            "Registered in Dublin on 12 May 2004",
            "Founded on 3 May 2019",
            "© 2026 Example Ltd",
            "Version 3.12.2026.1",
        ),
        *("Call 01/12/2026/7", "Since 2026", "Issue 19 of 2026"),
    ],
)
def test_what_only_looks_like_a_date_is_none(proof, words):
    template = Template("templates/digest.mjml", f"<p>{words}</p>")
    bad = replace(proof, pieces=(Piece(f"<p>{words}</p>", template),))

    assert "personal/date" not in {one.check for one in check_proof(bad)}


def test_a_date_in_the_plain_text_is_found_and_one_of_a_story_is_not(proof):
    shell = Template("templates/digest.txt", "Hello\nWe meet on 3 December 2026.")
    bad = replace(proof, text=f"{proof.text}\nWe meet on 3 December 2026.", text_shell=shell)
    told = replace(proof, text=f"{proof.text}\nReleased on 3 December 2026.")
    (found,) = [one for one in check_proof(bad) if one.check == "personal/date"]

    assert (found.path, found.line) == ("templates/digest.txt", 2)
    assert check_proof(told) == []


def test_colours_that_only_the_dark_has_are_looked_at_too(proof):
    text = "#e6e8eb"  # of the theme, in dark alone
    bad = replace(proof, pieces=(Piece(proof.html.replace(text, "#33383f"), proof.shell),))
    found = {str(one) for one in check_proof(bad) if one.check == "accessibility/contrast"}

    assert text in proof.html
    assert found
    assert all("in dark" in one for one in found)


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("p{color:#111111}", (17, 17, 17)),
        (".a p{color:#111111}", (17, 17, 17)),
        ("div>p.b{color:#111111}", (17, 17, 17)),
        ("td p{color:#111111}", (34, 34, 34)),
        ("p:hover{color:#111111}", (34, 34, 34)),
        ("@media print{p{color:#111111!important}}", (34, 34, 34)),
        ("@media (prefers-color-scheme:dark){p{color:#111111!important}}", (34, 34, 34)),
        ("p{color:#333333!important} p{color:#111111!important}", (17, 17, 17)),
        ("p{color:#111111!important} p{color:#333333}", (17, 17, 17)),
        ("[data-x] p{color:#111111!important}", (34, 34, 34)),
    ],
)
def test_the_strongest_rule_gives_the_colour(css, expected):
    inline = ' style="color:#222222"' if expected[0] == 34 or "important" in css else ""
    html = f'<style>{css}</style><div class="a"><p class="b"{inline}>Words</p></div>'
    document = read(html)
    number = next(n for n, one in enumerate(document.elements) if one.name == "p")

    assert Colours(document).text(number) == expected


def test_pictures_with_few_words_are_found(proof):
    picture = '<img src="https://news.example.com/a.png" width="20" alt="A queue">'
    html = f'<html lang="en" dir="ltr"><body><h1>Hi</h1>{picture * 6}</body></html>'
    bad = replace(proof, pieces=(Piece(html, proof.shell),))

    assert "image/text" in {one.check for one in check_proof(bad)}


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("law/unsubscribe", {"text": "Words " * 40}),
        ("law/postal-address", {"text": "Words " * 40}),
        ("law/why", {"text": "Words " * 40}),
        ("text/missing", {"text": "Hi"}),
        ("text/short", {"text": "Words " * 22}),
        ("text/markup", {"text": "<strong>Words</strong> " * 40}),
        ("law/old-year", {"shell": Template("digest.mjml", "<p>\n© 2019 Example Ltd</p>")}),
        ("size/message", {"message": b"x" * 500_001}),
    ],
)
def test_what_the_law_and_the_size_ask_for_is_missed(proof, check, change):
    findings = check_proof(replace(proof, **change))

    assert check in {one.check for one in findings}


def test_an_address_of_several_lines_is_found_on_one(proof):
    address = "Example Ltd,\n 1 High Street\nDublin"
    newsletter = replace(proof.newsletter, postal_address=address)
    one = replace(proof, newsletter=newsletter)

    assert "law/postal-address" not in {finding.check for finding in check_proof(one)}


def test_pictures_may_come_from_the_sites_of_the_newsletter(proof):
    picture = '<img src="https://images.example.net/a.png" width="20" alt="A queue"></body>'
    html = proof.html.replace("</body>", picture)
    bad = replace(proof, pieces=(Piece(html, proof.shell),))
    own = replace(bad, own_hosts=["blog.example.net"])

    assert "privacy/third-party" in {one.check for one in check_proof(bad)}
    assert check_proof(own) == []


SETTING = {
    "header/freemail": ("news@example.com", "news@gmail.com", "sender"),
    "header/no-reply": ("news@example.com", "noreply@example.com", "sender"),
    "header/aligned": (
        'postal_address = "Example',
        'base_url = "https://news.example.org"\npostal_address = "Example',
        "base_url",
    ),
}


@pytest.mark.parametrize("check", SETTING)
def test_a_fault_in_the_settings_is_found_at_its_line(project, run, check):
    before, after, key = SETTING[check]
    text = SETTINGS.replace(before, after)
    project.write("digest.toml", text)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if row.startswith(key))
    out = run("check").out

    assert any(f"digest.toml:{line}: newsletter.{key}" in row for row in out.splitlines()), out


def test_a_persona_with_a_misspelt_tag_is_told_with_the_right_one(project, run):
    project.write("digest.toml", SETTINGS.replace('["ai", "python"]', '["ai", "pyhton"]'))
    line = len(SETTINGS.splitlines())

    assert f"digest.toml:{line}: personas.ana.tags: no post has #pyhton; did you mean #python?" in (
        run("check").out
    )


def test_tags_that_readers_follow_are_held_against_those_of_posts(draft):
    vocabulary, used = draft.content.vocabulary, {"kubernetes", "ai"}
    (finding,) = check_followers({"kuberntes": 41, "ai": 3, "cooking": 2}, vocabulary, used)

    assert finding.check == "tag/followed"
    assert "41 readers" in str(finding)
    assert "did you mean #kubernetes?" in str(finding)


def test_a_story_whose_tags_nobody_follows_is_told(draft):
    stories = draft.candidates()[0]
    told = check_unfollowed(stories, Places(), draft.content.vocabulary, {"ai", "accessibility"})

    assert [one.path for one in told] == ["content/ferry.md"]


def copy(**more) -> Copy:
    """An edition that is as it should be, but for what is said."""
    stories = more.pop("stories", (story("one", title="A story of two queues"), story("two")))
    size = more.pop("html_bytes", 30_000)
    words = {
        "subject": "A story of two queues and 1 more",
        "preheader": "What the team learned when both of them were full at once",
    }
    return Copy(Edition("3fa10000", "en", stories, (), 5, size), **(words | more))


LAST = Before("weekly-2026-11-12", 100, frozenset({"A subject of last week"}))


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("subject/length", {"subject": "Queues"}),
        ("subject/test", {"subject": "Test"}),
        ("subject/same", {"subject": "A subject of last week"}),
        ("preheader/length", {"preheader": "Short"}),
        ("preheader/same", {"preheader": "A story of two queues and 1 more and on and on it goes"}),
        ("size/html", {"html_bytes": 102_001}),
        ("size/near", {"html_bytes": 90_000}),
        ("edition/short", {}),
        ("edition/long", {"stories": (story("one", tldr="word " * 5001), story("two"))}),
        ("edition/empty", {"stories": ()}),
        ("edition/few", {"stories": (story("one"),)}),
        ("edition/same-title", {"stories": (story("a", title="Twin"), story("b", title="Twin"))}),
    ],
)
def test_a_fault_of_an_edition_is_found(check, change):
    findings = {one.check: one for one in check_issue("weekly-2026-11-19", [copy(**change)], LAST)}

    assert check in findings
    assert findings[check].path.startswith("weekly-2026-11-19")


def test_what_many_editions_have_in_common_is_told_once():
    found = check_issue("weekly-2026-11-19", [copy(html_bytes=110_000)] * 40)

    (finding,) = [one for one in found if one.check == "size/html"]
    assert "and 39 more editions" in finding.message
    twice = check_issue("weekly-2026-11-19", [copy(html_bytes=110_000)] * 2)
    assert "and 1 more edition" in {one.check: one.message for one in twice}["size/html"]


def test_an_audience_that_halved_is_told():
    (finding,) = check_audience("weekly-2026-11-19", 50, LAST)

    assert finding.check == "personal/audience"
    assert "50 readers, -50 % against weekly-2026-11-12" in finding.message
    assert not list(check_audience("weekly-2026-11-19", 110, LAST))


def test_stories_that_nobody_gets_or_that_are_heavy_are_told():
    stories = (story("one"), story("lost"))
    copies = [copy(stories=(stories[0],))]
    (lost,) = check_reach(stories, copies, Places())
    (heavy,) = check_weights(stories, {"one": 25_000, "lost": 900}, Places())

    assert (lost.check, heavy.check) == ("personal/nobody", "size/story")


def test_good_editions_have_no_finding(draft):
    editions = list(samples(draft))
    told = check_issue(draft.issue.id, [copy(stories=one.stories * 9) for one in editions])

    assert len(editions) > 3
    assert len({one.id for one in editions}) == len(editions)
    assert {one.check for one in told} <= {"edition/same-title"}


def test_at_least_sixty_checks_have_a_fault_planted_for_them():
    every = (planted.POSTS, planted.FRAGMENTS, planted.CHANGES, planted.HEADERS)
    checks = {getattr(one, "check", None) or one[0] for group in every for one in group}

    assert len(checks) >= 80
    assert checks <= RULES.keys()
