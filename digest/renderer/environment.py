"""Jinja2 as templates meet it: filters, translations, and mistakes told by file and line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from types import CodeType, TracebackType

from jinja2 import Environment, StrictUndefined, TemplateNotFound, pass_context
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.environment import TemplateModule
from jinja2.exceptions import TemplateRuntimeError, TemplateSyntaxError
from jinja2.runtime import Context
from jinja2.utils import missing

from digest.columns import underline, wrap
from digest.composer.escape import attr
from digest.errors import TemplateError
from digest.inline import bdi, inline, isolate, plain
from digest.layout import BlockName, Slot
from digest.renderer.bounds import Bounded
from digest.renderer.folders import Folders
from digest.renderer.views import StoryView

FILTERS = {
    "attr": attr,
    "inline": inline,
    "plain": plain,
    "bdi": bdi,
    "isolate": isolate,
    "wrap": wrap,
    "underline": underline,
}
# What every template is given; docs/templates.md says which are for the shell or an item alone.
GIVEN = frozenset((*BlockName, *Slot)) | frozenset(
    ("story", "items", "newsletter", "address", "cadence", "date", "lang", "dir")
)
EXTENSIONS = ("jinja2.ext.i18n",)
COUNTED = 10_000  # numbers that loops may count while a template is rendered: no mail has as many
_left: ContextVar[int] = ContextVar("_left", default=COUNTED)


class _Missing(StrictUndefined):
    """What a template asks for and is not there, told in the template's own words."""

    @property
    def _undefined_message(self) -> str:
        name, known = str(self._undefined_name), _names(self._undefined_obj)
        if self._undefined_hint or not known:
            return str(super()._undefined_message)
        if name in known:
            return f"`{name}` is not given to this template, but to others"
        close = get_close_matches(name, known, 1)
        help_ = f"did you mean `{close[0]}`?" if close else f"it has {', '.join(known)}"
        return f"{_owner(self._undefined_obj)} has no `{name}`; {help_}"


def _owner(owner: object) -> str:
    if isinstance(owner, TemplateModule):
        return str(owner.__name__)
    return "story" if isinstance(owner, StoryView) else "this template"


def _names(owner: object) -> list[str]:
    """What a template may ask `owner` for; none where that is not ours to say."""
    if isinstance(owner, StoryView):
        return [one.name for one in fields(owner)]
    if isinstance(owner, TemplateModule):
        return sorted(name for name in vars(owner) if name[0] != "_")
    return sorted(GIVEN) if owner is missing else []


class Templates(BytecodeCache):
    """Templates as Jinja compiled them, by their sources, for renderers that follow each other."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


def environment(folders: Folders, known: Templates | None = None) -> Environment:
    """The environment of all templates in the folders."""
    made = Bounded(
        loader=folders,
        bytecode_cache=known,
        auto_reload=False,
        autoescape=_escapes,  # by the file's name
        undefined=_Missing,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=EXTENSIONS,
    )
    made.filters |= FILTERS
    made.globals["range"] = _range
    # The language is in the context of a rendering, so that a template is parsed once for all.
    made.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    return made


def render(
    environment: Environment, folders: Folders, name: str, values: Mapping[str, object]
) -> str:
    """The template's text. Every mistake of its author is a TemplateError with file and line."""
    try:
        with counting():
            return environment.get_template(name).render(values)
    except TemplateError:
        raise
    except Exception as error:
        mistake = _mistake(error, folders)
        if mistake is None:
            raise  # it did not come from a template: the mistake is ours
        raise mistake from error


def syntax_mistake(error: TemplateSyntaxError, folders: Folders, name: str) -> TemplateError:
    """What Jinja could not parse, in the template `name` or in one that it includes."""
    path = folders.shown(Path(error.filename) if error.filename else error.name or name)
    return TemplateError(error.message or "not a template", path=path, line=error.lineno)


def _mistake(error: Exception, folders: Folders) -> TemplateError | None:
    if isinstance(error, TemplateSyntaxError):
        return syntax_mistake(error, folders, "")
    place = _place(error.__traceback__, folders)
    if place is None:
        return None
    path, line = folders.shown(place[0]), place[1]
    if isinstance(error, TemplateNotFound):
        known = ", ".join(folders.list_templates())
        message = f"there is no template `{error.name}`"
        return TemplateError(message, path=path, line=line, hint=f"there are {known}")
    if isinstance(error, RecursionError):
        message = "a template or macro that includes or calls itself without end"
        return TemplateError(message, path=path, line=line, hint="remove the include, or end it")
    said = (
        str(error)
        if isinstance(error, TemplateRuntimeError)
        else f"{type(error).__name__}: {error}"
    )
    return TemplateError(said, path=path, line=line)


def _place(traceback: TracebackType | None, folders: Folders) -> tuple[Path, int] | None:
    """Where in a template it happened: Jinja rewrites tracebacks to template files and lines."""
    place = None
    while traceback:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if folders.holds(path):
            place = path, traceback.tb_lineno
        traceback = traceback.tb_next
    return place


@contextmanager
def counting() -> Iterator[None]:
    """Let loops count anew."""
    before = _left.set(COUNTED)
    try:
        yield
    finally:
        _left.reset(before)


def _range(*bounds: int) -> range:
    """As Python's, and with an end: a slip of some zeros would hold up every save after it."""
    numbers = range(*bounds)
    try:
        left = _left.get() - len(numbers)
    except OverflowError:  # more numbers than memory has places
        left = -1
    if left < 0:
        raise TemplateRuntimeError(
            f"range({', '.join(map(str, bounds))}): loops may count to {COUNTED:,} together"
        )
    _left.set(left)
    return numbers


def _escapes(name: str | None) -> bool:
    """Everything but `.txt`: whatever else a project includes ends up in HTML."""
    return not (name or "").endswith(".txt")


@pass_context
def _gettext(context: Context, message: str) -> str:
    return str(context["tr"].gettext(message))


@pass_context
def _ngettext(context: Context, singular: str, plural: str, number: int) -> str:
    return str(context["tr"].ngettext(singular, plural, number))
