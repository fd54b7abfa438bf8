"""`[stats]` of digest.toml: what is measured beyond what providers tell."""

from dataclasses import dataclass

from digest.config.table import Table


@dataclass(frozen=True, slots=True)
class StatsConfig:
    """Nothing, unless the publisher asks for it."""

    clicks: bool = False  # links of mails lead through our pages, and are counted without a reader


def read_stats(table: Table) -> StatsConfig:
    """The table; problems are left in its findings."""
    stats = StatsConfig(clicks=table.flag("clicks", StatsConfig().clicks))
    table.close()
    return stats
