"""CPU of `digest --help` against a bare Python, and against importing everything at once."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

TARGET = 6.0  # times the CPU of `python -c pass`

EAGER = "import click, rich.progress, jinja2, mjml, frontmatter, babel.dates, email_validator"


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run of `command`."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def main() -> None:
    digest = str(Path(sys.executable).with_name("digest"))
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "digest --help": [digest, "--help"],
        "everything imported": [sys.executable, "-c", EAGER],
    }
    ten_runs = {
        name: statistics.median(sum(cpu_seconds(command) for _ in range(10)) for _ in range(5))
        for name, command in commands.items()
    }
    bare = ten_runs["python -c pass"]
    for name, seconds in ten_runs.items():
        print(f"{name:<22}{seconds * 100:8.1f} ms {seconds / bare:6.1f} x")
    ratio = ten_runs["digest --help"] / bare
    print(
        f"digest --help: {ratio:.1f} x, target < {TARGET:.0f} x",
        "ok" if ratio < TARGET else "MISSED",
    )


if __name__ == "__main__":
    main()
