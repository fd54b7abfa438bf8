"""Stories and preferences for tests: `story(id, tags=…)` gives a valid one, named fields differ."""

from dataclasses import replace
from datetime import UTC, datetime

from digest.models import Story, Window

WINDOW = Window(datetime(2026, 11, 12, 9, tzinfo=UTC), datetime(2026, 11, 19, 9, tzinfo=UTC))

_STORY = Story(
    id="",
    post="",
    post_title="A post",
    title="A story",
    tldr="What happened, in a sentence.",
    takeaways=("The first thing to remember", "The second thing to remember"),
    tradeoffs=(),
    why="",
    link="",
    url="",
    published=datetime(2026, 11, 16, 8, tzinfo=UTC),
    language="en",
    tags=(),
    markers=(),
    generated=False,
    disclaimer="",
    pinned=False,
    draft=False,
    words=450,
    line=1,
)


def story(id: str, tags: str = "", **fields: object) -> Story:  # noqa: A002
    """A story with the words of `tags` as its tags, in a post of its own unless told otherwise."""
    own = {
        "id": id,
        "post": f"content/{id}.md",
        "title": f"About {id}",
        "tags": tuple(tags.split()),
    }
    return replace(_STORY, **(own | fields))
