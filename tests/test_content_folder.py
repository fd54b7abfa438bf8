"""The content folder: which files are posts, what two of them may share, and the cache."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.content import read_content
from digest.content.refusal import RefusedError
from digest.content.walk import Candidate, read_file
from digest.models import Severity
from tests.posts import head, settings

CACHE = ".digest/cache/content.jsonl"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with an empty `content`."""
    (tmp_path / "content").mkdir()
    return tmp_path


def write(project: Path, name: str, text: str = "", **keys: str) -> Path:
    """A post that was changed a minute ago, so that the cache may keep it."""
    place = project / "content" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text or head(f"About {name}", **keys), encoding="utf-8")
    age(place, 60)
    return place


def age(place: Path, seconds: int) -> None:
    then = place.stat().st_mtime_ns - seconds * 1_000_000_000
    os.utime(place, ns=(then, then))


def test_posts_are_found_by_suffix_in_any_folder_in_the_order_of_their_paths(project):
    for name in ["b.md", "a/index.md", "c.markdown", "d.mdx", "e.Rmd", "ż ó.md", "f.txt", "g.html"]:
        write(project, name)

    stories = read_content(settings(project)).stories
    assert [story.post for story in stories] == [
        f"content/{name}"
        for name in ["a/index.md", "b.md", "c.markdown", "d.mdx", "e.Rmd", "ż ó.md"]
    ]


def test_readmes_sections_templates_and_hidden_files_are_no_posts(project):
    for name in ["README.md", "readme.pl.md", "_index.md", ".a.md", ".b/c.md", "templates/d.md"]:
        write(project, name)

    assert read_content(settings(project)).posts == 0


def test_a_file_named_by_itself_is_read_even_where_a_walk_skips_it(project, tmp_path):
    skipped = write(project, "_index.md", slug="section")
    inside = write(project, "sub/a.md")
    content = read_content(settings(project), [skipped, inside.parent])

    assert [story.id for story in content.stories] == ["section", "a"]
    assert not (project / CACHE).exists()


def test_a_path_outside_of_the_project_is_shown_as_it_is(project, tmp_path_factory):
    outside = tmp_path_factory.mktemp("elsewhere") / "a.md"
    outside.write_text("---\n", encoding="utf-8")

    assert read_content(settings(project), [outside]).findings[0].path == outside.as_posix()


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    content = read_content(settings(tmp_path))

    assert [finding.check for finding in content.findings] == ["content/folder"]


def test_what_is_no_regular_file_is_told_and_never_opened(project):
    os.mkfifo(project / "content" / "pipe.md")
    (project / "content" / "self.md").symlink_to("self.md")
    (project / "content" / "gone.md").symlink_to("nowhere.md")
    write(project, "folder.md/inner.md")
    content = read_content(settings(project))

    found = {finding.path: str(finding) for finding in content.findings}
    assert "not a regular file" in found["content/pipe.md"]
    assert "leads to itself" in found["content/self.md"]
    assert "No such file" in found["content/gone.md"]
    assert "is a folder" in found["content/folder.md"]
    assert [story.id for story in content.stories] == ["inner"]


def test_a_link_back_to_a_folder_above_is_told_and_not_followed(project):
    write(project, "a/b/post.md")
    (project / "content/a/b/loop").symlink_to("../..", target_is_directory=True)
    content = read_content(settings(project))

    assert [story.id for story in content.stories] == ["post"]
    assert content.findings[0].check == "content/loop"


def test_a_file_that_vanishes_between_walk_and_read_is_told(project):
    gone = Candidate("content/a.md", "a.md", str(project / "content" / "a.md"), 5, 0)

    with pytest.raises(RefusedError) as caught:
        read_file(gone)
    assert str(caught.value.finding).startswith("content/a.md: cannot be read: No such file")


def test_a_file_longer_than_any_post_is_refused(project):
    write(project, "a.md", head("x" * 5_000_001))

    assert "longer than 5 MB" in str(read_content(settings(project)).findings[0])


def test_one_bad_file_does_not_stop_the_others(project):
    write(project, "a.md", "---\ntitle: [\n---\n")
    write(project, "b.md")
    content = read_content(settings(project))

    assert (content.posts, [story.id for story in content.stories]) == (2, ["b"])


def test_two_posts_with_one_page_are_an_error_that_names_both(project):
    write(project, "a.md", slug="same")
    write(project, "b.md", slug="same")
    content = read_content(settings(project, '[content]\nurl = "https://b.example/{slug}"'))
    (finding,) = content.findings

    assert (finding.path, finding.severity) == ("content/b.md", Severity.ERROR)
    assert "content/a.md" in finding.message
    assert [story.post for story in content.stories] == ["content/a.md"]


def test_two_posts_with_one_slug_and_no_page_are_a_warning_and_keep_apart(project):
    write(project, "2024/update.md")
    write(project, "2025/update.md")
    write(project, "2025/update.pl.md")
    content = read_content(settings(project))
    first, second, polish = (story.id for story in content.stories)

    assert (first, polish) == ("update", "update.pl")
    assert second.startswith("update~")
    assert [finding.severity for finding in content.findings] == [Severity.WARNING]


