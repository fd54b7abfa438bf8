"""Which stories are in and which are out, and why."""

from digest.inline import plain
from digest.models import Omission, Pick, Reason, Story
from digest.studio.workshop import Shot
from digest.wording import reading_minutes

_ELSEWHERE = frozenset({Reason.BEFORE_WINDOW, Reason.AFTER_WINDOW})


def stories(shot: Shot) -> dict[str, object]:
    """The picks in their order, then every other story of the window with its reason."""
    sizes = shot.draft.sizes(shot.role.preferences)
    listed = {story.id for story in shot.selection.more}
    out = [one for one in shot.selection.omissions if one.reason not in _ELSEWHERE]
    return {
        "in": [_pick(pick, sizes.stories.get(pick.story.id, 0)) for pick in shot.selection.picks],
        "out": [_omission(one, one.story.id in listed) for one in out],
    }


def _pick(pick: Pick, size: int) -> dict[str, object]:
    because = " ".join(f"#{tag}" for tag in pick.matched) or "follows everything"
    return {**_story(pick.story), "why": because, "bytes": size}


def _omission(omission: Omission, listed: bool) -> dict[str, object]:
    why = f"{omission}, listed by title" if listed else str(omission)
    return {**_story(omission.story), "why": why, "listed": listed}


def _story(story: Story) -> dict[str, object]:
    return {
        "id": story.id,
        "title": plain(story.title or story.post_title) or story.id,
        "place": f"{story.post}:{story.line}",
        "tags": list(story.tags),
        "minutes": reading_minutes(story.words),
        "language": story.language,
        "pinned": story.pinned,
        "draft": story.draft,
    }
