"""Real posts, and really broken ones, where this checkout has them beside it."""

import json
import re
from pathlib import Path

import pytest

from digest.content import read_content, read_post
from digest.models import Finding, Severity
from tests.posts import settings

# Any TLDR label, bold or a heading, as a person would look for it.
TLDR = re.compile(r"^(?:[-*+] +)?(?:\*\*|__|#+ *)TL;?DR\b", re.MULTILINE | re.IGNORECASE)

# Rows of the manifest whose line or key we name otherwise, and why. None at the moment.
OTHERWISE: dict[str, str] = {}


@pytest.fixture(scope="module")
def motyl(corpus: Path, tmp_path_factory: pytest.TempPathFactory):
    config = settings(tmp_path_factory.mktemp("project"))
    return read_content(config, [corpus / "motyl-dev"])


def test_every_tldr_block_is_a_story(motyl, corpus):
    for file in sorted((corpus / "motyl-dev").glob("*.md")):
        blocks = len(TLDR.findall(file.read_text("utf-8")))
        stories = [story for story in motyl.stories if story.post == file.as_posix()]

        assert len(stories) >= blocks >= 1, file.name
        assert all(story.tldr for story in stories), file.name


def test_every_post_of_the_corpus_is_read_without_an_error(motyl):
    assert motyl.posts == 215
    assert not [finding for finding in motyl.findings if finding.severity is Severity.ERROR]
    assert len({story.id for story in motyl.stories}) == len(motyl.stories)
    assert {story.language for story in motyl.stories} == {"en", "pl"}


def test_the_seed_is_the_story_that_was_asked_for(corpus):
    content = read_post((corpus / "seed.md").read_bytes(), "content/seed.md", settings())
    (story,) = content.stories

    assert not content.findings
    assert story.title == "Milestones of China in AI of 2025"
    assert story.tldr.startswith("China's AI ecosystem achieved remarkable progress")
    assert (len(story.takeaways), len(story.tradeoffs), story.why) == (5, 3, "")
    assert story.link.endswith("/p/milestones-of-china-in-ai-of-2025-deepseek-qwen")
    assert (story.language, story.generated) == ("en", True)
    assert story.tags == ("ai", "llm", "deepseek", "open-source", "china", "architecture")
    assert story.markers == ("substack", "generated", "en")
    assert story.disclaimer.startswith("This article summary was generated")


def broken(corpus: Path) -> list[dict]:
    text = (corpus / "broken" / "manifest.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def told(finding: Finding, row: dict) -> bool:
    """Whether a finding names the file, a line in the row's range, and its key."""
    lines = [row[name] for name in ("problem_line", "context_line") if row[name]]
    named = min(lines) <= finding.line <= max(lines) and finding.path.endswith(row["file"])
    return named and (row["nearest_key"] or "") in str(finding)


def agrees(row: dict, findings: list[Finding]) -> bool:
    """Whether what was found says what the row of the manifest says."""
    if "problem_line" in row:
        return any(told(finding, row) for finding in findings)
    if "duplicate_keys" in row:
        named = {(finding.key, finding.line) for finding in findings}
        return {(key, line) for key, line in row["duplicate_keys"]} <= named
    if row["class"].startswith("TAG NONSTR") and row["class"].endswith("int"):
        return not any("tag" in finding.check for finding in findings)  # a number is a tag
    return any(finding.severity is not Severity.INFO for finding in findings)


def test_broken_front_matter_is_told_with_file_line_and_key(corpus, tmp_path):
    rows = broken(corpus)
    config = settings(tmp_path)
    otherwise = {
        row["file"]
        for row in rows
        if not agrees(row, list(read_content(config, [corpus / "broken" / row["file"]]).findings))
    }

    assert otherwise == set(OTHERWISE)
    assert len(otherwise) <= 0.05 * len(rows)


@pytest.mark.parametrize(
    ("kind", "check", "line"),
    [
        ("UNCLOSED", "front-matter/fence", 1),
        ("FENCE", "front-matter/fence", 1),
        ("NOT UTF-8", "content/encoding", None),
        ("EMPTY", "front-matter/empty", 1),
        ("TAG NONSTR 2002:null", "front-matter/tag-empty", None),
        ("TOMLDecodeError", "front-matter/syntax", 3),
    ],
)
def test_each_class_of_fault_has_its_own_check(corpus, tmp_path, kind, check, line):
    for row in broken(corpus):
        if row["class"].startswith(kind):
            found = read_content(settings(tmp_path), [corpus / "broken" / row["file"]]).findings
            (first, *_) = [finding for finding in found if finding.check == check]

            assert first.line == line if line else first.line > 1


def test_no_file_of_the_corpus_makes_the_reader_raise(corpus, tmp_path):
    files = [file for file in corpus.rglob("*") if file.is_file()]
    content = read_content(settings(tmp_path), files)

    assert content.posts == len(files)
