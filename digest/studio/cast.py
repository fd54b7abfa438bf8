"""Through whose eyes an issue is looked at: personas, and the edges that break layouts. Pure.

Personas come from `digest.toml`; where none follows a tag, the content's commonest tags make some.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from digest.models import Preferences, Story

MADE = 3  # personas made of the content's tags
EVERYTHING = Preferences(everything=True)


@dataclass(frozen=True, slots=True)
class Role:
    """One way to look at an issue."""

    key: str  # in the address
    name: str
    preferences: Preferences
    about: str  # what they follow, in words
    edge: bool = False  # not somebody, but an extreme
    called: str = ""  # the name in the greeting; personas have none, as in `digest render`


def personas(configured: Mapping[str, Preferences], stories: Sequence[Story]) -> list[Role]:
    """Those of `digest.toml`; where none follows a tag, also one for each of the commonest tags."""
    tagged = any(wishes.tags for wishes in configured.values())
    made = {} if tagged else _made(stories)
    chosen = {**configured, **made, **configured}  # what is configured is first, and wins
    return [Role(name, name, wishes, about(wishes)) for name, wishes in chosen.items()]


def edges(
    stories: Sequence[Story], weigh: Callable[[Preferences], int], taken: Sequence[Role]
) -> list[Role]:
    """All tags, no tags, and who gets the least; `weigh` gives the bytes of an edition, 0 for none.

    Tags are tried one by one: no edition of several tags is smaller than each of theirs.
    """
    tags = sorted({tag for story in stories for tag in story.tags})
    tried = [(weigh(Preferences(tags=(tag,))), tag) for tag in tags]
    least = min(((size, tag) for size, tag in tried if size), default=None)
    most = max((EVERYTHING, *(role.preferences for role in taken)), key=weigh)
    found = [Role("largest", "largest edition", most, about(most), edge=True)]
    if least is not None:
        wishes = Preferences(tags=(least[1],))
        found.append(Role("smallest", "smallest edition", wishes, about(wishes), edge=True))
    found.append(Role("nobody", "no tags", Preferences(), "follows nothing", edge=True))
    return found


def about(wishes: Preferences) -> str:
    """What somebody follows, in one line."""
    if wishes.everything:
        follows = "everything"
    else:
        follows = " ".join(f"#{tag}" for tag in wishes.tags) or "follows nothing"
    muted = " ".join(f"#{tag}" for tag in wishes.muted)
    parts = [follows, f"never {muted}" if muted else "", ", ".join(wishes.languages)]
    return " · ".join(filter(None, parts))


def _made(stories: Sequence[Story]) -> dict[str, Preferences]:
    """A persona per common tag, who also follows the tag that is seen beside it most often."""
    counts = Counter(tag for story in stories for tag in story.tags)
    made: dict[str, Preferences] = {}
    for tag, _ in counts.most_common():
        beside = Counter(
            other for story in stories if tag in story.tags for other in story.tags if other != tag
        )
        pair = (tag, *(other for other, _ in beside.most_common(1)))
        if not any(tag in wishes.tags for wishes in made.values()):
            made[tag] = Preferences(tags=pair)
        if len(made) == MADE:
            break
    return made
