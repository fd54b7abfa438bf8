"""From saving to the new page, among many posts: the studio against a cold `digest render`.

    python benchmarks/preview.py [--posts 10000]

Both make the same page of the same posts. The page is what the browser asks for after a save: the
mail and everything the panels tell of it. CPU time, median of the repeats, all in one run. Exit
code 1 when a target is missed.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from digest.config import load
from digest.studio.panels.view import view
from digest.studio.state import Look
from digest.studio.workshop import Opening, Workshop
from digest.tokens import Keys

sys.path.insert(0, str(Path(__file__).parent))
from parse import project

TARGET = 20.0  # both saves against a cold render
SETTINGS = """\
[newsletter]
name = "Bench"
sender = "a@example.com"
postal_address = "Street 1"
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVERYTHING = Look("tags:*")


def children() -> float:
    """CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cold(folder: Path) -> float:
    """CPU seconds of `digest render` with nothing remembered."""
    shutil.rmtree(folder / ".digest" / "cache", ignore_errors=True)
    start = children()
    command = [sys.executable, "-m", "digest", "render", "-q", "--at", "latest", "--out", "-"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return children() - start


def saved(workshop: Workshop, path: Path, change: Callable[[str], str]) -> float:
    """CPU seconds from a saved file to the page that shows it."""
    text = change(path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    start = time.process_time()
    workshop.changed([path])
    page = view(workshop, EVERYTHING)
    shot = workshop.shot(EVERYTHING)
    assert page["mail"]
    assert shot.composition
    shot.composition.message.html(shot.draft.reader(shot.subscriber))
    return time.process_time() - start


def row(name: str, seconds: float, ratio: float = 0.0) -> bool:
    """Print one line of the table; True when the target is met, or there is none."""
    verdict = f"{ratio:8.1f}×  ≥ {TARGET:g}×  {'ok' if ratio >= TARGET else 'MISSED'}"
    print(f"{name:<32}{seconds * 1e3:9.1f} ms  {verdict if ratio else ''}")
    return not ratio or ratio >= TARGET


def main(arguments: list[str] | None = None) -> int:
    """0 when both targets are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, options.posts)
        (folder / "digest.toml").write_text(SETTINGS)
        template = folder / "templates" / "story.mjml"
        template.parent.mkdir()
        shutil.copy(Path(__file__).parent.parent / "templates" / "story.mjml", template)
        renders = [cold(folder) for _ in range(options.repeats)]
        workshop = Workshop(
            Opening(
                load=lambda: load(folder / "digest.toml", {}),
                keys=Keys((b"a-secret-key-of-the-bench",)),
                now=lambda: NOW,
            )
        )
        shot = workshop.shot(EVERYTHING)
        view(workshop, EVERYTHING)
        post = folder / shot.selection.picks[0].story.post
        posts = [
            saved(workshop, post, lambda text, n=n: text.replace("**TLDR:**", f"**TLDR:** {n}", 1))
            for n in range(options.repeats + 2)
        ]
        templates = [
            saved(workshop, template, lambda text: f"{text}{{# saved #}}\n")
            for _ in range(options.repeats)
        ]
    render = statistics.median(renders)
    print(f"{options.posts:,} posts, {len(shot.content.stories)} stories in the issue; CPU time\n")
    met = row("cold `digest render`", render)
    met &= row("a post saved, to the page", taken := statistics.median(posts), render / taken)
    taken = statistics.median(templates)
    met &= row("a template saved, to the page", taken, render / taken)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
