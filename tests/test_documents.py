"""The standing documents say what is there."""

import re

import pytest

from tests.conftest import ROOT

PARTS = sorted(
    path.name for path in (ROOT / "digest").iterdir() if path.suffix == ".py" or path.is_dir()
)
NOT_PARTS = {"__init__.py", "__main__.py", "__pycache__", "_bundled", "locale", "pages", "py.typed"}


@pytest.mark.parametrize("part", [part for part in PARTS if part not in NOT_PARTS])
def test_every_part_of_the_package_has_a_line_in_contributing(part: str) -> None:
    line = f"| `{part}` |" if part.endswith(".py") else f"| `{part}/` |"

    assert line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_word_of_the_glossary_says_what_to_avoid() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")

    entries = [part for part in text.split("\n\n") if part.startswith("**")]
    assert len(entries) >= 30
    assert all(re.search(r"\n_Avoid_: .+$", entry) for entry in entries)


def test_decisions_are_numbered_without_gaps_and_have_four_parts() -> None:
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [int(path.name[:4]) for path in paths] == list(range(1, len(paths) + 1))
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"(?m)^\*\*(\w+)\.\*\*", text) == ["Context", "Choice", "Why", "Cost"]


def test_scripts_that_contributing_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    names = set(re.findall(r"scripts/(\w+)", text))
    assert names >= {"test", "check", "bench"}
    assert all((ROOT / "scripts" / name).is_file() for name in names)
