"""`digest init`: what it finds in a folder, what it writes there, and what it leaves alone."""

import os
import subprocess
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.cadence import issue_due
from digest.config import Config, load
from digest.errors import DigestError
from digest.models import Cadence
from digest.scaffold import (
    SAMPLES_DUE,
    SAMPLES_END,
    SAMPLES_ZONE,
    Scaffold,
    detect,
    plan_init,
    redate,
    samples,
    write,
)
from digest.scaffold.posts import Posts
from digest.scaffold.settings_file import render_settings
from digest.scaffold.site_settings import Facts, machine_timezone
from digest.scaffold.sites import Site
from digest.subscribers import read_subscribers

NOW = datetime(2027, 3, 4, 12, 0, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def post(folder: Path, place: str, day: str = "2026-11-20") -> None:
    """One dated Markdown post at `place` in `folder`."""
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\ntitle: A post\ndate: {day}\n---\n\nText.\n", encoding="utf-8")


def site(folder: Path, config: str, text: str, *posts: str) -> Site:
    """The site detected in `folder` after writing its configuration and posts."""
    path = folder / config
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    for place in posts:
        post(folder, place)
    found = detect(folder)
    assert found
    return found


def init(folder: Path, now: datetime = NOW) -> Scaffold:
    """Plan and write."""
    scaffold = plan_init(folder, now)
    write(scaffold)
    return scaffold


def configured(folder: Path) -> Config:
    """The written configuration, read as every other command reads it."""
    return load(folder / "digest.toml", {})


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file under `folder` with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


# Site generators


def test_hugo_site_is_found_with_its_title_address_and_zone(tmp_path: Path) -> None:
    text = 'baseURL = "https://www.example.org/"\ntitle = "Nina\'s log"\ntimeZone = "Europe/Oslo"\n'

    found = site(tmp_path, "hugo.toml", text, "content/posts/a.md", "content/posts/b/index.md")

    assert str(found) == "Found a Hugo site: content/posts (2 posts, newest 2026-11-20)"
    assert found.facts == Facts("Nina's log", "https://www.example.org", "", "Europe/Oslo")
    assert found.path == "/posts/{slug}/"


@pytest.mark.parametrize(
    ("permalinks", "path"),
    [
        ('posts = "/:year/:month/:slug/"', "/{year}/{month}/{slug}/"),
        ('posts = "/:section/:contentbasename"', "/posts/{stem}"),
        ('page = {posts = "/p/:slug/"}', "/p/{slug}/"),
        ('posts = "/:yearday/:slug/"', ""),
        ('posts = "/{x}/:slug/"', ""),
        ('notes = "/n/:slug/"', "/posts/{slug}/"),
    ],
)
def test_hugo_permalinks_become_the_address_pattern(
    tmp_path: Path, permalinks: str, path: str
) -> None:
    text = f"[permalinks]\n{permalinks}\n"

    assert site(tmp_path, "hugo.toml", text, "content/posts/a.md").path == path


def test_hugo_section_pages_and_readmes_are_no_posts(tmp_path: Path) -> None:
    places = ("content/blog/a.md", "content/blog/_index.md", "content/blog/README.md")

    assert site(tmp_path, "hugo.yaml", "title: x", *places).posts.count == 1


def test_hugo_posts_of_a_language_folder_are_found(tmp_path: Path) -> None:
    found = site(tmp_path, "hugo.toml", 'languageCode = "pl-PL"', "content/pl/blog/a.md")

    assert (found.posts.folder, found.facts.language) == ("content/pl/blog", "pl")


def test_config_toml_without_a_base_url_is_not_hugo(tmp_path: Path) -> None:
    found = site(tmp_path, "config.toml", 'base_url = "https://example.org"', "content/a.md")

    assert found.generator == ""


def test_jekyll_site_gets_its_dated_addresses(tmp_path: Path) -> None:
    text = "title: Log\nurl: https://example.net\nbaseurl: /log\nlang: pl\n"

    found = site(tmp_path, "_config.yml", text, "_posts/2026-11-20-a.md", "about.md")

    assert str(found) == "Found a Jekyll site: _posts (1 post, newest 2026-11-20)"
    assert found.facts == Facts("Log", "https://example.net/log", "pl", "")
    assert found.path == "/{year}/{month}/{day}/{slug}.html"


@pytest.mark.parametrize(
    ("permalink", "path"),
    [
        ("pretty", "/{year}/{month}/{day}/{slug}/"),
        ("/blog/:title/", "/blog/{slug}/"),
        ("weekdate", ""),
        ("/:short_year/:title/", ""),
    ],
)
def test_jekyll_permalinks_become_the_address_pattern(
    tmp_path: Path, permalink: str, path: str
) -> None:
    found = site(tmp_path, "_config.yml", f"permalink: {permalink}", "_posts/2026-11-20-a.md")

    assert found.path == path


def test_astro_site_is_read_from_its_scripts(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/consts.ts").write_text("export const SITE_TITLE = 'Log & co';\n")
    text = "export default defineConfig({ site: 'https://example.com', locale: 'x' })"

    found = site(tmp_path, "astro.config.mjs", text, "src/content/blog/a.mdx")

    assert str(found).startswith("Found an Astro site: src/content/blog (1 post,")
    assert (found.facts.title, found.facts.base_url) == ("Log & co", "https://example.com")
    assert found.path == "/blog/{slug}/"


def test_astro_route_may_have_another_name_than_the_collection(tmp_path: Path) -> None:
    (tmp_path / "src/pages/posts").mkdir(parents=True)

    found = site(tmp_path, "astro.config.ts", "", "src/data/blog/a.md")

    assert (found.posts.folder, found.path) == ("src/data/blog", "/posts/{slug}/")


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("base: '/notes'", "/notes/blog/{slug}/"),
        ('base: "notes/log/"', "/notes/log/blog/{slug}/"),
        ("base: '/'", "/blog/{slug}/"),
        ("base: process.env.BASE, x: '/a'", "/blog/{slug}/"),
        ("base: '/{x}'", "/blog/{slug}/"),
    ],
)
def test_astro_pages_may_be_under_a_path(tmp_path: Path, base: str, path: str) -> None:
    found = site(tmp_path, "astro.config.mjs", f"({{ {base} }})", "src/content/blog/a.md")

    assert found.path == path


