"""A small newsletter in a folder, for tests of whole commands."""

from dataclasses import dataclass
from pathlib import Path

SETTINGS = """\
[newsletter]
name = "Platform Weekly"
sender = "news@example.com"
postal_address = "Example Ltd, 1 High Street, Dublin"
timezone = "Europe/Dublin"

[content]
url = "https://blog.example.com/{slug}/"

[tags.aliases]
k8s = "kubernetes"

[personas.ana]
tags = ["ai", "python"]
"""

POST = """\
---
title: "{title}"
publishedAt: "{published}"
slug: "{slug}"
hashtags: "{tags}"
---

## {title}

**TLDR:** What happened with {slug}, in one sentence.

**Key takeaways:**
- The first thing
- The second thing

**Link:** [The original](https://example.com/{slug})
"""

LIST = """\
email,name,tags,muted,cadence,language
ana@example.com,Ana,ai python,,weekly,en
bo@example.com,Bo,kubernetes,,weekly,
cy@example.com,,*,ai,weekly,
di@example.com,Di,*,,monthly,
ed@example.com,Ed,gardening,,weekly,
"""


@dataclass
class Project:
    """The folder, and ways to change it."""

    root: Path

    def post(self, slug: str, *, tags: str = "#ai", published: str = "2026-11-16", **more: str):
        """Write one post with one story; `title` may be given."""
        fields = {"title": f"About {slug}", "slug": slug, "tags": tags, "published": published}
        self.write(f"content/{slug}.md", POST.format(**(fields | more)))

    def write(self, path: str, text: str) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place


def make_project(root: Path) -> Project:
    """Three posts in the window that closed on 2026-11-19, one before it, five subscribers."""
    project = Project(root)
    project.write("digest.toml", SETTINGS)
    project.write("subscribers/list.csv", LIST)
    project.post("agents", tags="#ai #python #generated #en")
    project.post("ferry", tags="#k8s #en", published="2026-11-17")
    project.post("tables", tags="#accessibility #en", published="2026-11-18")
    project.post("old", tags="#ai #en", published="2026-11-02")
    return project
