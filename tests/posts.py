"""Posts for tests of the reader: a config, and one post read from its text."""

from pathlib import Path

from digest.config import Config, parse
from digest.content import Content, read_post
from digest.models import Finding, Severity, Story

SETTINGS = """
[newsletter]
name = "Platform Weekly"
sender = "news@example.com"
postal_address = "1 High Street"
timezone = "Europe/Warsaw"
"""


def settings(root: Path = Path("/project"), more: str = "") -> Config:
    """A config whose content folder is `root/content`; `more` is TOML after the newsletter."""
    return parse(SETTINGS + more, root / "digest.toml", {})


def read(
    text: str | bytes, path: str = "content/a.md", more: str = "", root: Path = Path("/project")
) -> Content:
    """One post, read from its bytes."""
    return read_post(text, path, settings(root, more))


def head(body: str = "", **keys: str) -> str:
    """A post with `title` and `date`, unless `keys` name others; a key set to "" is left out."""
    fields = {"title": "A title", "date": "2026-07-06"} | keys
    lines = [f"{key}: {value}" for key, value in fields.items() if value]
    return "\n".join(["---", *lines, "---", "", body])


def only(text: str | bytes, **more: str) -> Story:
    """The one story of a post without a finding that matters."""
    content = read(text, **more)
    assert not [one for one in content.findings if one.severity is not Severity.INFO]
    (story,) = content.stories
    return story


def problem(text: str | bytes, **more: str) -> Finding:
    """The one error or warning of a post."""
    found = read(text, **more).findings
    (finding,) = [one for one in found if one.severity is not Severity.INFO]
    return finding