def test_eleventy_site_is_read_from_its_data_files(tmp_path: Path) -> None:
    (tmp_path / "_data").mkdir()
    (tmp_path / "_data/metadata.json").write_text(
        '{"title": "Log", "url": "https://example.org/", "language": "en-IE"}'
    )

    found = site(tmp_path, "eleventy.config.js", "", "content/blog/a.md", "content/about.md")

    assert str(found).startswith("Found an Eleventy site: content/blog (1 post,")
    assert found.facts == Facts("Log", "https://example.org", "en", "")
    assert found.path == "/blog/{slug}/"


@pytest.mark.parametrize(
    ("places", "folder"),
    [
        (("content/a.md", "content/pl/a.md"), "content"),
        (("posts/2026/11/a.md",), "posts"),
        (("posts/a/index.md",), "posts"),
        (("a.md", "old/b.md"), "."),
        (("notes/a.md", "essays/a.md", "essays/b.md"), "essays"),
        (("node_modules/x/a.md", "blog/a.md"), "blog"),
    ],
)
def test_plain_folder_is_the_one_that_will_hold_the_next_post(
    tmp_path: Path, places: tuple[str, ...], folder: str
) -> None:
    for place in places:
        post(tmp_path, place)

    found = detect(tmp_path)

    assert found
    assert (found.generator, found.posts.folder) == ("", folder)


def test_links_to_nowhere_and_pipes_are_no_posts(tmp_path: Path) -> None:
    post(tmp_path, "posts/a.md")
    (tmp_path / "posts/dangling.md").symlink_to("nope.md")
    (tmp_path / "posts/self.md").symlink_to("self.md")
    os.mkfifo(tmp_path / "posts/pipe.md")
    found = detect(tmp_path)

    assert found
    assert (found.posts.folder, found.posts.count) == ("posts", 1)


def test_newest_date_may_come_from_the_file_name(tmp_path: Path) -> None:
    (tmp_path / "2026-11-02-hello.md").write_text("# Hello\n")
    (tmp_path / "2026-13-45-broken.md").write_text("# No such day\n")

    assert str(detect(tmp_path)) == "Found Markdown posts: . (1 post, newest 2026-11-02)"


@pytest.mark.parametrize("broken", ["a: [", "- a", "a: 2026-99-99", "\x00", "[" * 5_000])
def test_broken_site_configuration_does_not_hide_the_posts(tmp_path: Path, broken: str) -> None:
    found = site(tmp_path, "_config.yml", broken, "_posts/2026-11-20-a.md")

    assert (found.generator, found.posts.count, found.facts) == ("Jekyll", 1, Facts())


@pytest.mark.parametrize(
    "config", ["hugo.toml", "_config.yml", "astro.config.ts", "eleventy.config.mjs"]
)
def test_generator_without_posts_is_an_error_that_says_where_it_looked(
    tmp_path: Path, config: str
) -> None:
    (tmp_path / config).write_text("")

    with pytest.raises(DigestError, match="posts"):
        plan_init(tmp_path, NOW)


