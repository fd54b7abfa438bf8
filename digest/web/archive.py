"""The archive: every public issue as a page, by year and by tag."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.hashtags import fold
from digest.models import Story, Visibility
from digest.store.archive import ArchivedIssue
from digest.translations import Translations, translations
from digest.web import feeds
from digest.web.kept import Kept, indexed
from digest.web.looks import language, page
from digest.web.site import Site
from digest.web.telling import (
    ARCHIVE,
    Telling,
    card,
    for_everybody,
    issue_path,
    tag_path,
    telling,
)
from digest.web.visits import Visit, route

NEWEST = 12  # issues on the first page
PAGE = 40  # stories of a tag on one page
TAGS = 60  # on the first page, most used first
_LAST = 10_000  # no tag has so many pages


def routes(site: Site) -> list[BaseRoute]:
    kept = Kept(site)
    pages = ArchivePages(site, kept)
    return [
        *feeds.routes(site, kept),
        route(site, ARCHIVE, pages.front),
        route(site, f"{ARCHIVE}/{{year:int}}", pages.year),
        route(site, f"{ARCHIVE}/tag/{{tag:path}}", pages.tag),
        route(site, f"{ARCHIVE}/{{issue}}", pages.issue),
    ]


class ArchivePages:
    """The pages of one site."""

    def __init__(self, site: Site, kept: Kept) -> None:
        self._site, self._kept = site, kept
        self._archive = site.store.archive
        self._default = site.config.archive.visibility

    def front(self, visit: Visit) -> Response:
        """The newest issues, the years and the tags."""

        def make() -> Response:
            issues = self._archive.issues(self._default)
            tags = self._archive.tags(self._default)[:TAGS]
            shown = [(tag.name, tag.stories, self._path(tag_path(tag.key))) for tag in tags]
            return self._list(visit, issues, issues[:NEWEST], None, shown)

        return self._answer(visit, make)

    def year(self, visit: Visit) -> Response:
        """Every issue of a year."""
        wanted = int(visit.request.path_params["year"])

        def make() -> Response:
            issues = self._archive.issues(self._default)
            found = [issue for issue in issues if self._year_of(issue) == wanted]
            if not found:
                raise HTTPException(404)
            return self._list(visit, issues, found, wanted, ())

        return self._answer(visit, make)

    def tag(self, visit: Visit) -> Response:
        """The stories of a tag, newest first."""
        key, number = fold(str(visit.request.path_params["tag"])), _page_number(visit)
        first = PAGE * (number - 1)

        def make() -> Response:
            told = self._archive.told(self._default, key, limit=PAGE + 1, skip=first)
            if not key or not told:
                raise HTTPException(404)
            tr = self._words(visit)
            days = [
                (
                    self._path(issue_path(issue.id)),
                    self._date(issue, tr),
                    [card(one.story, tr, self._site) for one in group],
                )
                for issue, group in groupby(told[:PAGE], key=lambda one: one.issue)
            ]
            names = (tag for one in told for tag in one.story.tags if fold(tag) == key)
            values = {
                "name": next(names),
                "days": days,
                "number": number,
                "here": self._path(tag_path(key)),
                "further": len(told) > PAGE,
            }
            return self._page(visit, "archive-tag.html", tag_path(key), values)

        return self._answer(visit, make, f"page {number}")

    def issue(self, visit: Visit) -> Response:
        """One issue."""
        name = str(visit.request.path_params["issue"])

        def make() -> Response:
            found = self._archive.find(name, self._default)
            stories = self._archive.stories(found.number) if found else ()
            if found is None or not stories:
                raise HTTPException(404)
            told = self._tell(found, stories, self._words(visit))
            public = found.visibility is Visibility.PUBLIC
            values = {
                "told": told,
                "own": False,
                "public": public,
                **self._neighbours(found, visit),
            }
            return self._page(visit, "issue.html", issue_path(found.id), values, public)

        return self._answer(visit, make)

    def _answer(self, visit: Visit, make: Callable[[], Response], what: str = "") -> Response:
        request = visit.request
        code = language(request, self._site)
        return self._kept.answer(request, "\0".join((request.url.path, code, what)), make)

    def _list(
        self,
        visit: Visit,
        every: Sequence[ArchivedIssue],
        shown: Sequence[ArchivedIssue],
        year: int | None,
        tags: Sequence[tuple[str, int, str]],
    ) -> Response:
        """A list of issues, with the years there are."""
        tr = self._words(visit)
        stories = self._archive.stories_of([issue.number for issue in shown])
        entries = [
            (self._path(issue_path(issue.id)), self._tell(issue, stories[issue.number], tr))
            for issue in shown
            if issue.number in stories
        ]
        years = sorted({self._year_of(issue) for issue in every}, reverse=True)
        here = f"{ARCHIVE}/{year}" if year else ARCHIVE
        values = {"entries": entries, "years": years, "year": year, "tags": tags}
        return self._page(visit, "archive.html", here, values)

    def _page(
        self, visit: Visit, template: str, address: str, values: dict[str, Any], index: bool = True
    ) -> Response:
        canonical = self._site.config.newsletter.base_url + address
        answer = page(visit.request, template, canonical=canonical, **values)
        return indexed(answer) if index else answer

    def _tell(self, issue: ArchivedIssue, stories: Sequence[Story], tr: Translations) -> Telling:
        return telling(for_everybody(stories, tr.code), issue.cadence, issue.due, tr, self._site)

    def _neighbours(self, issue: ArchivedIssue, visit: Visit) -> dict[str, Any]:
        """The issues of the same cadence before and after, for who leafs through them."""
        tr = self._words(visit)
        same = [one for one in self._archive.issues(self._default) if one.cadence is issue.cadence]
        earlier = next((one for one in same if one.due < issue.due), None)
        later = next((one for one in reversed(same) if one.due > issue.due), None)
        return {
            name: (self._path(issue_path(one.id)), self._date(one, tr)) if one else None
            for name, one in (("earlier", earlier), ("later", later))
        }

    def _words(self, visit: Visit) -> Translations:
        return translations(language(visit.request, self._site))

    def _date(self, issue: ArchivedIssue, tr: Translations) -> str:
        return tr.format_date(issue.due, self._site.config.newsletter.timezone)

    def _year_of(self, issue: ArchivedIssue) -> int:
        return issue.due.astimezone(self._site.config.newsletter.timezone).year

    def _path(self, path: str) -> str:
        return self._site.path + path


def _page_number(visit: Visit) -> int:
    text = visit.request.query_params.get("page", "1")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 1 <= number <= _LAST:
        raise HTTPException(404)
    return number
