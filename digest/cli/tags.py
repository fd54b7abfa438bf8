"""`digest tags`: what each tag means in readers and in stories."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from digest.cli.groups import command_group
from digest.cli.people import json_option
from digest.cli.session import Session, project_command
from digest.cli.storage import aliases_of, open_store
from digest.cli.tables import bar, counted, safe, table
from digest.errors import DigestError
from digest.hashtags import fold
from digest.models import Story

if TYPE_CHECKING:
    from digest.hashtags import Vocabulary
    from digest.store import Store, TagReaders

DAYS = 90  # over which stories a month are counted
RECENT = 5  # stories that `show` names


@dataclass(frozen=True, slots=True)
class _Tag:
    """One tag, from both sides."""

    key: str
    name: str
    followers: int
    muters: int
    stories_a_month: float
    stands_for: str  # the tag that the aliases make of it; empty when it stands for itself


@project_command(name="list", example="digest tags list")
@json_option
def list_tags(session: Session, as_json: bool) -> int:
    """List tags, most followed first, with their readers and stories a month."""
    tags, everything = _tags(session)
    if as_json:
        shape = {
            "schema": "digest/tags@1",
            "everything": everything,
            "tags": [asdict(tag) for tag in tags],
        }
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
        return session.finish()
    for line in _lines(tags):
        click.echo(line)
    session.say(f"{counted(len(tags), 'tag')}; everything: {counted(everything, 'reader')}")
    for tag in tags:
        if tag.stands_for and tag.followers:
            session.say(
                safe(f"#{tag.name} stands for #{tag.stands_for}: ")
                + safe(f"digest tags merge {fold(tag.name)} {fold(tag.stands_for)}")
            )
    return session.finish()


@project_command(name="show", example="digest tags show ai")
@click.argument("name", metavar="TAG")
@json_option
def show(session: Session, name: str, as_json: bool) -> int:
    """Show one tag: its readers, its stories, and the newest of them."""
    tags, _ = _tags(session)
    keys = (session.content.vocabulary.key(name), fold(name))  # an alias is shown as its tag
    found = next((tag for key in keys for tag in tags if tag.key == key), None)
    if found is None:
        near = get_close_matches(fold(name), [tag.key for tag in tags], 1)
        hint = f"did you mean #{near[0]}?" if near else "see: digest tags list"
        raise DigestError(f"no reader and no recent story has the tag #{name}", hint=hint)
    newest = _stories_with(session, found.key)[:RECENT]
    if as_json:
        shape = {
            "schema": "digest/tag@1",
            **asdict(found),
            "newest": [{"id": one.id, "title": one.title} for one in newest],
        }
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
        return session.finish()
    click.echo(click.style(safe(f"#{found.name}"), bold=True))
    click.echo(f"followed by {found.followers:,}, muted by {found.muters:,}")
    click.echo(f"{found.stories_a_month:.1f} stories a month")
    for one in newest:
        click.echo(safe(f"  {one.published:%Y-%m-%d}  {one.title}"))
    return session.finish()


@project_command(name="rename", example="digest tags rename databases Databases")
@click.argument("old", metavar="TAG")
@click.argument("new", metavar="NAME")
def rename(session: Session, old: str, new: str) -> int:
    """Spell a tag otherwise where readers are shown; it stays the same tag."""
    tags = open_store(session).tags
    keys = {key for key, _ in tags.names()}
    meant = old if fold(old) in keys else aliases_of(session).get(fold(old), old)
    try:
        tags.rename(meant, new)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    session.say(safe(f"#{meant} is shown as #{new} now, but for what the posts themselves spell"))
    return session.finish()


@project_command(name="merge", example="digest tags merge postgres databases")
@click.argument("old", metavar="TAG")
@click.argument("into", metavar="TAG")
def merge(session: Session, old: str, into: str) -> int:
    """Move everyone from one tag to another; what they said about the other stands."""
    tags = open_store(session).tags
    vocabulary = session.content.vocabulary
    keys = {key for key, _ in tags.names()}
    target = aliases_of(session).get(fold(into), into)
    if fold(target) not in keys | vocabulary.spellings.keys():
        raise DigestError(
            f"no reader and no post has the tag #{target}", hint="see: digest tags list"
        )
    # readers may still be kept under an alias: such rows are what a merge is for
    source = old if fold(old) in keys else aliases_of(session).get(fold(old), old)
    if fold(source) == fold(target) != fold(old):
        session.say(safe(f"#{old} stands for #{target} already; no reader is under #{old}"))
        return session.finish()
    try:
        changed = tags.merge(source, target, datetime.now(UTC))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    session.say(safe(f"{counted(changed, 'reader')} moved from #{source} to #{target}"))
    lost = len(_stories_with(session, fold(source)))
    if lost and vocabulary.key(source) != vocabulary.key(target):
        session.say(
            safe(f"{lost:,} stories with #{source} do not reach them by it any more; ")
            + safe(f'to change that: [tags.aliases] {fold(source)} = "{target}" in digest.toml')
        )
    return session.finish()


def _tags(session: Session) -> tuple[list[_Tag], int]:
    """Every tag of readers or recent stories, and how many get everything."""
    store = open_store(session)
    vocabulary = session.content.vocabulary
    stories = _recent_counts(session, store)
    readers = {one.key: one for one in store.tags.readers()}
    tags = []
    for key in readers.keys() | stories.keys():
        reader, shown = readers.get(key), vocabulary.key(key)
        tags.append(
            _Tag(
                key=key,
                name=_name(vocabulary, key, reader),
                followers=reader.followers if reader else 0,
                muters=reader.muters if reader else 0,
                stories_a_month=round(stories[shown] * 30 / DAYS, 1),
                stands_for=vocabulary.spelling(shown) if shown != key else "",
            )
        )
    tags.sort(key=lambda tag: (-tag.followers, -tag.stories_a_month, tag.key))
    return tags, store.tags.everything()


def _name(vocabulary: "Vocabulary", key: str, reader: "TagReaders | None") -> str:
    """As the posts spell it, else as the first reader did."""
    if reader and (key in vocabulary.aliases or key not in vocabulary.spellings):
        return reader.name
    return vocabulary.spelling(key)


def _recent_counts(session: Session, store: "Store") -> Counter[str]:
    """By tag, the stories that became part of the newsletter of late."""
    from digest.desk import glance

    now, content = datetime.now(UTC), session.content
    listing, since = glance(store, content.stories, now), now - timedelta(days=DAYS)
    return Counter(
        content.vocabulary.key(tag)
        for story in content.stories
        if since <= listing.of(story) <= now and not story.draft
        for tag in story.tags
    )


def _stories_with(session: Session, key: str) -> list[Story]:
    vocabulary = session.content.vocabulary
    wanted = vocabulary.key(key)
    stories = [
        story
        for story in session.content.stories
        if wanted in {vocabulary.key(tag) for tag in story.tags}
    ]
    return sorted(stories, key=lambda story: (-story.published.timestamp(), story.id))


def _lines(tags: list[_Tag]) -> list[str]:
    most = max((tag.followers for tag in tags), default=0)
    heading = ("tag", "readers", "", "muted", "stories/month")
    rows = [
        (
            f"#{tag.name}",
            f"{tag.followers:,}",
            bar(tag.followers, most),
            f"{tag.muters:,}" if tag.muters else "",
            f"{tag.stories_a_month:.1f}" if tag.stories_a_month else "–",
        )
        for tag in tags
    ]
    return table([heading, *rows], right=(1, 3, 4))


command = command_group(
    "tags",
    list_tags,
    show,
    rename,
    merge,
    help="See what each tag means in readers and stories; rename and merge tags.",
    example="digest tags list",
)
