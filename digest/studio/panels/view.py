"""Everything the page shows of one edition, as one JSON object."""

from digest.studio.panels import issues
from digest.studio.panels.clients import clients
from digest.studio.panels.headers import headers, summary
from digest.studio.panels.links import links
from digest.studio.panels.size import size
from digest.studio.panels.stories import stories
from digest.studio.state import Look
from digest.studio.workshop import Shot, Workshop


def view(workshop: Workshop, look: Look) -> dict[str, object]:
    """What the panels show. `mail` is null where this reader gets nothing."""
    shot = workshop.shot(look)
    newsletter = shot.draft.config.newsletter
    return {
        "version": shot.version,
        "newsletter": newsletter.name,
        "zone": str(newsletter.timezone),
        "provider": shot.draft.config.provider,
        "readers": workshop.opening.readers is not None,
        "issue": issues.issue(shot, workshop),
        "calendar": issues.calendar(shot, workshop),
        "role": issues.role(shot.role, shot),
        "roles": issues.roles(workshop.roles(shot, look), shot),
        "stories": stories(shot),
        "problems": issues.problems(shot),
        "mail": _mail(shot),
    }


def _mail(shot: Shot) -> dict[str, object] | None:
    if shot.composition is None:
        return None
    edition, message = shot.composition.edition, shot.composition.message
    reader = shot.draft.reader(shot.subscriber)
    html, text, raw = message.html(reader), message.text(reader), message.message(reader)
    return {
        "edition": edition.id,
        "language": edition.language,
        "inbox": summary(shot),
        "headers": headers(shot),
        "size": size(shot, html, text, raw),
        "links": links(shot, shot.shown),
        "counted": shot.draft.counted,
        "clients": clients(html),
    }
