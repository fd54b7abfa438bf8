"""Every distinct content of the issue, and how many readers share it."""

from collections.abc import Sequence

from digest.models import Edition
from digest.studio.cast import Role


def editions(found: Sequence[tuple[Role, Edition]]) -> dict[str, object]:
    """Most readers first. Nobody is named: an edition is seen as what its first reader follows."""
    return {
        "readers": sum(edition.readers for _, edition in found),
        "editions": [
            {
                "key": role.key,
                "id": edition.id,
                "about": role.about,
                "language": edition.language,
                "stories": len(edition.stories),
                "bytes": edition.html_bytes,
                "readers": edition.readers,
            }
            for role, edition in found
        ],
    }
