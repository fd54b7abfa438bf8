"""What a plan was made of, and whether that is so still.

Posts, templates and settings are held by their hashes. A plan that has begun to be handed over may
be brought up to date: its readers and editions stay, and whoever is still to get it gets things as
they are now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from digest import __version__
from digest.clicks import CountedLink, within
from digest.errors import StaleError, StoreError
from digest.issues import Draft
from digest.models import Omission, Reason, Story
from digest.snapshot import canonical, digest_of, story_digest
from digest.store import Store
from digest.store.ledger.records import (
    Contents,
    IssueState,
    PlannedEdition,
    PlannedIssue,
    PlannedStory,
)

_FAR = {Reason.BEFORE_WINDOW, Reason.AFTER_WINDOW}
_ENDED = (IssueState.DONE, IssueState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Frozen:
    """An issue of the store, and what it holds."""

    issue: PlannedIssue
    contents: Contents


def require_fresh(draft: Draft, frozen: Frozen, *, ahead: bool = False) -> None:
    """StaleError when anything changed that the plan was made of."""
    if changes := stale(draft, frozen, ahead=ahead):
        name = frozen.issue.id
        raise StaleError(
            f"the plan of {name} is stale: " + "; ".join(changes),
            hint=f"look at a new plan: digest plan --replan --at {name.partition('-')[2]}",
            changes=changes,
        )


def stale(draft: Draft, frozen: Frozen, *, ahead: bool = False) -> tuple[str, ...]:
    """What has changed since the plan, in words; empty when it stands."""
    contents, now = frozen.contents, basis(draft)
    end = frozen.issue.window.end if ahead else draft.issue.window.end
    parts = sorted(now.keys() | contents.basis.keys())
    changes = [f"{part} has changed" for part in parts if now.get(part) != contents.basis.get(part)]
    planned = {story.id: story.digest for story in contents.stories if not story.omitted}
    present = {
        story.id: story_digest(story)
        for story in told(draft, contents.editions)
        if story.id in planned or draft.listing.of(story) < end
    }
    for story in sorted(planned.keys() | present.keys()):
        if story not in present:
            changes.append(f"story {story} is gone")
        elif story not in planned:
            changes.append(f"story {story} is new")
        elif planned[story] != present[story]:
            changes.append(f"story {story} has changed")
    return tuple(changes)


def basis(draft: Draft) -> dict[str, str]:
    """What a plan depends on apart from its stories: part -> digest. No secret is in it."""
    config, issue = draft.config, draft.issue
    parts: dict[str, object] = {
        "config newsletter": asdict(config.newsletter),
        "config selection": asdict(config.limits),
        "config tags": asdict(config.tags),
        "the window": (issue.window.start, issue.date),
        "the version of digest": __version__,
    }
    if config.stats.clicks:
        parts["config stats"] = asdict(config.stats)
    templates = {f"template {name}": text for name, text in draft.renderer.sources().items()}
    return {part: _digest(value) for part, value in (parts | templates).items()}


def told(draft: Draft, editions: Iterable[PlannedEdition]) -> tuple[Story, ...]:
    """The candidates that a plan is about: those of its window, and earlier ones in an edition."""
    shown = {story for one in editions for story in (*one.stories, *one.more)}
    start = draft.issue.window.start
    return tuple(
        story
        for story in draft.candidates()[0]
        if story.id in shown or draft.listing.of(story) >= start
    )


def begun(store: Store, planned: PlannedIssue) -> bool:
    """Whether something of an issue was handed over, and something is still to be."""
    return planned.state not in _ENDED and store.ledger.begun(planned.number)


def bring_up_to_date(draft: Draft, store: Store, planned: PlannedIssue) -> Frozen:
    """Hold the rest of an issue to its posts, templates and settings as they are now.

    StoreError when a story that an edition holds is gone.
    """
    editions = store.ledger.contents(planned.number).editions
    there = {story.id for story in draft.candidates()[0]}
    if gone := sorted({s for one in editions for s in (*one.stories, *one.more)} - there):
        raise StoreError(
            f"{planned.id} has begun to be handed over, and of its stories {', '.join(gone)} "
            f"{'is' if len(gone) == 1 else 'are'} gone",
            hint=f"put back what is gone, or end it here: digest issues cancel {planned.id}",
        )
    store.archive.keep(told(draft, editions))
    parts, stories = basis(draft), stories_of(draft, editions)
    store.ledger.renew(planned.number, parts, stories, links_of(draft, editions))
    return Frozen(planned, store.ledger.contents(planned.number))


def links_of(draft: Draft, editions: Sequence[PlannedEdition]) -> tuple[CountedLink, ...]:
    """The counted links that the messages of these editions hold; none where none are counted."""
    if not draft.counted:
        return ()
    shown = {story for one in editions for story in (*one.stories, *one.more)}
    return tuple(within(draft.links(one.language for one in editions), shown))


def stories_of(draft: Draft, editions: Sequence[PlannedEdition]) -> tuple[PlannedStory, ...]:
    """Those that are in, and those of about this time that are out, with the reason."""
    near: list[Omission] = [one for one in draft.candidates()[1] if one.reason not in _FAR]
    return (
        *(PlannedStory(story.id, story_digest(story)) for story in told(draft, editions)),
        *(PlannedStory(one.story.id, story_digest(one.story), str(one)) for one in near),
    )


def _digest(value: object) -> str:
    return digest_of(canonical(value))