# The written configuration


@pytest.mark.parametrize(
    ("config", "text", "place"),
    [
        ("hugo.toml", 'baseURL = "https://www.example.org"', "content/posts/a.md"),
        ("_config.yml", "url: http://localhost:4000", "_posts/2026-11-20-a.md"),
        ("astro.config.mjs", "site: 'https://192.0.2.1/x'", "src/content/blog/a.md"),
        ("eleventy.config.js", "", "posts/a.md"),
        ("notes.txt", "", "posts/a.md"),
    ],
)
def test_written_configuration_loads_and_leads_to_the_posts(
    tmp_path: Path, config: str, text: str, place: str
) -> None:
    found = site(tmp_path, config, text, place)

    init(tmp_path)

    settings = configured(tmp_path)
    assert settings.content.folder == tmp_path / found.posts.folder
    assert settings.newsletter.name == tmp_path.name
    assert settings.personas["everything"].everything


def test_written_configuration_takes_over_what_the_site_says(tmp_path: Path) -> None:
    text = 'baseURL = "https://www.example.org"\ntitle = "Log"\nlanguageCode = "pl"\n'
    site(tmp_path, "hugo.toml", text, "content/posts/a.md")

    plan = init(tmp_path, NOW.astimezone(ZoneInfo("Europe/Warsaw")))

    newsletter = configured(tmp_path).newsletter
    assert (newsletter.name, newsletter.language) == ("Log", "pl")
    assert (newsletter.sender, newsletter.base_url) == (
        "news@example.org",
        "https://news.example.org",
    )
    assert newsletter.timezone.key == "Europe/Warsaw"
    assert configured(tmp_path).content.url == "https://www.example.org/posts/{slug}/"
    assert [file.path for file in plan.files][-1] == "digest.toml"


def test_first_send_beside_a_site_has_one_invented_reader(tmp_path: Path) -> None:
    post(tmp_path, "posts/a.md")

    init(tmp_path)

    readers = list(read_subscribers(tmp_path / "subscribers", tmp_path, b"k" * 16, print))
    assert [reader.email for reader in readers] == ["reader@example.com"]
    assert readers[0].preferences.everything


def test_jekyll_does_not_publish_the_list_of_readers(tmp_path: Path) -> None:
    site(tmp_path, "_config.yml", "", "_posts/2026-11-20-a.md")

    init(tmp_path)

    settings = configured(tmp_path)
    assert settings.subscribers == tmp_path / "_subscribers"
    assert settings.outbox == tmp_path / "_outbox"
    assert "_outbox/" in (tmp_path / ".gitignore").read_text()


def test_site_that_names_no_zone_gets_the_machines(tmp_path: Path) -> None:
    post(tmp_path, "posts/a.md")

    init(tmp_path)

    assert configured(tmp_path).newsletter.timezone.key == machine_timezone()


@given(st.text(), st.text(), st.text())
def test_any_title_and_folder_name_make_a_valid_file(title: str, name: str, folder: str) -> None:
    found = Site("", Posts(folder, 1, None), Facts(title=title))

    settings = tomllib.loads(render_settings(found, name, "UTC"))

    printable = "".join(letter for letter in title or name or "Digest" if letter.isprintable())
    assert settings["newsletter"]["name"] == printable


# What is left alone


def test_existing_configuration_is_refused(tmp_path: Path) -> None:
    post(tmp_path, "posts/a.md")
    (tmp_path / "digest.toml").write_text("# mine\n")

    with pytest.raises(DigestError, match=r"digest\.toml exists already"):
        plan_init(tmp_path, NOW)


def test_file_that_appears_after_the_plan_stays_as_it_is(tmp_path: Path) -> None:
    post(tmp_path, "posts/a.md")
    scaffold = plan_init(tmp_path, NOW)
    (tmp_path / "digest.toml").write_text("# mine\n")

    with pytest.raises(DigestError, match="stays as it is"):
        write(scaffold)

    assert (tmp_path / "digest.toml").read_text() == "# mine\n"


def test_existing_readers_get_no_invented_company(tmp_path: Path) -> None:
    post(tmp_path, "posts/a.md")
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers/people.csv").write_text("email\nana@example.com\n")

    scaffold = init(tmp_path)

    assert [file.path for file in scaffold.files] == [".gitignore", "digest.toml"]


ADDRESSES = b"*.sqlite3*\ndigest-*.dump\n*.rejects.csv\n"


