"""The documents say what is true: every command, option, setting and exit code is in them."""

import re
from pathlib import Path

import click
import pytest

from digest.cli import COMMANDS, digest
from digest.cli.exits import MEANINGS, Exit

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SHARED = {"--config", "--quiet", "--verbose", "--no-color", "--help"}


def command(name: str) -> click.Command:
    return digest.get_command(click.Context(digest), name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_options(name):
    text = (DOCS / "cli.md").read_text()
    options = {opt for param in command(name).params for opt in param.opts if opt[:2] == "--"}

    assert f"`digest {name}" in text
    assert not [option for option in options - SHARED if option not in text]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_commands_help_ends_with_an_example(name):
    found = command(name)

    assert found.help
    assert f"\n  digest {name}" in found.epilog.split("Example:")[1]


def test_every_exit_code_is_documented_and_has_a_meaning():
    text = (DOCS / "cli.md").read_text()

    for code in Exit:
        assert f"| {code.value} | {MEANINGS[code]} |" in text


def test_every_setting_is_documented():
    source = "".join(p.read_text() for p in (ROOT / "digest" / "config").glob("*.py"))
    keys = set(re.findall(r'\.(?:text|flag|integer|strings|parsed)\(\s*"(\w+)"', source))
    text = (DOCS / "config.md").read_text()

    assert len(keys) > 20
    assert not [key for key in keys if not re.search(rf"`(?:\w+\.)?{key}`", text)]


PARTS = [
    p for p in (ROOT / "digest").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
]


@pytest.mark.parametrize("part", sorted(PARTS), ids=lambda p: p.name)
def test_every_module_is_on_the_map(part):
    line = f"| `{part.name}{'' if part.suffix else '/'}` |"

    assert part.name.startswith("__") or line in (DOCS / "architecture.md").read_text()


def test_every_word_of_the_glossary_says_what_to_avoid():
    text = (DOCS / "glossary.md").read_text()

    entries = [part for part in text.split("\n\n") if part.startswith("**")]
    assert len(entries) >= 30
    assert all(re.search(r"\n_Avoid_: .+$", entry) for entry in entries)


def test_decisions_are_numbered_without_gaps_and_have_four_parts():
    paths = sorted((DOCS / "decisions").glob("*.md"))

    assert [int(path.name[:4]) for path in paths] == list(range(1, len(paths) + 1))
    for path in paths:
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"(?m)^\*\*(\w+)\.\*\*", text) == ["Context", "Choice", "Why", "Cost"]


def test_scripts_that_contributing_names_exist():
    names = set(re.findall(r"scripts/(\w+)", (ROOT / "CONTRIBUTING.md").read_text()))

    assert names >= {"test", "check", "bench"}
    assert all((ROOT / "scripts" / name).is_file() for name in names)


@pytest.mark.parametrize(
    "page", sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")]), ids=lambda p: p.name
)
def test_every_link_between_documents_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())

    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_readme_fits_on_a_few_screens():
    assert len((ROOT / "README.md").read_text().splitlines()) < 150
