"""Which site generator keeps posts in a folder, and at which addresses it publishes them.

Everything but the folder of posts is a best effort; what cannot be told is empty.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path

from digest.errors import DigestError
from digest.scaffold.posts import Posts, most_posts, posts_somewhere
from digest.scaffold.site_settings import (
    Facts,
    facts_of,
    read_settings,
    script_base,
    script_facts,
)

SECTIONS = ("posts", "post", "blog", "articles", "news")

_TOKEN = re.compile(r":([a-z_]+)")
_PERMALINK_TOKENS = {
    **{token: f"{{{token}}}" for token in ("year", "month", "day", "slug")},
    **dict.fromkeys(("title", "slugorfilename", "slugorcontentbasename"), "{slug}"),
    **dict.fromkeys(("filename", "contentbasename"), "{stem}"),
    "categories": "",
    "output_ext": ".html",
}
_JEKYLL_STYLES = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "none": "/:categories/:title:output_ext",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A folder that already holds posts."""

    generator: str  # `Hugo`; empty for a plain folder
    posts: Posts
    facts: Facts
    path: str = ""  # pattern of a post's address under the base URL: `/posts/{slug}/`

    def __str__(self) -> str:
        article = "an" if self.generator.startswith(("A", "E")) else "a"
        kind = f"{article} {self.generator} site" if self.generator else "Markdown posts"
        count = f"{self.posts.count} post{'' if self.posts.count == 1 else 's'}"
        newest = f"newest {self.posts.newest}" if self.posts.newest else "none with a date"
        return f"Found {kind}: {self.posts.folder} ({count}, {newest})"


def detect(folder: Path) -> Site | None:
    """The site in `folder`, or None where there are no dated Markdown posts.

    DigestError when a generator is recognised and its posts are not found.
    """
    for look in (_hugo, _jekyll, _astro, _eleventy, _plain):
        if site := look(folder):
            return site
    return None


def _hugo(folder: Path) -> Site | None:
    stems = ("hugo", "config/_default/hugo", "config", "config/_default/config")
    config = _first(folder, *map(".".join, product(stems, ("toml", "yaml", "yml", "json"))))
    settings = read_settings(config)
    if config is None or (config.stem == "config" and "baseurl" not in settings):
        return None  # other programs have a config.toml too
    facts = facts_of(settings)
    root = str(settings.get("contentdir") or "content")
    sections = [f"{root}/{section}" for section in SECTIONS]
    sections += [f"{root}/{facts.language}/{section}" for section in SECTIONS]
    posts = most_posts(folder, sections) or most_posts(folder, [root])
    if posts is None:
        raise _no_posts("Hugo", folder, [*sections[: len(SECTIONS)], root])
    section = "" if posts.folder == root else posts.folder.rpartition("/")[2]
    return Site("Hugo", posts, facts, _hugo_path(settings.get("permalinks"), section))


def _hugo_path(permalinks: object, section: str) -> str:
    """The default is `/<section>/<slug>/`; `[permalinks]` may say otherwise."""
    if not section:
        return ""  # posts of several sections have several patterns
    table = permalinks if isinstance(permalinks, dict) else {}
    pages = table.get("page")
    own = (pages if isinstance(pages, dict) else table).get(section)
    if not isinstance(own, str):
        return f"/{section}/{{slug}}/"
    return _pattern(re.sub(":sections?\\b", section, own))


def _jekyll(folder: Path) -> Site | None:
    config = _first(folder, "_config.yml", "_config.yaml", "_config.toml")
    if config is None:
        return None
    settings = read_settings(config)
    source = folder / str(settings.get("source") or ".")
    found = chain(source.glob("_posts"), source.glob("[!_.]*/_posts"))
    posts = most_posts(folder, [Path(os.path.relpath(place, folder)).as_posix() for place in found])
    if posts is None:
        raise _no_posts("Jekyll", folder, ["_posts"])
    permalink = str(settings.get("permalink") or "date")
    path = _pattern(_JEKYLL_STYLES.get(permalink, permalink))
    return Site("Jekyll", posts, facts_of(settings), path)


def _astro(folder: Path) -> Site | None:
    config = _first(folder, *(f"astro.config.{kind}" for kind in ("mjs", "ts", "js", "mts", "cjs")))
    if config is None:
        return None
    parents = ("src/content", "src/data", "src/pages")
    places = list(map("/".join, product(parents, SECTIONS)))
    posts = most_posts(folder, places) or most_posts(folder, ["src/content"])
    if posts is None:
        raise _no_posts("Astro", folder, places[: len(SECTIONS)])
    facts = script_facts(
        config, *(folder / "src" / f"{name}.ts" for name in ("consts", "config", "site.config"))
    )
    path = _astro_path(folder, posts.folder)
    return Site("Astro", posts, facts, path and script_base(config) + path)


def _astro_path(folder: Path, posts: str) -> str:
    """Astro's routes are the folders under `src/pages`, whatever the collection is called."""
    routes = [name for name in SECTIONS if (folder / "src/pages" / name).is_dir()]
    collection = posts.rpartition("/")[2]
    named = collection if collection in SECTIONS else ""
    section = routes[0] if len(routes) == 1 else named
    return f"/{section}/{{slug}}/" if section else ""


def _eleventy(folder: Path) -> Site | None:
    names = (".eleventy.js", *(f"eleventy.config.{kind}" for kind in ("js", "mjs", "cjs", "ts")))
    config = _first(folder, *names)
    if config is None:
        return None
    places = ["".join(pair) for pair in product(("", "src/", "content/", "src/content/"), SECTIONS)]
    posts = most_posts(folder, places) or posts_somewhere(folder)
    if posts is None:
        raise _no_posts("Eleventy", folder, places[:2])
    data = product(("_data", "src/_data"), ("metadata", "site"), ("js", "mjs", "cjs", "json"))
    facts = script_facts(*(folder / place / f"{name}.{kind}" for place, name, kind in data))
    path = re.sub(r"^(src/)?(content/)?", "", posts.folder)
    return Site("Eleventy", posts, facts, f"/{path}/{{slug}}/" if path != "." else "/{slug}/")


def _plain(folder: Path) -> Site | None:
    posts = posts_somewhere(folder)
    return Site("", posts, Facts(), "") if posts else None


def _no_posts(generator: str, folder: Path, places: Sequence[str]) -> DigestError:
    return DigestError(
        f"{folder}: this is {generator}, but there are no Markdown posts in {', '.join(places)}",
        hint="write a post first, or run `digest init` in the folder that holds them",
    )


def _first(folder: Path, *names: str) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _pattern(permalink: str) -> str:
    """`/:year/:slug/` as `/{year}/{slug}/`; empty where a token has no counterpart."""
    tokens = _TOKEN.findall(permalink)
    if not tokens or re.search("[{}]", permalink) or not _PERMALINK_TOKENS.keys() >= set(tokens):
        return ""
    filled = _TOKEN.sub(lambda match: _PERMALINK_TOKENS[match[1]], permalink)
    return re.sub("//+", "/", f"/{filled}")