def test_one_id_in_two_posts_is_told(project):
    write(project, "a.md", id="7")
    write(project, "b.md", id="7")
    content = read_content(settings(project))

    assert content.findings[0].key == "id"
    assert len({story.id for story in content.stories}) == 2


def test_a_year_far_from_now_is_refused(project):
    write(project, "a.md", date="2028-01-01")
    early = read_content(settings(project), now=datetime(2026, 12, 1, tzinfo=UTC))
    later = read_content(settings(project), now=datetime(2027, 2, 1, tzinfo=UTC))

    assert str(early.findings[0]).startswith("content/a.md:3: date: year 2028: a typing error?")
    assert (len(early.stories), len(later.stories)) == (0, 1)


def test_tags_are_spelled_as_most_posts_spell_them(project):
    for name, tag in [("a", "OpenSource"), ("b", "open-source"), ("c", "open-source")]:
        write(project, f"{name}.md", tags=f"'#{tag} #k8s'")
    content = read_content(settings(project, '[tags.aliases]\nk8s = "Kubernetes"'))

    assert {story.tags for story in content.stories} == {("open-source", "Kubernetes")}
    assert content.vocabulary.key("K8S") == "kubernetes"


def test_progress_ends_with_everything_done(project):
    calls: list[tuple[int, int]] = []
    for name in "abc":
        write(project, f"{name}.md")
    read_content(settings(project), progress=lambda done, total: calls.append((done, total)))

    assert calls == [(1, 3), (2, 3), (3, 3), (3, 3)]


def filled(project: Path) -> Path:
    """A project with a story, a finding of each kind and a bad post, read once."""
    write(project, "a.md", head("## A\n\n**TLDR:** “t”\n\n**Link:** no\n\n## A\n\n**TLDR:** 😀"))
    write(project, "b.md", "---\ntitle: [\n---\n")
    write(project, "c.md", slug="a")
    read_content(settings(project))
    return project / CACHE


def test_a_remembered_folder_is_read_as_it_was(project):
    filled(project)
    uncached = settings(project)
    uncached = replace(uncached, content=replace(uncached.content, cache=False))

    assert read_content(settings(project)) == read_content(uncached)


def test_an_unchanged_post_is_not_opened_again(project):
    filled(project)
    place = project / "content" / "a.md"
    before, other = place.stat(), place.read_text("utf-8").replace("“t”", "‘u’")
    place.write_text(other, encoding="utf-8")
    os.utime(place, ns=(before.st_mtime_ns, before.st_mtime_ns))

    assert read_content(settings(project)).stories[0].tldr == "“t”"


def test_a_changed_or_removed_or_new_post_is_noticed(project):
    filled(project)
    write(project, "a.md", head("changed, and longer than it was before by quite a bit" * 3))
    (project / "content" / "c.md").unlink()
    write(project, "d.md")
    content = read_content(settings(project))

    assert [story.post for story in content.stories] == ["content/a.md", "content/d.md"]
    assert content == read_content(settings(project))


def test_a_post_that_was_changed_just_now_is_not_remembered(project):
    place = write(project, "a.md", head("one"))
    age(place, -60)
    read_content(settings(project))
    before = place.stat()
    place.write_text(head("two"), encoding="utf-8")
    os.utime(place, ns=(before.st_mtime_ns, before.st_mtime_ns))

    assert read_content(settings(project)).stories[0].tldr == "two"


@pytest.mark.parametrize(
    "more",
    ['[content.labels]\ntldr = ["A"]', '[content]\nurl = "https://b.example/{slug}"',
     '[content]\nsplit_words = true', '[tags]\nlanguages = ["de"]'],
)  # fmt: skip
def test_another_setting_reads_everything_again(project, more):
    before = filled(project).read_bytes().partition(b"\n")[0]
    read_content(settings(project, more))

    assert json.loads((project / CACHE).read_bytes().partition(b"\n")[0]) != json.loads(before)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"post", b"tsop", 1),
        lambda data: data.replace("“".encode(), "„".encode()),
        lambda data: b"\xff" + data,
        lambda data: b"[" * 100_000,
        lambda data: b'{"digest": "content cache"}\n[]\n',
        lambda data: b"null\nnull\n",
    ],
)
def test_a_damaged_or_foreign_cache_is_ignored_and_written_anew(project, damage):
    file = filled(project)
    good, content = file.read_bytes(), read_content(settings(project))
    file.write_bytes(damage(good))

    assert read_content(settings(project)) == content
    assert file.read_bytes() == good


def test_a_cache_that_cannot_be_written_is_no_error(project):
    (project / ".digest").write_text("in the way", encoding="utf-8")
    write(project, "a.md")

    assert len(read_content(settings(project)).stories) == 1
    assert [path.name for path in project.iterdir() if "jsonl" in path.name] == []


def test_the_cache_is_plain_json_lines(project):
    head_line, index, *posts = filled(project).read_text("utf-8").splitlines()

    assert json.loads(head_line)["digest"] == "content cache"
    assert [row[0] for row in json.loads(index)] == [f"content/{name}.md" for name in "abc"]
    assert all(isinstance(json.loads(post), list) for post in posts)
