"""One part of a message, HTML or text, in one language of one issue, before MJML and cutting."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from digest.config import Newsletter
from digest.inline import clean
from digest.layout import BlockName, Slot
from digest.models import Issue, Story
from digest.renderer.environment import render
from digest.renderer.folders import Folders
from digest.renderer.views import story_view
from digest.translations import Translations
from digest.wording import cadence_name

MJML, TEXT = KINDS = ("mjml", "txt")
_ITEM: Mapping[BlockName, str] = {  # the template of one story
    BlockName.CONTENTS: "contents-item",
    BlockName.STORIES: "story",
    BlockName.MORE: "more-item",
}
_BLOCK: Mapping[BlockName, str] = {BlockName.CONTENTS: "contents", BlockName.MORE: "more"}
_SHELL = "digest"
# A template that is included by a name that only its rendering knows.
_BY_NAME = re.compile(r"\b(?:include|import|extends|from)\s+[^\s\"']")


class Sheet:
    """Renders the templates of one kind; see `docs/templates.md` for what they are given."""

    def __init__(
        self,
        kind: str,
        environment: Environment,
        folders: Folders,
        newsletter: Newsletter,
        issue: Issue,
        tr: Translations,
    ) -> None:
        self._kind, self._environment, self._folders = kind, environment, folders
        self._language = tr.code
        self._context: dict[str, Any] = {
            "tr": tr,
            "lang": tr.code,
            "dir": tr.direction,
            "newsletter": clean(newsletter.name),
            "address": ", ".join(map(clean, newsletter.postal_address.splitlines())),
            "cadence": cadence_name(issue.cadence, tr),
            "date": tr.format_date(issue.date, newsletter.timezone),
        }

    @property
    def words(self) -> tuple[str, ...]:
        """What the shell says beside its own text."""
        return tuple(str(word) for name, word in self._context.items() if name != "tr")

    def path(self, block: BlockName | None) -> str:
        """The file to blame for a block, or for the shell; as people know it."""
        name = _SHELL if block is None else _BLOCK.get(block, _ITEM[block])
        return self._folders.shown(f"{name}.{self._kind}")

    def items(self, block: BlockName, stories: Sequence[Story]) -> list[str]:
        """The fragment of each story for a block."""
        return [
            self._render(_ITEM[block], {"story": story_view(story, self._language)})
            for story in stories
        ]

    def sources(self, block: BlockName) -> tuple[str, ...]:
        """What an item of a block depends on beside its story: the words of the sheet, the item's
        template, and every template that is named in those."""
        known = {name: self._folders.read(name) for name in self._folders.list_templates()}
        first = f"{_ITEM[block]}.{self._kind}"
        names, waiting = {first}, [known[first]]
        while waiting:
            text = waiting.pop()
            any_name = _BY_NAME.search(text) is not None
            new = {name for name in known if name not in names and (any_name or name in text)}
            names |= new
            waiting += [known[name] for name in new]
        return (*self.words, *(known[name] for name in sorted(names)))

    def block(self, block: BlockName, items: str) -> str:
        """The items with what surrounds them: the cards stand alone, the lists have a heading."""
        if block not in _BLOCK:
            return items
        return self._render(_BLOCK[block], {"items": self._literal(items)})

    def shell(self, blocks: Mapping[BlockName, str], slots: Mapping[Slot, str]) -> str:
        """The whole sheet."""
        texts = [*blocks.items(), *slots.items()]
        return self._render(_SHELL, {str(name): self._literal(text) for name, text in texts})

    def _render(self, name: str, values: Mapping[str, object]) -> str:
        file = f"{name}.{self._kind}"
        text = render(self._environment, self._folders, file, {**self._context, **values})
        # MRML drops line ends between tags but not beside text: none may come from where items meet
        return text.strip() if self._kind == MJML else text

    def _literal(self, text: str) -> str:
        return Markup(text) if self._kind == MJML else text  # noqa: S704 - rendered or escaped
