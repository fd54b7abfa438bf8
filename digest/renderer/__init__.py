"""Templates + stories → one compiled HTML and one text layout per language of an issue.

Touches the template folders. Everything slow happens here, once: Jinja, inline Markdown, MJML.
`compile` is what issues are made of; `whole` is the slow reference that renders one edition
without any splicing, and must give the same bytes.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from digest.composer.escape import attr, html_values, text_values
from digest.config import Config
from digest.errors import TemplateError
from digest.layout import Block, BlockName, Compiled, Layout, Slot
from digest.models import Finding, Issue, Severity, Story
from digest.renderer.environment import Templates, counting, environment, render
from digest.renderer.folders import Folders
from digest.renderer.marks import Marks, key_for
from digest.renderer.mjml import compile_mjml
from digest.renderer.notice import given
from digest.renderer.sheet import KINDS, MJML, TEXT, Sheet
from digest.renderer.sources import mistakes
from digest.translations import translations

__all__ = ["Renderer", "attr", "bundled_templates"]

_SHAPES: Mapping[str, str] = {MJML: "<!--{}-->", TEXT: "{}"}
_CONTENTS_FROM = 2  # stories; one needs no list of contents


def bundled_templates() -> Path:
    """The templates that come with the program: of this checkout, or of the installed wheel."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "templates"
    return checkout if (checkout / "digest.mjml").is_file() else package / "_bundled/templates"


class Renderer:
    """Renders with a project's templates, and ours for each file that it does not have.

    Files are read once, when they are first needed; a changed file needs a new renderer.
    """

    def __init__(
        self, templates: Path | None, config: Config, known: Templates | None = None
    ) -> None:
        """`known` are templates that were compiled before; they are known by their sources."""
        own = [templates] if templates is not None and templates.is_dir() else []
        self._folders = Folders((*own, bundled_templates()), config.root)
        self._environment = environment(self._folders, known)
        self._newsletter = config.newsletter
        self._findings: tuple[Finding, ...] | None = None

    def sources(self) -> dict[str, str]:
        """Every template that may be used, by name. TemplateError when one is not UTF-8."""
        return {name: self._folders.read(name) for name in self._folders.list_templates()}

    def path(self, name: str) -> str:
        """The file of a template, as people know it."""
        return self._folders.shown(name)

    def compile(self, stories: Sequence[Story], issue: Issue, language: str) -> Compiled:
        """Everything that editions of the issue in one language are spliced from.

        The same input gives the same layout. TemplateError when a template is wrong.
        """
        self._refuse_mistakes()
        ids = [story.id for story in stories]
        sheets = self._sheets(issue, language)
        items = {
            kind: {name: self._items(sheet, name, stories) for name in BlockName}
            for kind, sheet in sheets.items()
        }
        every = (text for blocks in items.values() for texts in blocks.values() for text in texts)
        key = key_for([*every, *sheets[TEXT].words])
        layouts = {}
        for kind, sheet in sheets.items():
            marks = Marks(key, _SHAPES[kind])
            text = _marked(sheet, items[kind], marks)
            if kind == MJML:
                text = compile_mjml(text, sheet.path(None))
            files = {name: sheet.path(name) for name in (None, *BlockName)}
            layouts[kind] = marks.layout(text, ids, files)
            _require_unsubscribe(layouts[kind], files[None])
        return Compiled(language, layouts[MJML], layouts[TEXT])

    def whole(
        self,
        stories: Sequence[Story],
        more: Sequence[Story],
        issue: Issue,
        language: str,
        values: Mapping[Slot, str],
    ) -> tuple[str, str, str]:
        """One edition for one reader the slow way: its MJML, its HTML, its text.

        `values` are plain text for every slot; they are escaped and wrapped here.
        """
        self._refuse_mistakes()
        chosen = {
            BlockName.CONTENTS: stories if len(stories) >= _CONTENTS_FROM else (),
            BlockName.STORIES: stories,
            BlockName.MORE: more,
        }
        escaped = {MJML: html_values(values), TEXT: text_values(values)}
        texts = {}
        for kind, sheet in self._sheets(issue, language).items():
            blocks = {
                name: sheet.block(name, "".join(sheet.items(name, some))) if some else ""
                for name, some in chosen.items()
            }
            texts[kind] = sheet.shell(blocks, escaped[kind])
        html = compile_mjml(texts[MJML], self._folders.shown("digest.mjml"))
        return texts[MJML], html, texts[TEXT]

    def notice(self, language: str, values: Mapping[str, object]) -> tuple[str, str]:
        """HTML and text of a mail about a subscription. TemplateError when a template is wrong."""
        self._refuse_mistakes()
        context = given(self._newsletter, translations(language), values)
        texts = {
            kind: render(self._environment, self._folders, f"notice.{kind}", context)
            for kind in KINDS
        }
        html = compile_mjml(texts[MJML], self._folders.shown("notice.mjml"))
        return html, texts[TEXT]

    def theme(self) -> dict[str, str]:
        """The texts that `theme.jinja` sets, for pages that look like the mail."""
        with counting():
            module = self._environment.get_template("theme.jinja").module
        return {name: str(text) for name, text in vars(module).items() if isinstance(text, str)}

    def findings(self) -> tuple[Finding, ...]:
        """Every mistake that can be seen without rendering; a file without use is a warning."""
        if self._findings is None:
            self._findings = mistakes(self._folders)
        return self._findings

    def fingerprint(self) -> str:
        """A hash of every template file: another one means that messages may look different."""
        whole = sha256()
        for name in self._folders.list_templates():
            content = self._folders.content(name)
            whole.update(f"{name}\0{len(content)}\0".encode(errors="surrogateescape") + content)
        return whole.hexdigest()

    def _items(self, sheet: Sheet, block: BlockName, stories: Sequence[Story]) -> list[str]:
        return sheet.items(block, stories)

    def _refuse_mistakes(self) -> None:
        for finding in self.findings():
            if finding.severity is Severity.ERROR:
                raise TemplateError(
                    finding.message, path=finding.path, line=finding.line, hint=finding.fix
                )

    def _sheets(self, issue: Issue, language: str) -> dict[str, Sheet]:
        tr = translations(language)
        return {
            kind: Sheet(kind, self._environment, self._folders, self._newsletter, issue, tr)
            for kind in KINDS
        }


def _marked(sheet: Sheet, items: Mapping[BlockName, Sequence[str]], marks: Marks) -> str:
    """The whole sheet with every story in every block, and marks where it will be cut."""
    blocks = {
        name: marks.around(name, sheet.block(name, marks.between(name, texts)))
        for name, texts in items.items()
    }
    return sheet.shell(blocks, {slot: marks.slot(slot) for slot in Slot})


def _require_unsubscribe(layout: Layout, path: str) -> None:
    """The law and the mailbox providers ask for a link out of every message, in both parts."""
    parts = [
        piece
        for part in layout.parts
        for piece in ((*part.before, *part.after) if isinstance(part, Block) else (part,))
    ]
    if Slot.UNSUBSCRIBE_URL not in parts:
        raise TemplateError(
            "the message has no unsubscribe link",
            path=path,
            hint="show {{ unsubscribe_url }} in digest.mjml and in digest.txt",
        )
