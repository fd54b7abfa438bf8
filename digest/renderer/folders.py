"""Template files: a project's own, and ours for each file that it does not have.

A file is read once: what a renderer shows does not change under it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import BaseLoader, Environment, TemplateNotFound
from jinja2.loaders import split_template_path

from digest.errors import TemplateError


class Folders(BaseLoader):
    """Loads a template from the first folder that has it; line ends become `\\n` for MJML.

    The last folder is ours; the project's own, if there is one, comes first.
    """

    def __init__(self, folders: Sequence[Path], root: Path) -> None:
        self._folders = tuple(folders)
        self._root = root
        self._bytes: dict[Path, bytes] = {}
        self._texts: dict[Path, str] = {}

    def path(self, name: str) -> Path:
        """The file of a template; TemplateNotFound when no folder has it."""
        parts = split_template_path(name)
        for folder in self._folders:
            path = folder.joinpath(*parts)
            if path.is_file():
                return path
        raise TemplateNotFound(name)

    def shown(self, template: str | Path) -> str:
        """The file of a template as people know it: relative to the project where it is inside.

        Ours are somewhere on this machine, which is nobody's business in the log of another.
        """
        path = self.path(template) if isinstance(template, str) else template
        if path.is_relative_to(self._root):
            return path.relative_to(self._root).as_posix()
        ours = path.is_relative_to(self._folders[-1])
        return f"{path.relative_to(self._folders[-1]).as_posix()} (ours)" if ours else str(path)

    def holds(self, path: Path) -> bool:
        """Whether a file is in one of the folders."""
        return any(folder in path.parents for folder in self._folders)

    def read(self, name: str) -> str:
        """A template's text; TemplateError when it is not UTF-8."""
        path = self.path(name)
        if path not in self._texts:
            self._texts[path] = self._decoded(path, self.content(name))
        return self._texts[path]

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Source, path, and whether it is still the same: the contract of `BaseLoader`."""
        return self.read(template), str(self.path(template)), lambda: True

    def list_templates(self) -> list[str]:
        """The names in all folders."""
        every = (path for folder in self._folders for path in folder.glob("*.*"))
        return sorted({path.name for path in every if path.is_file()})

    def own(self) -> list[Path]:
        """What lies in the project's folder, in order; nothing when there is none."""
        return sorted(path for folder in self._folders[:-1] for path in folder.iterdir())

    def ours(self) -> set[str]:
        """The names of the templates that come with the program."""
        return {path.name for path in self._folders[-1].glob("*.*")}

    def content(self, name: str) -> bytes:
        """The bytes of a file, as they were when they were first read."""
        path = self.path(name)
        if path not in self._bytes:
            self._bytes[path] = path.read_bytes()
        return self._bytes[path]

    def _decoded(self, path: Path, data: bytes) -> str:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise TemplateError(
                "the file is not UTF-8", path=self.shown(path), line=line, hint="save it as UTF-8"
            ) from error
        return text.replace("\r\n", "\n").replace("\r", "\n")
