"""Atom and JSON feeds, the sitemap and robots.txt.

A feed holds stories, not issues: a story that a daily, a weekly and a monthly issue held comes
once. They are in the newsletter's language, whoever asks.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from io import StringIO
from urllib.parse import quote
from xml.sax.saxutils import escape

from feedgenerator import Atom1Feed
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from digest.hashtags import fold
from digest.inline import plain
from digest.store.archive import ToldStory
from digest.translations import translations
from digest.web.kept import Kept, indexed
from digest.web.looks import environment
from digest.web.site import Site
from digest.web.telling import ARCHIVE, FEEDS, Card, anchor, card, issue_path, tag_path
from digest.web.visits import Visit, route

_SITEMAP = 50_000  # addresses: the most that one file may hold (sitemaps.org)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Where links of mails lead: nothing there is for a search engine.
_OWN = ("approve", "b", "c", "d", "f", "g", "i", "m", "p", "u", "webhooks")


def routes(site: Site, kept: Kept) -> list[BaseRoute]:
    feeds = Feeds(site, kept)
    return [
        route(site, f"{ARCHIVE}/tag/{{tag:path}}/{FEEDS['atom']}", feeds.atom),
        route(site, f"{ARCHIVE}/tag/{{tag:path}}/{FEEDS['json']}", feeds.json),
        route(site, f"{ARCHIVE}/{FEEDS['atom']}", feeds.atom),
        route(site, f"{ARCHIVE}/{FEEDS['json']}", feeds.json),
        route(site, "/sitemap.xml", feeds.sitemap),
        route(site, "/robots.txt", feeds.robots),
    ]


class Feeds:
    """What other programs read of one site."""

    def __init__(self, site: Site, kept: Kept) -> None:
        self._site, self._kept = site, kept
        self._base = site.config.newsletter.base_url
        self._archive, self._default = site.store.archive, site.config.archive.visibility
        self._tr = translations(site.config.newsletter.language)

    def atom(self, visit: Visit) -> Response:
        """RFC 4287."""
        return self._feed(visit, self._atom)

    def json(self, visit: Visit) -> Response:
        """JSON Feed 1.1."""
        return self._feed(visit, self._json)

    def sitemap(self, visit: Visit) -> Response:
        """Every page that a search engine may show."""

        def make() -> Response:
            issues = self._archive.issues(self._default)
            pages = [(issue_path(issue.id), issue.due) for issue in issues]
            newest = issues[0].due if issues else None
            zone = self._site.config.newsletter.timezone
            newest_of = {issue.due.astimezone(zone).year: issue.due for issue in reversed(issues)}
            years = [(f"{ARCHIVE}/{year}", at) for year, at in newest_of.items()]
            first = [("/", newest), (ARCHIVE, newest)]
            tags = [(tag_path(tag.key), newest) for tag in self._archive.tags(self._default)]
            urls = "".join(
                f"<url><loc>{escape(self._base + path)}</loc>{_changed(at)}</url>\n"
                for path, at in [*first, *pages, *years, *tags][:_SITEMAP]
            )
            text = (
                '<?xml version="1.0" encoding="utf-8"?>\n'
                f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
            )
            return indexed(Response(text, media_type="application/xml"))

        return self._kept.answer(visit.request, visit.request.url.path, make)

    def robots(self, visit: Visit) -> Response:
        """The archive is for everybody, a reader's own pages are not."""
        closed = "".join(f"Disallow: {self._site.path}/{name}/\n" for name in _OWN)
        text = f"User-agent: *\n{closed}\nSitemap: {self._base}/sitemap.xml\n"
        headers = {"Cache-Control": "public, max-age=3600"}
        return indexed(Response(text, media_type="text/plain", headers=headers))

    def _feed(
        self, visit: Visit, write: Callable[[str, str, Sequence[ToldStory]], Response]
    ) -> Response:
        key = fold(str(visit.request.path_params.get("tag", "")))
        tagged = "tag" in visit.request.path_params

        def make() -> Response:
            most = self._site.config.archive.feed_stories
            told = self._archive.told(self._default, key, limit=most)
            if tagged and not (key and told):
                raise HTTPException(404)
            answer = write(key, _spelling(told, key), told)
            # anybody's program may read a feed, also one that runs in another page
            answer.headers["Access-Control-Allow-Origin"] = "*"
            answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            return indexed(answer)

        return self._kept.answer(visit.request, visit.request.url.path, make)

    def _title(self, name: str) -> str:
        newsletter = self._site.config.newsletter.name
        return f"{newsletter}: #{name}" if name else newsletter

    def _home(self, key: str) -> str:
        return self._base + (tag_path(key) if key else ARCHIVE)

    def _atom(self, key: str, name: str, told: Sequence[ToldStory]) -> Response:
        newsletter, home = self._site.config.newsletter, self._home(key)
        feed = _Atom(
            self._title(name),
            home,
            "",
            language=newsletter.language,
            author_name=newsletter.sender_name or newsletter.name,
            feed_url=f"{home}/{FEEDS['atom']}",
            feed_guid=f"{home}/{FEEDS['atom']}",
        )
        for one in told:
            shown = self._card(one)
            feed.add_item(
                plain(shown.view.title),
                self._link(one),
                plain(shown.view.tldr),
                content=self._content(shown),
                pubdate=one.issue.due,
                unique_id=self._id(one),
                categories=shown.view.tags,
            )
        text = StringIO()
        feed.write(text, "utf-8")
        return Response(text.getvalue(), media_type=Atom1Feed.content_type)

    def _json(self, key: str, name: str, told: Sequence[ToldStory]) -> Response:
        newsletter, home = self._site.config.newsletter, self._home(key)
        return JSONResponse(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": self._title(name),
                "home_page_url": home,
                "feed_url": f"{home}/{FEEDS['json']}",
                "language": newsletter.language,
                "authors": [{"name": newsletter.sender_name or newsletter.name}],
                "items": [self._item(one) for one in told],
            },
            media_type="application/feed+json",
        )

    def _item(self, one: ToldStory) -> dict[str, object]:
        shown = self._card(one)
        item: dict[str, object] = {
            "id": self._id(one),
            "url": self._link(one),
            "title": plain(shown.view.title),
            "summary": plain(shown.view.tldr),
            "content_html": self._content(shown),
            "date_published": one.issue.due.astimezone(UTC).isoformat(),
            "tags": list(shown.view.tags),
            "language": one.story.language,
        }
        return item | ({"external_url": shown.view.href} if shown.view.href else {})

    def _card(self, one: ToldStory) -> Card:
        return card(one.story, self._tr, self._site)

    def _content(self, shown: Card) -> str:
        return environment(self._tr.code).get_template("feed-story.html").render(card=shown)

    def _link(self, one: ToldStory) -> str:
        return f"{self._base}{issue_path(one.issue.id)}#{quote(anchor(one.story))}"

    def _id(self, one: ToldStory) -> str:
        """A tag URI (RFC 4151): the same wherever the story is shown, and for ever."""
        year = one.story.published.astimezone(UTC).year
        return f"tag:{self._site.host},{year}:{quote(one.story.id)}"


class _Atom(Atom1Feed):  # type: ignore[misc]  # it has no types
    def latest_post_date(self) -> datetime:
        """Of the newest entry; of a feed without any the library says "now", every time anew."""
        return max((item["pubdate"] for item in self.items), default=_LONG_AGO)


def _changed(at: datetime | None) -> str:
    """When a page of the sitemap changed last; nothing before the first issue."""
    return f"<lastmod>{at.astimezone(UTC):%Y-%m-%d}</lastmod>" if at else ""


def _spelling(told: Sequence[ToldStory], key: str) -> str:
    tags = (tag for one in told for tag in one.story.tags if key and fold(tag) == key)
    return next(tags, "")
