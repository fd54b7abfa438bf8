"""The configuration: strict, with the place of every mistake."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest import config
from digest.config import CadenceConfig, Missed
from digest.config.cadence import parse_due, parse_span
from digest.errors import ConfigError
from digest.models import Cadence, Due, Preferences

FILE = Path("/newsletter/digest.toml")


def parse(text: str = "", **environ: str) -> config.Config:
    return config.parse(text, FILE, environ)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse(text)
    return str(error.value).splitlines()


def test_an_empty_file_is_a_newsletter_with_the_outbox():
    read = parse()

    assert read.provider == "outbox"
    assert read.content.folder == Path("/newsletter/content")
    assert read.schedule == {Cadence.WEEKLY: CadenceConfig(Due(9, 0, weekday=3))}
    assert read.limits == config.Limits(max_stories=12, max_html_bytes=100_000)


def test_every_setting_has_its_place():
    read = parse("""
        [newsletter]
        name = "Platform Weekly"
        sender = "news@example.com"
        timezone = "Europe/Dublin"
        [content.labels]
        tldr = ["Kurzfassung"]
        [tags.aliases]
        k8s = "kubernetes"
        [cadence.monthly]
        at = "1 09:00"
        [personas.ana]
        tags = ["ai", "llm"]
        languages = ["en"]
    """)

    assert read.newsletter.timezone == ZoneInfo("Europe/Dublin")
    assert read.newsletter.list_id == "platform-weekly.example.com"
    assert read.content.labels["tldr"][-1] == "Kurzfassung"
    assert "TLDR" in read.content.labels["tldr"]
    assert read.tags.aliases == {"k8s": "kubernetes"}
    assert read.schedule == {Cadence.MONTHLY: CadenceConfig(Due(9, 0, day=1))}
    assert read.personas["ana"] == Preferences(("ai", "llm"), languages=("en",))


def test_every_mistake_is_reported_at_once_with_its_line_and_what_is_accepted():
    assert problems('[newsletter]\ntimezone = "Mars/Base"\nsender = "nobody"\n') == [
        "digest.toml:2: newsletter.timezone: 'Mars/Base' is not accepted; "
        'expected an IANA time zone: "Europe/Dublin"',
        "digest.toml:3: newsletter.sender: 'nobody' is not accepted; "
        "expected one address: news@example.com",
    ]


def test_an_unknown_key_is_a_mistake_and_the_nearest_known_one_is_named():
    [problem] = problems("[selection]\n\nmax_story = 5\n")

    assert problem == "digest.toml:3: selection.max_story: unknown key; did you mean max_stories?"


def test_an_unknown_table_is_a_mistake():
    [problem] = problems("[colours]\nred = 1\n")

    assert problem.startswith("digest.toml:1: colours: unknown key; known here: ")


@pytest.mark.parametrize(
    "text",
    [
        '[newsletter]\nname = ""',
        "[newsletter]\nname = 3",
        '[newsletter]\nbase_url = "http://news.example.com"',
        '[newsletter]\nbase_url = "https://news.example.com/?a=b"',
        '[newsletter]\nlist_id = "no dots"',
        '[newsletter]\nlanguage = "english"',
        '[content]\nurl = "https://blog.example.com/{title}/"',
        '[content]\nurl = "blog.example.com/{slug}"',
        '[content]\ncache = "maybe"',
        "[selection]\nmax_stories = 0",
        "[selection]\nmax_stories = true",
        "[tags]\nmarkers = [1, 2]",
        "[tags]\naliases = 5",
        '[delivery]\noutbox = ""',
        '[cadence.weekly]\nat = "thu"',
        '[cadence.weekly]\nat = "09:00"',
        '[cadence.daily]\nat = "25:00"',
        '[cadence.monthly]\nat = "31 09:00"',
        '[cadence.weekly]\nmissed = "perhaps"',
        '[cadence.weekly]\nlate = "12"',
        '[cadence.daily]\nlate = "2d"',
        '[cadence.weekly]\nlocal_time = "where they are"',
        '[cadence.weekly]\nchoose = "when they like"',
        '[newsletter]\neditors = ["ana"]',
        "[personas.ana]\neverything = 1",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_on_its_line(text):
    assert [problem.split(":")[:2] for problem in problems(text)] == [["digest.toml", "2"]]


def test_broken_toml_says_where():
    assert problems("[newsletter]\nname = 3 4\n")[0].startswith("digest.toml:2: ")
    assert problems("[newsletter]\nname = 'open")[0].startswith("digest.toml:2: ")


def test_the_environment_wins_over_the_file():
    read = parse("[selection]\nmax_stories = 5\n", DIGEST_SELECTION__MAX_STORIES="7")

    assert read.limits.max_stories == 7


def test_a_mistake_in_the_environment_is_not_blamed_on_the_file():
    with pytest.raises(ConfigError) as error:
        parse("[selection]\nmax_stories = 5\n", DIGEST_SELECTION__MAX_STORIES="many")

    assert str(error.value).startswith("environment: DIGEST_SELECTION__MAX_STORIES: 'many'")


def test_an_unknown_table_in_the_environment_is_named_as_that():
    with pytest.raises(ConfigError, match="environment: DIGEST_COLOURS__RED: unknown key"):
        parse("", DIGEST_COLOURS__RED="1")


def test_a_flag_in_the_environment_is_a_word():
    assert parse(DIGEST_CONTENT__CACHE="no").content.cache is False


@pytest.mark.parametrize("text", ["one.example two.example", '["one.example", "two.example"]'])
def test_a_list_in_the_environment_is_words_or_as_in_the_file(text):
    assert parse(DIGEST_WEB__HOSTS=text).web.hosts == ("one.example", "two.example")


def test_a_broken_list_in_the_environment_is_shown_what_would_be_accepted():
    with pytest.raises(ConfigError, match=r"DIGEST_WEB__HOSTS: '\[\"one.+ a list of texts"):
        parse(DIGEST_WEB__HOSTS='["one.example')


def test_the_nearest_file_above_is_found(tmp_path):
    (tmp_path / "digest.toml").write_text("")
    inside = tmp_path / "content" / "posts"
    inside.mkdir(parents=True)

    assert config.find(inside) == tmp_path / "digest.toml"


def test_no_file_anywhere_names_the_command_that_writes_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match="digest init"):
        config.load(environ={})


def test_a_missing_file_and_a_file_of_bytes_are_named(tmp_path):
    (tmp_path / "digest.toml").write_bytes(b"name = '\xff'")

    with pytest.raises(ConfigError, match=r"absent\.toml: No such file"):
        config.load(tmp_path / "absent.toml", {})
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(tmp_path / "digest.toml", {})


def test_secret_keys_come_from_the_environment_or_a_file(tmp_path):
    read = parse()
    keys = tmp_path / "keys"
    keys.write_text("new-secret-key-123\nold-secret-key-456\n")

    assert config.secret_keys(read, {"DIGEST_SECRET_KEY": "a-secret-key-1234"}) == (
        b"a-secret-key-1234",
    )
    assert config.secret_keys(read, {"DIGEST_SECRET_KEY_FILE": str(keys)}) == (
        b"new-secret-key-123",
        b"old-secret-key-456",
    )


def test_a_short_secret_key_is_refused():
    with pytest.raises(ConfigError, match="shorter than 16"):
        config.secret_keys(parse(), {"DIGEST_SECRET_KEY": "short"})


def test_a_key_of_our_own_is_made_once_and_for_the_owner_alone(tmp_path):
    read = config.parse("", tmp_path / "digest.toml", {})

    first, second = config.secret_keys(read, {}), config.secret_keys(read, {})

    assert first == second
    assert (tmp_path / ".digest" / "secret-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("cadence", "text", "due"),
    [
        (Cadence.DAILY, "7:30", Due(7, 30)),
        (Cadence.WEEKLY, "Thursday 09:00", Due(9, 0, weekday=3)),
        (Cadence.MONTHLY, "28 23:59", Due(23, 59, day=28)),
    ],
)
def test_due_moments_are_written_as_people_say_them(cadence, text, due):
    assert parse_due(cadence, text) == due


def test_a_cadence_says_what_becomes_of_its_issues():
    read = parse("""
        [newsletter]
        editors = ["ana@example.com"]
        [cadence.weekly]
        at = "fri 7:30"
        local_time = true
        choose = true
        missed = "ask"
        late = "2d"
        approve = true
        plan_ahead = "90m"
    """)

    assert read.editors == ("ana@example.com",)
    assert read.schedule[Cadence.WEEKLY] == CadenceConfig(
        Due(7, 30, weekday=4),
        local_time=True,
        choose=True,
        missed=Missed.ASK,
        late=timedelta(days=2),
        approve=True,
        plan_ahead=timedelta(minutes=90),
    )


def test_approval_without_editors_has_nobody_to_ask():
    [problem] = problems("[cadence.weekly]\napprove = true\n")

    assert "cadence.weekly.approve has nobody to ask" in problem


@pytest.mark.parametrize("text", ["", "12", "h", "-1h", "1.5h", "1w", "999999h"])
def test_a_time_span_has_a_whole_number_and_a_unit(text):
    with pytest.raises(ValueError):
        parse_span(text)


def test_sendgrid_is_set_in_a_table_of_its_own():
    read = parse('[sendgrid]\nregion = "eu"\npersonalizations = 1000\nsubuser = "news"\n')

    assert read.sendgrid == config.SendgridConfig("eu", "news", 1000)


@pytest.mark.parametrize(
    "line",
    [
        'region = "mars"',
        "personalizations = 1001",
        "connections = 0",
        'host = "http://example.com"',
        'host = "https://example.com/path"',
        'subuser = "a\\r\\nb"',
        'api_key = "SG.x"',
    ],
)
def test_a_setting_of_sendgrid_that_cannot_be_is_refused_without_showing_a_key(line):
    [problem] = problems(f"[sendgrid]\n{line}\n")

    assert problem.startswith(f"digest.toml:2: sendgrid.{line.split()[0]}: ")
    assert "SG.x" not in problem


def test_a_secret_comes_from_the_environment_or_a_file_and_is_never_shown(tmp_path):
    (tmp_path / "key").write_text("SG.secret\n")

    named = config.secret("API_KEY", {"DIGEST_API_KEY_FILE": str(tmp_path / "key")})

    assert named == config.secret("API_KEY", {"DIGEST_API_KEY": "SG.secret"})
    assert named.value == "SG.secret"
    assert "SG.secret" not in repr([named]) + str(named)


@pytest.mark.parametrize("value", ["", " \n", "SG.sec\r\nret", "SG.ségret"])
def test_a_secret_that_is_missing_or_broken_is_told_by_its_name_alone(value):
    with pytest.raises(ConfigError, match="DIGEST_API_KEY") as error:
        config.secret("API_KEY", {"DIGEST_API_KEY": value})

    assert "SG" not in str(error.value)
