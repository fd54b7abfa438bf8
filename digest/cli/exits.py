"""The exit codes: stable, documented in docs/cli.md, tested."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    FAILED = 1
    USAGE = 2  # click's own
    CHECKS = 3
    DECLINED = 5
    STALE = 6
    PARTLY = 7
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "done",
    Exit.FAILED: "failed",
    Exit.USAGE: "wrong usage",
    Exit.CHECKS: "done, but posts, subscribers or templates have errors",
    Exit.DECLINED: "you said no, or there was nobody to ask",
    Exit.STALE: "refused: what was planned is not what would be sent any more",
    Exit.PARTLY: "sent in part: some deliveries failed, are unknown or are still planned",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
}

EXITS_HELP = "Exit codes:\n" + "\n".join(
    f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items()
)
