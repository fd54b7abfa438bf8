"""docs/checks.md, made of the registry: `python -m tests.checks_page` writes it anew."""

import re
from itertools import groupby
from pathlib import Path

from digest.checks import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "checks.md"
HEAD = """\
# Checks

`digest check`, `digest plan` and `digest send` look at the same things, and the preview shows
them. An **error** blocks a real send until it is mended or allowed by its id
(`digest send … --allow link/dead`, which is recorded); a **warning** is told; an **info** is told
with `-v`. `digest check --explain ID` says the same as this page, which
`python -m tests.checks_page` makes.

Ids never change. `--format` gives findings as text, JSON, SARIF 2.1.0 or GitHub's annotations.
[deploy/content-check.yml](deploy/content-check.yml) is a ready workflow for the repository of your
posts: it marks the lines of a pull request, and says of each changed post who will get it and when.

Nothing is fetched unless you say `--online`; then each link of the posts you name, or of the
newest issue and the pictures of its mail, is asked for once, gently, and addresses in private
networks never: a name is looked up once, each of its addresses must be public, the connection goes
to that very address, and redirects pass the same gate.

## What needs no check

- **Nobody gets a story twice, and a story of the future goes to nobody.** The store notes when each
  story became part of the newsletter and what each reader was sent; an issue is planned from that
  ([delivery-guarantees.md](delivery-guarantees.md)). `front-matter/date` refuses far dates.
- **Look at the largest and the smallest edition before a first send.** Nobody writes down
  what you looked at, so nothing could be checked. `digest plan` names the editions and their sizes,
  the studio ([studio.md](studio.md)) shows each, `digest render --matrix` draws them, and
  `digest test-send` mails one to you.
- **What an author pastes breaks no layout.** HTML in posts
  is shown and not run (`content/html`), so that only templates can use what a program breaks
  (`rendering/support`).
"""


def shown(text: str) -> str:
    """As Markdown shows it: a tag outside code is text."""
    return re.sub(r"`[^`]*`|<", lambda match: "\\<" if match[0] == "<" else match[0], text)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for group, rules in groupby(sorted(RULES.values(), key=lambda r: r.group), lambda r: r.group):
        parts.append(f"\n## {group}\n")
        for rule in rules:
            parts.append(
                f"\n**`{rule.id}`** ({rule.severity.value}): {shown(rule.title)}\n"
                f"{shown(rule.why)} {shown(rule.fix)} *({shown(rule.source)})*\n"
            )
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
