"""The MJML templates in use, read before anything is rendered: `lint` for each, in its place."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache

from jinja2 import Environment, TemplateNotFound, meta
from jinja2.exceptions import TemplateSyntaxError

from digest.models import Finding, Severity
from digest.renderer.environment import EXTENSIONS, syntax_mistake
from digest.renderer.folders import Folders
from digest.renderer.lint import lint

# Template -> where it is shown: the template and the placeholder in it. Outer ones come first.
_SHOWN = {
    "digest.mjml": ("", ""),
    "contents.mjml": ("digest.mjml", "contents"),
    "more.mjml": ("digest.mjml", "more"),
    "story.mjml": ("digest.mjml", "stories"),
    "contents-item.mjml": ("contents.mjml", "items"),
    "more-item.mjml": ("more.mjml", "items"),
    "notice.mjml": ("", ""),
}
ANY = "*"
_PARSER = Environment(extensions=EXTENSIONS)  # noqa: S701 - renders nothing
_SUFFIXES = frozenset((".mjml", ".txt", ".jinja", ".jinja2", ".j2", ".html"))


def mistakes(folders: Folders) -> tuple[Finding, ...]:
    """What is wrong in the sources, in the order of `_SHOWN`, then of what they include.

    TemplateError when a file is not UTF-8 or not Jinja.
    """
    found: list[Finding] = []
    parents: dict[tuple[str, str], str] = {}
    for name, shown in _SHOWN.items():
        report = lint(folders.read(name), folders.shown(name), parents.get(shown, ""))
        found += report.findings
        parents |= {(name, place): parent for place, parent in report.places.items()}
    included = _included(folders)
    for name in sorted(included - {ANY}):
        if name.endswith(".mjml") and name not in _SHOWN:
            found += lint(folders.read(name), folders.shown(name)).findings
    return (*found, *_unused(folders, included))


def _unused(folders: Folders, included: set[str]) -> Iterator[Finding]:
    """Files in the project's folder that look like templates and are none."""
    ours = folders.ours()
    for path in folders.own():
        name, message, fix = path.name, "", ""
        if path.is_dir() and name in ours:
            message, fix = "is a folder, so ours is used", f"make {name} a file"
        elif path.is_file() and path.suffix in _SUFFIXES and name not in ours | included:
            close = get_close_matches(name, sorted(ours), 1)
            message = "no template has this name, and none includes it"
            fix = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(ours))}"
        if message and not (ANY in included and path.is_file()):
            shown = folders.shown(path)
            yield Finding(shown, 0, "template/unused", Severity.WARNING, message, fix=fix)


def _included(folders: Folders) -> set[str]:
    """Templates that ours or the project's include by name, at any depth, and that exist.

    `ANY` is among them when one is included by a name that is known later.
    """
    seen: set[str] = set()
    waiting = sorted(folders.ours())
    while waiting:
        name = waiting.pop()
        new = {other for other in _names(folders, name) if other not in seen}
        seen |= new
        waiting += new - {ANY}
    return seen


def _names(folders: Folders, name: str) -> Iterator[str]:
    try:
        found = _referenced(folders.read(name))
    except TemplateSyntaxError as error:
        raise syntax_mistake(error, folders, name) from error
    for other in found:
        if other is None:
            yield ANY
        elif _exists(folders, other):
            yield other


@lru_cache(maxsize=256)
def _referenced(source: str) -> tuple[str | None, ...]:
    """What a template includes; None is a name that is known later."""
    return tuple(meta.find_referenced_templates(_PARSER.parse(source)))


def _exists(folders: Folders, name: str) -> bool:
    """A template that is not there is told when it is rendered, with the line of the include."""
    try:
        folders.path(name)
    except TemplateNotFound:
        return False
    return True
