"""What the mail weighs, part by part, against the size at which Gmail clips it."""

from digest.inline import plain
from digest.studio.workshop import Shot

GMAIL = 102_000  # bytes of HTML that Gmail shows before "[Message clipped]"


def size(shot: Shot, html: str, text: str, message: bytes) -> dict[str, object]:
    """Bytes of each part in the order of the mail; together they are the HTML."""
    sizes, picks = shot.draft.sizes(shot.role.preferences), shot.selection.picks
    total = len(html.encode())
    parts: list[dict[str, object]] = []
    if len(picks) > 1:
        listed = sum(sizes.contents[pick.story.id] for pick in picks) + sizes.contents_wrap
        parts.append({"name": "list of contents", "bytes": listed})
    for pick in picks:
        story = pick.story
        name = plain(story.title or story.post_title)
        parts.append({"name": name, "bytes": sizes.stories[story.id], "story": story.id})
    if shot.selection.more:
        more = sum(sizes.more[story.id] for story in shot.selection.more) + sizes.more_wrap
        parts.append({"name": "titles listed", "bytes": more})
    around = total - sum(int(str(part["bytes"])) for part in parts)
    return {
        "html": total,
        "text": len(text.encode()),
        "message": len(message),
        "limit": GMAIL,
        "parts": [{"name": "frame, styles and footer", "bytes": around}, *parts],
    }
