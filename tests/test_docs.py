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
    source = "".join(p.read_text() for p in (ROOT / "digest" / "config").glob("reading.py"))
    keys = set(re.findall(r'\.(?:text|flag|integer|strings|parsed)\(\s*"(\w+)"', source))
    text = (DOCS / "config.md").read_text()

    assert len(keys) > 20
    assert not [key for key in keys if not re.search(rf"`(?:\w+\.)?{key}`", text)]


def test_every_module_is_on_the_map():
    text = (DOCS / "architecture.md").read_text()
    parts = {p.stem if p.suffix else f"{p.name}/" for p in (ROOT / "digest").iterdir()}

    assert not [
        part
        for part in parts - {"__init__", "__main__", "__pycache__/", "locale/", "pages/", "_bundled/"}
        if f"`{part}`" not in text
    ]


@pytest.mark.parametrize(
    "page", sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")]), ids=lambda p: p.name
)
def test_every_link_between_documents_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())

    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_readme_fits_on_a_few_screens():
    assert len((ROOT / "README.md").read_text().splitlines()) < 150
