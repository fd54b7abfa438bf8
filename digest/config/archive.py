"""`[archive]` of digest.toml: issues on the web."""

from dataclasses import dataclass

from digest.config.table import Table
from digest.models import Visibility


@dataclass(frozen=True, slots=True)
class ArchiveConfig:
    """Who may see an issue that the publisher has said nothing of, and how long feeds are."""

    visibility: Visibility = Visibility.PUBLIC
    feed_stories: int = 50


def read_archive(table: Table) -> ArchiveConfig:
    """The table; problems are left in its findings."""
    default = ArchiveConfig()
    accepted = " or ".join(f'"{one}"' for one in Visibility)
    archive = ArchiveConfig(
        visibility=table.parsed("visibility", default.visibility, Visibility, accepted),
        feed_stories=table.integer("feed_stories", default.feed_stories, least=1),
    )
    table.close()
    return archive
