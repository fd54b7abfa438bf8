"""The MJML templates in use, read before anything is rendered: `lint` for each, in its place."""

from collections.abc import Iterator

from jinja2 import Environment, TemplateNotFound, meta
from jinja2.exceptions import TemplateSyntaxError

from digest.models import Finding
from digest.renderer.environment import syntax_mistake
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
}


def mistakes(folders: Folders, environment: Environment) -> tuple[Finding, ...]:
    """What is wrong in the sources, in the order of `_SHOWN`, then of what they include.

    TemplateError when a file is not UTF-8 or not Jinja.
    """
    found: list[Finding] = []
    parents: dict[tuple[str, str], str] = {}
    for name, shown in _SHOWN.items():
        report = lint(folders.read(name), folders.shown(name), parents.get(shown, ""))
        found += report.findings
        parents |= {(name, place): parent for place, parent in report.places.items()}
    for name in sorted(_included(folders, environment)):
        found += lint(folders.read(name), folders.shown(name)).findings
    return tuple(found)


def _included(folders: Folders, environment: Environment) -> set[str]:
    """MJML templates that those in use include by name, at any depth, and that exist."""
    seen: set[str] = set()
    waiting = list(_SHOWN)
    while waiting:
        name = waiting.pop()
        new = {other for other in _names(folders, environment, name) if other not in seen}
        seen |= new
        waiting += new
    return seen - set(_SHOWN)


def _names(folders: Folders, environment: Environment, name: str) -> Iterator[str]:
    try:
        tree = environment.parse(folders.read(name), filename=str(folders.path(name)))
    except TemplateSyntaxError as error:
        raise syntax_mistake(error, folders, name) from error
    for other in meta.find_referenced_templates(tree):
        if other and other.endswith(".mjml"):
            try:
                folders.path(other)
            except TemplateNotFound:
                continue  # rendering says so, with the line of the include
            yield other
