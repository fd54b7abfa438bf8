"""An issue as pictures: every persona, in light and dark, wide and on a phone and a page."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from digest.chromium import Browser
from digest.errors import DigestError
from digest.issues import Draft
from digest.layout import Slot
from digest.models import Preferences, Subscriber

INDEX = "index.html"
WIDTHS = (600, 375)
_ADDRESS = "reader@example.com"
_EVERYTHING = Preferences(everything=True)


@dataclass(frozen=True, slots=True)
class Look:
    """One picture: who, how wide, and in which light."""

    persona: str
    width: int
    dark: bool

    @property
    def file(self) -> str:
        return f"{_file_name(self.persona)}-{self.width}-{'dark' if self.dark else 'light'}.png"


def looks(personas: Mapping[str, Preferences]) -> list[Look]:
    """Every persona in every light and width."""
    return [
        Look(persona, width, dark)
        for persona in personas
        for dark in (False, True)
        for width in WIDTHS
    ]


def cast(draft: Draft) -> dict[str, Preferences]:
    """The personas of digest.toml, and one who gets everything, where none does."""
    configured = dict(draft.config.personas)
    if not any(wanted.everything for wanted in configured.values()):
        configured.setdefault("everything", _EVERYTHING)
    return configured


def write_matrix(
    draft: Draft,
    browser: Browser,
    folder: Path,
    *,
    scale: float = 1.0,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write a picture for every look, and `index.html` beside them; the index's path.

    A persona who gets nothing of the issue has no pictures, and the page says so. DigestError when
    that is everybody.
    """
    personas = cast(draft)
    pages = dict(_pages(draft, personas))
    if not pages:
        raise DigestError(f"nobody gets anything of {draft.issue.id}", hint="try --at latest")
    wanted = [look for look in looks(personas) if look.persona in pages]
    folder.mkdir(parents=True, exist_ok=True)
    for number, look in enumerate(wanted):
        advance(number, len(wanted))
        html = pages[look.persona][0]
        picture = browser.picture(html, look.width, dark=look.dark, scale=scale)
        (folder / look.file).write_bytes(picture)
    advance(len(wanted), len(wanted))
    rows = [
        (name, pages[name][1] if name in pages else "", [w for w in wanted if w.persona == name])
        for name in personas
    ]
    page = (
        _environment()
        .get_template("matrix.html")
        .render(newsletter=draft.config.newsletter, issue=draft.issue, rows=rows)
    )
    (folder / INDEX).write_text(page, encoding="utf-8")
    return folder / INDEX


def _pages(
    draft: Draft, personas: Mapping[str, Preferences]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """(persona, (HTML, subject)) of those who get something."""
    for name, wanted in personas.items():
        composition = draft.composition(wanted)
        if composition is not None:
            reader = draft.reader(Subscriber(0, _ADDRESS, "", wanted, draft.issue.cadence, ""))
            message = composition.message
            yield name, (message.html(reader), message.values[Slot.SUBJECT])


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("digest", "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _file_name(persona: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in persona)