@pytest.mark.parametrize("folder", [".", "content"])
def test_what_holds_addresses_is_kept_out_of_git(tmp_path: Path, folder: str) -> None:
    git = ("git", "-C", str(tmp_path))
    subprocess.run([*git, "init", "-q"], check=True)
    post(tmp_path, "posts/a.md")
    init(tmp_path)

    names = ("digest.sqlite3", "digest.sqlite3-wal", "monday.sqlite3", "list.csv.rejects.csv")
    paths = [f"{folder}/{name}" for name in names]
    ignored = subprocess.check_output([*git, "check-ignore", *paths], text=True)

    assert ignored.split() == paths


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"node_modules\n", b"node_modules\n.digest/\noutbox/\n" + ADDRESSES),
        (b"a", b"a\n.digest/\noutbox/\n" + ADDRESSES),
        (b"a\r\n/.digest\r\n", b"a\r\n/.digest\r\noutbox/\n" + ADDRESSES),
        (b"\xff\n.digest/\n", b"\xff\n.digest/\noutbox/\n" + ADDRESSES),
        (b".digest/\noutbox/\n" + ADDRESSES, b".digest/\noutbox/\n" + ADDRESSES),
    ],
)
def test_gitignore_gains_only_the_missing_lines(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    post(tmp_path, "posts/a.md")
    (tmp_path / ".gitignore").write_bytes(before)

    init(tmp_path)

    assert (tmp_path / ".gitignore").read_bytes() == after


def test_planning_writes_nothing(tmp_path: Path) -> None:
    post(tmp_path, "posts/a.md")
    before = snapshot(tmp_path)

    plan_init(tmp_path, NOW)

    assert snapshot(tmp_path) == before


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.md").write_text("# Log\n")

    with pytest.raises(DigestError, match="is not a folder"):
        plan_init(tmp_path / "log.md", NOW)


def test_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(DigestError, match="is not a folder"):
        plan_init(tmp_path / "loop", NOW)


def test_folder_without_dated_posts_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/manual.md").write_text("# Manual\n")

    with pytest.raises(DigestError, match="no Markdown posts") as refusal:
        plan_init(tmp_path, NOW)

    assert "digest init newsletter" in refusal.value.hint


def test_file_where_a_folder_must_be_is_an_error_that_names_it(tmp_path: Path) -> None:
    post(tmp_path, "posts/a.md")
    (tmp_path / "subscribers").write_text("")

    with pytest.raises(DigestError, match="subscribers"):
        init(tmp_path)


# The bundled newsletter


def test_empty_folder_becomes_a_working_newsletter(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("# Soon\n")

    scaffold = init(tmp_path)

    assert str(scaffold).startswith("An empty folder: laying out a small newsletter with 2")
    assert configured(tmp_path).newsletter.name == "Platform Weekly"
    assert len(list((tmp_path / "content").rglob("*.md"))) >= 12
    assert (tmp_path / "README.md").read_text() == "# Soon\n"


def test_new_folder_is_made(tmp_path: Path) -> None:
    write(plan_init(tmp_path / "deep" / "new", NOW))

    assert (tmp_path / "deep" / "new" / "digest.toml").is_file()


def test_written_files_are_listed_and_nothing_else_is_left(tmp_path: Path) -> None:
    written = write(plan_init(tmp_path, NOW))

    assert sorted(snapshot(tmp_path)) == sorted(
        path.relative_to(tmp_path).as_posix() for path in written
    )


@given(MOMENTS)
def test_newest_samples_always_fill_the_last_closed_week(now: datetime) -> None:
    files = plan_init(Path("no such folder"), now).files

    window = issue_due(Cadence.WEEKLY, SAMPLES_DUE, SAMPLES_ZONE, now).window
    days = [file.text.split('publishedAt: "')[1][:10] for file in files if file.path[-3:] == ".md"]
    starts = [datetime.fromisoformat(day).replace(tzinfo=SAMPLES_ZONE) for day in days]
    assert sum(start in window for start in starts) >= 8
    assert max(starts) < window.end


@given(st.integers(-9_000, 90_000))
def test_redating_changes_the_date_and_no_other_byte(days: int) -> None:
    text = (samples() / "content" / "the-index-nobody-dropped.md").read_text(encoding="utf-8")

    moved = redate(text, days)

    assert redate(moved, -days) == text
    assert moved.split("publishedAt")[1][14:] == text.split("publishedAt")[1][14:]
    assert (moved == text) == (days == 0)


def test_bundled_schedule_is_the_one_that_redating_counts_on() -> None:
    settings = load(samples() / "digest.toml", {})

    assert settings.schedule[Cadence.WEEKLY].due == SAMPLES_DUE
    assert settings.newsletter.timezone == SAMPLES_ZONE
    assert SAMPLES_END.weekday() == SAMPLES_DUE.weekday
