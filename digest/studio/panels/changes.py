"""What is different: since the last issue, and by what was saved last."""

from collections.abc import Iterator, Sequence
from difflib import unified_diff

from digest.composer import merge, text_values
from digest.layout import Slot
from digest.studio.workshop import Shot

Line = dict[str, str]


def changes(shot: Shot, last: Shot | None, before: Shot | None) -> dict[str, object]:
    """`last` is the reader's edition of the issue before, `before` this one before the save."""
    return {
        "issue": last.issue.id if last else "",
        "facts": list(_facts(last, shot)) if last else [],
        "frame": _diff(_frame(last), _frame(shot)) if last else [],
        "saved": _saved(before, shot) if before else [],
    }


def _facts(last: Shot, shot: Shot) -> Iterator[dict[str, str]]:
    for name, one, other in zip(_NAMES, _measured(last), _measured(shot), strict=True):
        yield {"name": name, "before": one, "after": other}


_NAMES = ("Subject", "Stories", "Listed by title", "HTML", "Tags")


def _measured(shot: Shot) -> tuple[str, ...]:
    if shot.composition is None:
        return ("–",) * len(_NAMES)
    tags = dict.fromkeys(tag for pick in shot.selection.picks for tag in pick.matched)
    return (
        shot.composition.message.values[Slot.SUBJECT],
        str(len(shot.selection.picks)),
        str(len(shot.selection.more)),
        f"{shot.composition.edition.html_bytes / 1000:.1f} kB",
        " ".join(f"#{tag}" for tag in tags) or "all",
    )


def _frame(shot: Shot) -> list[str]:
    """The text around the stories, line by line."""
    if shot.composition is None:
        return []
    message = shot.composition.message
    links = {slot: f"({slot.value})" for slot in Slot if slot.value.endswith("_url")}
    own = shot.draft.reader(shot.subscriber).values() | links  # each issue signs its own
    values = text_values({**message.values, **own})
    return merge(message.compiled.text, (), (), values).splitlines()


def _saved(before: Shot, shot: Shot) -> list[Line]:
    return _diff(_whole(before), _whole(shot))


def _whole(shot: Shot) -> list[str]:
    if shot.composition is None:
        return ["(this reader gets nothing)"]
    reader = shot.draft.reader(shot.subscriber)
    subject = f"Subject: {shot.composition.message.values[Slot.SUBJECT]}"
    return [subject, *shot.composition.message.text(reader).splitlines()]


def _diff(one: Sequence[str], other: Sequence[str]) -> list[Line]:
    kinds = {"+": "new", "-": "old", " ": "same", "@": "gap"}
    lines = list(unified_diff(one, other, lineterm="", n=2))[2:]
    told = [{"kind": kinds[line[0]], "text": "" if line[0] == "@" else line[1:]} for line in lines]
    return told[1:]  # nothing stands before the first gap
