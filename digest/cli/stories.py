"""`digest stories`: what the posts hold."""

import json

import click

from digest.cli.session import Moment, Session, moment, project_command
from digest.cli.shapes import story_json
from digest.cli.tables import counted
from digest.models import Story


@project_command(
    name="stories", example='digest stories --since 2026-11-12 --tags "ai and not crypto"'
)
@click.option("--since", type=Moment(), help="Published at or after this; a date is its start.")
@click.option("--until", type=Moment(), help="Published before this; a date is its start.")
@click.option("--tags", metavar="EXPR", help="Only these tags: 'ai and (llm or agents)'.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line (docs/json.md).")
def command(
    session: Session, since: str | None, until: str | None, tags: str | None, as_json: bool
) -> int:
    """List the stories in your posts, newest first."""
    stories = _chosen(session, since, until, tags)
    if as_json:
        for story in stories:
            click.echo(json.dumps(story_json(story), ensure_ascii=False))
        return session.finish()
    from digest.inline import plain

    zone = session.config.newsletter.timezone
    for story in stories:
        day = click.style(f"{story.published.astimezone(zone):%Y-%m-%d}", fg="cyan")
        draft = click.style(" (draft)", fg="yellow") if story.draft else ""
        topics = click.style(" ".join(f"#{tag}" for tag in story.tags), dim=True)
        click.echo(f"{day}  {plain(story.title)}{draft}  {topics}")
    posts = len({story.post for story in stories})
    told = counted(len(stories), "story", "stories")
    session.say(f"{told} in {counted(posts, 'post')}")
    return session.finish()


def _chosen(
    session: Session, since: str | None, until: str | None, tags: str | None
) -> list[Story]:
    from digest.filters import parse

    key = session.content.vocabulary.key
    wanted = parse(tags, key) if tags else None
    start = moment(since, session) if since else None
    end = moment(until, session) if until else None
    chosen = [
        story
        for story in session.content.stories
        if (start is None or story.published >= start)
        and (end is None or story.published < end)
        and (wanted is None or wanted.matches({key(tag) for tag in story.tags}))
    ]
    return sorted(chosen, key=lambda story: (-story.published.timestamp(), story.post, story.line))
