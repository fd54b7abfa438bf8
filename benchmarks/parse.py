"""How fast posts are read: cold, warm, and against a full Markdown parse of each.

    python benchmarks/parse.py [--posts 10000]

CPU time, median of the repeats, all in one run. Exit code 1 when a target is missed.
"""

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import frontmatter
from markdown_it import MarkdownIt

from digest.config import Config, parse
from digest.content import read_content

PARSE_TARGET = 3.0  # cold read against frontmatter.loads and a CommonMark parse
WARM_TARGET = 10.0  # warm read against cold
AN_HOUR_AGO = 3_600 * 1_000_000_000  # the cache does not trust a file that has just changed

WORDS = """
the a of to and in for with that is it on as by from at this an be are model agent browser server
compiler prompt context latency release — team index garden kettle weather harbour bridge timetable
ledger courier bakery orchard theatre “quiet” engine platform library review deadline budget
notebook workshop migration schema cache queue worker planner
""".split()  # noqa: SIM905  (nobody reads sixty quoted words)
TAGS = """
ai llm css react python testing devops data career design security rust agents frontend backend
""".split()  # noqa: SIM905


def post(number: int, dice: random.Random) -> str:
    """An invented post; shares and lengths are those of the corpus, several stories in 40 %."""
    stories = dice.randint(2, 6) if dice.random() < 0.4 else 1
    day = f"{2023 + number % 3}-{1 + number % 12:02}-{1 + number % 28:02}"
    tags = " ".join(f"#{tag}" for tag in dice.sample(TAGS, 7))
    head = (
        f'---\ntitle: "{sentence(dice, 9)}"\nexcerpt: "{sentence(dice, 25)}"\n'
        f'publishedAt: "{day}"\nslug: "post-{number}"\nhashtags: "{tags} #generated #en"\n---\n\n'
    )
    paragraphs = 5 if stories == 1 else 3
    body = "\n\n---\n\n".join(story(dice, paragraphs) for _ in range(stories))
    note = f"\n\n---\n\n*{sentence(dice, 22)}*" if dice.random() < 0.2 else ""
    return f"{head}{body}{note}\n"


def story(dice: random.Random, paragraphs: int) -> str:
    """One story: TLDR and takeaways always, tradeoffs in 23 %, why it matters in 30 %."""
    parts = [f"## {sentence(dice, 8)}", f"**TLDR:** {sentence(dice, 37)}", "**Summary:**"]
    parts += [sentence(dice, 80) for _ in range(paragraphs)]
    parts += ["**Key takeaways:**\n" + bullets(dice, dice.randint(3, 5), 13)]
    if dice.random() < 0.23:
        parts += ["**Tradeoffs:**\n" + bullets(dice, 2, 16)]
    if dice.random() < 0.3:
        parts += [f"**Why do I care:**\n\n{sentence(dice, 60)}"]
    parts += [f"**Link:** [{sentence(dice, 7)}](https://example.com/{dice.randint(1, 10**9)})"]
    return "\n\n".join(parts)


def bullets(dice: random.Random, count: int, words: int) -> str:
    """A list without a blank line before it."""
    return "\n".join(f"- {sentence(dice, words)}" for _ in range(count))


def sentence(dice: random.Random, words: int) -> str:
    """Invented words, some marked up, ending in a full stop."""
    chosen = dice.choices(WORDS, k=words)
    if words > 30:
        chosen[7], chosen[19] = f"**{chosen[7]}**", f"`{chosen[19]}`"
    return " ".join(chosen).capitalize() + "."


def project(folder: Path, posts: int) -> Config:
    """A project with that many posts, an hour old."""
    dice = random.Random(7)
    content = folder / "content"
    content.mkdir()
    then = time.time_ns() - AN_HOUR_AGO
    for number in range(posts):
        file = content / f"{number % 28:02}-post-{number}.md"
        file.write_text(post(number, dice), encoding="utf-8")
        os.utime(file, ns=(then, then))
    source = '[newsletter]\nname = "Bench"\nsender = "a@example.com"\npostal_address = "Street 1"\n'
    return parse(source, folder / "digest.toml", {})


def full_parse(folder: Path) -> None:
    """What a reader without a scanner does: front matter and a CommonMark parse of every file."""
    markdown = MarkdownIt("commonmark")
    for file in sorted((folder / "content").iterdir()):
        markdown.parse(frontmatter.loads(file.read_text(encoding="utf-8")).content)


def cpu(work: Callable[[], object], repeats: int, before: Callable[[], object]) -> float:
    """Median CPU seconds of `work`, with `before` run ahead of each, unmeasured."""
    taken = []
    for _ in range(repeats):
        before()
        gc.collect()
        start = time.process_time()
        result = work()
        taken.append(time.process_time() - start)
        del result  # freeing what was read is not reading
    return statistics.median(taken)


def row(name: str, seconds: float, posts: int, ratio: float = 0.0, target: float = 0.0) -> bool:
    """Print one line of the table; True when its target is met."""
    met = ratio >= target
    verdict = f"{ratio:6.1f}×  ≥ {target:g}×  {'ok' if met else 'MISSED'}" if target else ""
    print(f"{name:<28}{seconds / posts * 1e6:9.1f} µs{posts / seconds:11,.0f}/s  {verdict}")
    return met


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
        config = project(folder, options.posts)
        cache = folder / ".digest" / "cache" / "content.jsonl"

        def nothing() -> None:
            pass

        def forget() -> None:
            cache.unlink(missing_ok=True)

        stories = len(read_content(config).stories)
        full = cpu(lambda: full_parse(folder), 1, nothing)
        cold = cpu(lambda: read_content(config), options.repeats, forget)
        warm = cpu(lambda: read_content(config), options.repeats, nothing)
        assert len(read_content(config).stories) == stories
        print(f"{options.posts:,} posts, {stories:,} stories, CPU time a post\n")
        row("full Markdown parse", full, options.posts)
        met = row("cold read", cold, options.posts, full / cold, PARSE_TARGET)
        met &= row("warm read (cache)", warm, options.posts, cold / warm, WARM_TARGET)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
