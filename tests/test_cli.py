"""The commands, as a person or a script uses them."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser

import pytest

from digest.cli import COMMANDS
from tests.project import make_project

AT = ("--at", "2026-11-20")


def test_stories_are_listed_newest_first(project, run):
    result = run("stories")

    assert result.code == 0
    assert [line.split("  ")[1] for line in result.out.splitlines()] == [
        "About tables",
        "About ferry",
        "About agents",
        "About old",
    ]


def test_stories_as_json_are_one_object_a_line(project, run):
    rows = [json.loads(line) for line in run("stories", "--json").out.splitlines()]

    agents = next(row for row in rows if row["id"] == "agents")
    assert agents["post"] == "content/agents.md"
    assert agents["tldr"] == "What happened with agents, in one sentence."
    assert agents["takeaways"] == ["The first thing", "The second thing"]
    assert agents["link"] == "https://example.com/agents"
    assert agents["url"] == "https://blog.example.com/agents/"
    assert agents["published"] == "2026-11-16T00:00:00+00:00"
    assert (agents["tags"], agents["markers"]) == (["ai", "python"], ["generated", "en"])
    assert (agents["language"], agents["generated"]) == ("en", True)


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (["--since", "2026-11-17"], ["tables", "ferry"]),
        (["--until", "2026-11-16"], ["old"]),
        (["--tags", "ai and not python"], ["old"]),
        (["--tags", "#Kubernetes or accessibility"], ["tables", "ferry"]),
        (["--tags", "k8s"], ["ferry"]),
    ],
)
def test_stories_are_filtered_by_time_and_tags(project, run, filters, ids):
    rows = run("stories", "--json", *filters).out.splitlines()

    assert [json.loads(row)["id"] for row in rows] == ids


def test_a_broken_filter_says_what_could_stand_there(project, run):
    result = run("stories", "--tags", "ai llm")

    assert result.code == 2
    assert "`llm` follows without an operator" in result.err
    assert "write `and`" in result.err


def test_a_bad_post_is_listed_and_left_out_and_the_exit_code_says_so(project, run):
    project.write("content/bad.md", "---\ntitle: Bad\npublishedAt: 2026-19-11\n---\nText.\n")

    result = run("stories", "--json")

    assert result.code == 3
    assert len(result.out.splitlines()) == 4
    assert "content/bad.md:3: publishedAt: " in result.err


def test_plan_counts_readers_editions_and_reasons(project, run):
    plan = json.loads(run("plan", "--json", *AT).out)

    assert plan["issue"] == "weekly-2026-11-19"
    assert plan["window"] == {"start": "2026-11-12T09:00:00Z", "end": "2026-11-19T09:00:00Z"}
    assert plan["readers"] == 3
    assert [edition["stories"] for edition in plan["editions"] if edition["readers"] == 1]
    assert sorted(plan["stories"]["in"]) == ["agents", "ferry", "tables"]
    assert plan["stories"]["out"] == [{"id": "old", "reason": "before the window"}]
    assert plan["skipped"] == {"monthly, not due": 1, "nothing new for their tags": 1}


def test_plan_tells_a_person_the_same(project, run):
    result = run("plan", *AT)

    assert "weekly-2026-11-19" in result.out
    assert "3 of 5 get a digest" in result.out
    assert "1 skipped: nothing new for their tags" in result.out


def test_a_plan_writes_nothing(project, run):
    run("plan", *AT)

    assert not (project.root / "outbox").exists()


def test_send_writes_one_message_per_reader_and_a_page_to_look_at(project, run):
    result = run("send", *AT)

    issue = project.root / "outbox" / "weekly-2026-11-19"
    assert result.code == 0
    assert len(list(issue.glob("0000/*.eml"))) == 3
    assert (issue / "index.html").as_uri() in result.err
    assert len(list(issue.glob("editions/*.html"))) == 3


def test_sending_twice_changes_no_byte(project, run):
    run("send", *AT)
    first = {p: p.read_bytes() for p in (project.root / "outbox").rglob("*.eml")}

    result = run("send", *AT)

    assert {p: p.read_bytes() for p in (project.root / "outbox").rglob("*.eml")} == first
    assert "3 there already" in result.err


def test_the_same_input_elsewhere_gives_the_same_messages(project, run, monkeypatch, tmp_path):
    run("send", *AT)
    other = make_project(tmp_path / "elsewhere")
    monkeypatch.chdir(other.root)
    run("send", *AT)

    here, there = (
        {p.name: p.read_bytes() for p in (root / "outbox").rglob("*.eml")}
        for root in (project.root, other.root)
    )
    assert here == there


def test_messages_are_read_without_defects_and_hold_the_chosen_stories(project, run):
    run("send", *AT)
    messages = [
        BytesParser(policy=policy.strict).parsebytes(path.read_bytes())
        for path in (project.root / "outbox").rglob("*.eml")
    ]

    bo = next(m for m in messages if m["To"].addresses[0].username == "bo")
    assert not [part.defects for part in bo.walk() if part.defects]
    assert "About ferry" in bo["Subject"]
    for kind in ("plain", "html"):
        body = bo.get_body((kind,)).get_content()
        assert "What happened with ferry" in body
        assert "About tables" not in body


def test_latest_is_the_newest_issue_with_a_story(project, run):
    assert json.loads(run("plan", "--json", "--at", "latest").out)["issue"] == "weekly-2026-11-19"


def test_latest_is_never_an_issue_that_is_not_due_yet(project, run):
    """Half of an issue, written early, would keep the other half from ever being written."""
    for path in (project.root / "content").glob("*.md"):
        path.unlink()
    now = datetime.now(UTC)
    project.post("new", published=(now - timedelta(hours=1)).isoformat())

    result = run("send", "--at", "latest")

    due = json.loads(run("plan", "--at", "latest", "--json").out)["window"]["end"]
    if datetime.fromisoformat(due) > now:
        assert "Nothing is due yet" in result.err
        assert not (project.root / "outbox").exists()
    else:  # it became due within that hour
        assert list((project.root / "outbox").rglob("*.eml"))


def test_a_list_without_anybody_is_said_to_be_that(project, run):
    project.write("subscribers/list.csv", "email,name\n")

    assert "There are no subscribers yet" in run("send", *AT).err


def test_the_page_of_an_issue_shows_what_was_sent_not_what_would_be(project, run):
    run("send", *AT)
    page = project.root / "outbox/weekly-2026-11-19/index.html"
    sent = page.read_text()
    project.post("ferry", tags="#ai", published="2026-11-17")

    run("send", *AT)

    assert page.read_text() == sent


def test_a_week_without_stories_sends_nothing_and_says_what_to_try(project, run):
    result = run("send", "--at", "2026-12-24")

    assert result.code == 0
    assert "digest send --at latest" in result.err
    assert not (project.root / "outbox").exists()


@pytest.mark.parametrize("who", ["ana", "ana@example.com", "AI, python"])
def test_render_takes_a_persona_an_address_or_tags(project, run, who):
    result = run("render", "--as", who, *AT)

    assert result.code == 0
    assert "<!doctype html>" in result.out.lower()
    assert "About agents" in result.out
    assert "About ferry" not in result.out


@pytest.mark.parametrize(
    ("shape", "begins"), [("text", ""), ("eml", "From: "), ("mjml", "<mjml"), ("html", "<!doctype")]
)
def test_render_has_four_formats(project, run, shape, begins):
    out = run("render", *AT, "--format", shape).out

    assert out.lower().startswith(begins.lower())
    assert "About ferry" in out


def test_render_writes_a_file(project, run):
    result = run("render", *AT, "--format", "text", "--out", "digest.txt")

    assert "wrote digest.txt" in result.err
    assert "About tables" in (project.root / "digest.txt").read_text()


def test_render_for_nobody_says_why_and_what_to_try(project, run):
    result = run("render", "--as", "gardening", *AT)

    assert result.code == 1
    assert "nothing in weekly-2026-11-19" in result.err
    assert "digest explain" in result.err


def test_explain_says_why_each_story_is_in_or_out(project, run):
    out = run("explain", "cy@example.com", *AT).out

    assert "in   ferry  because of everything" in out
    assert "out  agents  muted ai" in out


def test_explain_one_story_as_json(project, run):
    shape = json.loads(run("explain", "ana@example.com", "old", "--json", *AT).out)

    assert shape["in"] == []
    out = {"id": "old", "reason": "before the window", "listed": "2026-11-02T00:00:00Z"}
    assert shape["out"] == [out]


def test_an_unknown_address_or_story_is_an_error_with_a_hint(project, run):
    assert "not among the subscribers" in run("explain", "nobody@example.com", *AT).err
    assert "digest stories --json" in run("explain", "ana@example.com", "absent", *AT).err


def test_check_finds_nothing_in_a_good_project(project, run):
    result = run("check")

    assert (result.code, result.out) == (0, "")
    assert "nothing is wrong" in result.err


def test_check_finds_bad_posts_bad_rows_and_bad_templates(project, run):
    project.write("content/bad.md", "---\ntitle: Bad\npublishedAt: soon\n---\nText.\n")
    project.write("subscribers/more.csv", "email\nnobody\n")
    project.write("templates/story.mjml", "<mj-text>\n{{ story.titel }}</mj-text>\n")

    result = run("check")

    assert result.code == 3
    assert "content/bad.md:3: publishedAt: " in result.out
    assert "subscribers/more.csv:2: email: " in result.out
    assert "templates/story.mjml:2" in result.out


def test_check_warns_of_a_template_that_nothing_uses(project, run):
    project.write("templates/stroy.mjml", "<mj-text>Hello</mj-text>\n")

    assert "did you mean story.mjml?" in run("check").out


def test_check_annotates_a_pull_request(project, run):
    project.write("content/bad.md", "---\ntitle: Bad\npublishedAt: soon\n---\nText.\n")

    out = run("check", "content/bad.md", "--format", "github").out

    assert out.startswith("::error file=content/bad.md,line=3,title=front-matter/date::publishedAt")


def test_check_reads_a_post_where_there_is_no_newsletter_yet(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.md").write_text("---\ntitle: Bad\npublishedAt: soon\n---\nText.\n")

    assert run("check", "bad.md").out.startswith("error   bad.md:3: publishedAt: ")
    assert not (tmp_path / ".digest").exists()


def test_check_as_json_and_strict(project, run):
    project.write("content/odd.md", "---\ntitle: Odd\n---\nText.\n")

    result = run("check", "--format", "json", "--strict", "content/odd.md")

    assert result.code == 3
    assert json.loads(result.out.splitlines()[0])["severity"] == "warning"


def test_init_then_send_works_at_once_in_an_empty_folder(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert run("init").code == 0
    result = run("send")

    assert result.code == 0
    assert list((tmp_path / "outbox").rglob("*.eml"))


def test_init_says_what_it_would_write(tmp_path, run):
    result = run("init", str(tmp_path / "new"), "--dry-run")

    assert "digest.toml" in result.out
    assert not (tmp_path / "new").exists()


def test_a_mistake_in_a_template_is_told_with_its_file_and_line(project, run):
    project.write("templates/story.mjml", "<mj-text>\n{{ stroy }}</mj-text>\n")

    result = run("send", *AT)

    assert result.code == 1
    assert "templates/story.mjml:2: " in result.err


def test_errors_have_no_colour_when_nobody_looks(project, run):
    assert "\x1b" not in run("explain", "nobody@example.com").err


def test_an_expression_is_not_taken_for_tags(project, run):
    assert "digest stories --tags" in run("render", "--as", "ai and llm", *AT).err


@pytest.mark.parametrize("when", ["0001-01-01", "9999-12-31"])
def test_a_time_that_no_calendar_reaches_is_wrong_usage(project, run, when):
    assert run("plan", "--at", when).code == 2


def test_a_broken_configuration_is_told_with_its_line(project, run):
    project.write("digest.toml", "[newsletter]\ntimezone = 'Mars'\n")

    result = run("plan")

    assert result.code == 1
    assert "digest.toml:2: newsletter.timezone: 'Mars' is not accepted" in result.err


def test_an_error_with_json_is_an_object_on_stderr(project, run):
    result = run("explain", "nobody@example.com", "--json", *AT)

    assert json.loads(result.err)["error"]["message"].startswith("nobody@example.com")


@pytest.mark.parametrize("bad", [["--att", "now"], ["--at", "soon"], ["--cadence", "yearly"]])
def test_wrong_usage_is_exit_code_2(project, run, bad):
    assert run("plan", *bad).code == 2


def test_a_cadence_without_a_schedule_says_how_to_add_one(project, run):
    assert "[cadence.daily]" in run("plan", "--cadence", "daily").err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_works(run, name):
    result = run(name, "--help")

    assert result.code == 0
    assert "Example:" in result.out


def test_a_reader_of_the_output_who_leaves_early_is_no_error(project):
    command = [sys.executable, "-m", "digest", "stories", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        err = running.stderr.read().decode()

    assert "Traceback" not in err
    assert running.returncode == 0


HEAVY = {"jinja2", "mjml", "frontmatter", "yaml", "rich", "babel", "sqlalchemy", "email_validator"}


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["send", "--help"]])
def test_help_imports_nothing_heavy(args):
    script = (
        "import sys; from digest.cli import main; sys.argv = ['digest', *sys.argv[1:]]\n"
        "try: main()\n"
        "except SystemExit: print('MODULES', *sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, *args], check=False, capture_output=True, text=True
    )

    loaded = out.stdout.rpartition("MODULES")[2].split()
    allowed = HEAVY if args[0][:2] == "--" else {"sqlalchemy"}
    assert not allowed & set(loaded)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sned",), "there is no command 'sned'; did you mean send?"),
        (("subscribers", "improt"), "there is no command 'improt'; did you mean import?"),
        (("xyzzy",), "there is no command 'xyzzy'; --help names them all"),
    ],
)
def test_a_misspelt_command_is_told_with_the_right_one(run, words, said):
    done = run(*words)

    assert done.code == 2
    assert said in done.err
