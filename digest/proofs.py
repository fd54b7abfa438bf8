"""An issue on the desk made ready for the checks, and checked.

What a template does wrong is the same in every edition, so one message of each language, with a
story of every shape, stands for all of them; what depends on the choice of stories is asked of
each edition by its words and its size.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digest import wording
from digest.checks import (
    Before,
    Copy,
    Places,
    Proof,
    Settings,
    check_issue,
    check_proof,
    check_stories,
    check_tags,
    check_texts,
    in_order,
)
from digest.checks.editions import check_audience, check_reach, check_weights
from digest.checks.headers import check_settings
from digest.checks.markup import Piece, Template
from digest.checks.rendering import host_of
from digest.checks.tags import check_followers, check_personas, check_unfollowed
from digest.clients import broken
from digest.composer import EditionMessage, Reader, measure
from digest.composer.escape import html_values
from digest.config import Config
from digest.config.table import lines_of
from digest.content import Content
from digest.inline import runs_left
from digest.issues import Draft
from digest.layout import Block, BlockName, Part, Slot
from digest.models import Edition, Finding, Issue, Plan, Preferences, Severity, Story, Subscriber
from digest.translations import languages, translations

if TYPE_CHECKING:
    from digest.store import Store

_READER = "reader@example.com"
_ITEMS: Mapping[BlockName, str] = {
    BlockName.CONTENTS: "contents-item.mjml",
    BlockName.STORIES: "story.mjml",
    BlockName.MORE: "more-item.mjml",
}
_BLOCKS: Mapping[BlockName, str] = {
    BlockName.CONTENTS: "contents.mjml",
    BlockName.STORIES: "digest.mjml",
    BlockName.MORE: "more.mjml",
}


class PostTexts(Mapping[str, str]):
    """The text of each post by its path; a file is read when something was found in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, str] = {}

    def __getitem__(self, path: str) -> str:
        if path not in self._known:
            try:
                self._known[path] = (self._root / path).read_text("utf-8-sig", "replace")
            except (OSError, ValueError):
                self._known[path] = ""
        return self._known[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def settings_of(config: Config) -> Settings:
    """digest.toml as checks name it: where each key stands."""
    try:
        source = config.path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        source = ""
    return Settings(config.path.name, lines_of(source))


def inspect_content(
    config: Config, content: Content, followers: Mapping[str, int] | None = None
) -> list[Finding]:
    """What holds of posts, tags and settings, whatever issue is due.

    `followers` (spelling -> readers) are the tags that readers follow, where that is known.
    """
    places, vocabulary = Places(PostTexts(config.root)), content.vocabulary
    settings = settings_of(config)
    used = {vocabulary.key(tag) for story in content.stories for tag in story.tags}
    return in_order(
        (
            *check_stories(content.stories, places, vocabulary),
            *check_settings(config.newsletter, settings),
            *check_personas(config.personas, vocabulary, used, (settings.path, settings.lines)),
            *check_followers(followers or {}, vocabulary, used),
        )
    )


def inspect_issue(
    draft: Draft,
    editions: Iterable[Edition] | None = None,
    *,
    readers: int | None = None,
    before: Before | None = None,
    followed: Iterable[str] | None = None,
) -> list[Finding]:
    """What holds of an issue: of its templates, of these editions, and against the last issue.

    Without `editions` those of the personas and of every tag; with them (those of all `readers`)
    also of who gets nothing. TemplateError when nothing can be rendered.
    """
    stories = draft.candidates()[0]
    if not stories:
        return []
    places, vocabulary = Places(PostTexts(draft.config.root)), draft.content.vocabulary
    chosen = list(samples(draft) if editions is None else editions)
    shown = [copy_of(draft, edition) for edition in chosen]
    found: list[Finding] = []
    spoken = sorted({one.language for one in chosen} or {draft.config.newsletter.language})
    for language in spoken:
        found += check_proof(proof_of(draft, language))
    compiled = draft.frozen(spoken[0], [stories[0].id], ()).compiled
    found += check_weights(stories, dict(measure(compiled.html).stories), places)
    found += check_issue(draft.issue.id, shown, before)
    if editions is not None and readers:
        found += check_audience(draft.issue.id, readers, before)
        found += check_reach(stories, shown, places)
    if followed is not None:
        keys = {vocabulary.key(tag) for tag in followed}
        found += check_unfollowed(stories, places, vocabulary, keys)
    return in_order(found)


def inspect_plan(draft: Draft, plan: Plan, before: Before | None = None) -> list[Finding]:
    """What holds of everything that a plan would send: its posts, settings and editions."""
    content, vocabulary = draft.content, draft.content.vocabulary
    posts = {story.post for story in plan.stories}
    places = Places(PostTexts(draft.config.root))
    settings = settings_of(draft.config)
    # Two posts of one title are told where one of them is new; a tag's slips need all posts.
    of_posts = (
        *check_texts(plan.stories, places),
        *(one for one in check_tags(content.stories, places, vocabulary) if one.path in posts),
    )
    of_issue = inspect_issue(draft, plan.editions, readers=plan.readers, before=before)
    own = check_settings(draft.config.newsletter, settings)
    return in_order((*of_posts, *own, *of_issue))


def before(store: "Store", issue: Issue) -> Before | None:
    """The issue of the same cadence before, with the subjects of its editions."""
    last = store.ledger.before(issue.cadence, issue.window.end)
    if last is None:
        return None
    known = {story.id: story for story in store.archive.stories(last.number)}
    subjects = set()
    for edition in store.ledger.contents(last.number).editions:
        stories = [known[story] for story in edition.stories if story in known]
        if len(stories) == len(edition.stories):
            subjects.add(wording.subject(stories, translations(edition.language)))
    return Before(last.id, last.readers, frozenset(subjects))


def samples(draft: Draft) -> Iterator[Edition]:
    """Editions that readers may well get: of everything, of each persona, of each tag alone."""
    own = draft.config.newsletter.language
    tags = dict.fromkeys(tag for story in draft.candidates()[0] for tag in story.tags)
    wishes = [
        *(Preferences(everything=True, languages=(code,)) for code in (own, *sorted(languages()))),
        *draft.config.personas.values(),
        *(Preferences(tags=(tag,)) for tag in tags),
    ]
    seen = set()
    for wish in wishes:
        composition = draft.composition(wish)
        if composition is not None and composition.edition.id not in seen:
            seen.add(composition.edition.id)
            yield composition.edition


def copy_of(draft: Draft, edition: Edition) -> Copy:
    """An edition with the words that its stories make."""
    own = translations(edition.language)
    subject = wording.subject(edition.stories, own) if edition.stories else ""
    return Copy(edition, subject, wording.preheader(edition.stories, own))


def proof_of(draft: Draft, language: str) -> Proof:
    """One message of a language, with a story of every shape, for the checks.

    `message` is what would be sent; the HTML has links that lead straight to their targets.
    """
    stories = _shapes(draft.candidates()[0])
    shapes = [story.id for story in stories]
    message = draft.frozen(language, shapes, shapes)
    # authors and templates answer for where links lead; how we lead there is no fault of theirs
    direct = draft.uncounted.frozen(language, shapes, shapes)
    preferences = Preferences(tags=("ai",), languages=(language,))
    cadence = draft.issue.cadence
    reader = draft.reader(Subscriber(0, _READER, "Ana", preferences, cadence, ""))
    templates = _Templates(draft)
    pieces = tuple(_pieces(direct, reader, shapes, templates))
    return Proof(
        language=language,
        pieces=pieces,
        text=message.text(reader),
        message=message.message(reader),
        shell=templates["digest.mjml"],
        text_shell=templates["digest.txt"],
        reader=_READER,
        pages=(
            reader.preferences_url,
            reader.values()[Slot.PAUSE_URL],
            reader.unsubscribe_url,
        ),
        why=reader.why,
        newsletter=draft.config.newsletter,
        stories=stories,
        own_hosts=[host_of(draft.config.content.url)],
        verdicts=broken("".join(piece.text for piece in pieces)),
    )


def blocking(findings: Iterable[Finding], allowed: Iterable[str] = ()) -> list[Finding]:
    """The errors that were not allowed by their id."""
    yes = set(allowed)
    return [one for one in findings if one.severity is Severity.ERROR and one.check not in yes]


class _Templates(dict[str, Template]):
    """Templates by name, as they are asked for."""

    def __init__(self, draft: Draft) -> None:
        self._renderer, self._texts = draft.renderer, draft.renderer.sources()

    def __missing__(self, name: str) -> Template:
        self[name] = Template(self._renderer.path(name), self._texts.get(name, ""))
        return self[name]


def _shapes(stories: Sequence[Story]) -> list[Story]:
    """The first story of each kind that templates treat differently."""
    first: dict[tuple[object, ...], Story] = {}
    for story in stories:
        shape = (
            *(bool(text) for text in (story.tldr, story.takeaways, story.tradeoffs, story.why)),
            *(bool(text) for text in (story.link, story.url, story.disclaimer, story.tags)),
            story.generated,
            story.language,
            runs_left(story.title),
            "](" in story.tldr,
        )
        first.setdefault(shape, story)
    return list(first.values())


def _pieces(
    message: EditionMessage, reader: Reader, ids: Sequence[str], templates: Mapping[str, Template]
) -> Iterator[Piece]:
    """The HTML of a message, each part with the template that wrote it."""
    values = html_values({**message.values, **reader.values()})

    def of(parts: Iterable[Part], name: str) -> Iterator[Piece]:
        for part in parts:
            yield Piece(values[part] if isinstance(part, Slot) else part, templates[name])

    for part in message.compiled.html.parts:
        if not isinstance(part, Block):
            yield from of((part,), "digest.mjml")
        elif part.name is not BlockName.CONTENTS or len(ids) > 1:
            yield from of(part.before, _BLOCKS[part.name])
            for story in ids:
                yield from of(part.items[story], _ITEMS[part.name])
            yield from of(part.after, _BLOCKS[part.name])
