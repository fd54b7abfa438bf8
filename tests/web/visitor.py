"""A reader with a browser, who can be led to every state of every page."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

from playwright.sync_api import Locator, Page
from playwright.sync_api import Response as PageResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from digest.clicks import CountedLink, code_of
from digest.errors import StoreError
from digest.models import SuppressionReason, Visibility
from digest.store.links import write_links
from digest.tokens import APPROVAL_PATH, Purpose
from digest.translations import translations
from digest.web import routes
from digest.web.archive import PAGE
from digest.web.guards import MOST
from tests.newsletter import STORIES, WIDE
from tests.project import Project
from tests.store.sending import draft_of, frozen
from tests.stories import story
from tests.web.conftest import Pages
from tests.web.issues import link, sent, weekly

ASKER = "127.0.0.1"
LONG_TAG = "a-tag-that-is-longer-than-any-tag-should-be-and-goes-on-and-on"
RTL = story("rtl", "עברית", title="איך מודדים זמן תגובה", tldr="ממוצע מסתיר הכול.", language="he")


class Visitor:
    """One browser at one site. What it presses are the English words, in the page's language."""

    numbers = count()

    def __init__(self, page: Page, base: str, pages: Pages, language: str = "en") -> None:
        self.page, self.base, self.pages = page, base, pages
        self.asked: set[tuple[str, str]] = set()  # method and route of each page that was opened
        self.sent: PageResponse | None = None  # the bytes of the page that is shown
        self._words = translations(language).gettext
        self._spoken = {"accept-language": language}
        page.on("response", self._note)

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=self._words(words), exact=True).last.click()

    def field(self, words: str) -> Locator:
        return self.page.get_by_label(self._words(words))

    def tick(self, words: str) -> None:
        self.field(words).first.check()

    def somebody(self, **wanted):
        return self.pages.reader(self._address(), **wanted)

    def token(self, letter: str, purpose: Purpose, person) -> str:
        lasting = {"expires": self.pages.clock() + timedelta(hours=1)}
        bounds = {} if purpose is Purpose.UNSUBSCRIBE else lasting
        return self.pages.path(letter, purpose, person.id, **bounds)

    def states(self) -> Iterator[str]:
        """Each state by its name, when the page shows it."""
        parts = (
            *(self.subscribing, self.confirming, self.choosing, self.choosing_among_many),
            *(self.coming_back, self.owning, self.leaving, self.archiving, self.reading),
            *(self.editing, self.failing, self.asking_too_often),
        )
        for part in parts:
            yield from part()

    def subscribing(self) -> Iterator[str]:
        self._show("/", self.pages.configured(sign_up=False).get("/", headers=self._spoken))
        yield "subscribe-closed"
        self._show("/", self.pages.counting().get("/", headers=self._spoken))
        yield "subscribe-counted"
        self.open("/")
        yield "subscribe"
        self.press("Subscribe")
        yield "subscribe-wrong"
        self._ask_for_it("gmail.com")
        yield "check-inbox"
        mailed = self.pages.link()
        self.open(mailed)
        yield "confirm"
        self.press("Confirm my subscription")
        yield "confirmed"
        self.open(mailed)
        yield "confirmed-already"

    def confirming(self) -> Iterator[str]:
        """What else may become of a request."""
        self._ask_for_it()
        self.open(self.pages.link())
        self.press("Delete my address")
        yield "forgotten"
        address = self._ask_for_it()
        self.open(self.pages.link())
        now = self.pages.clock()
        self.pages.store.suppressions.add(address, SuppressionReason.MANUAL, now, "test")
        self.press("Confirm my subscription")
        yield "confirm-refused"
        address = self._ask_for_it()
        mailed = self.pages.link()
        self.open(mailed)
        self.press("Confirm my subscription")
        found = self.pages.store.subscriptions.find(address)
        assert found is not None
        self.pages.store.subscriptions.unsubscribe(found.subscriber.id, now, "test")
        self.open(mailed)
        yield "confirmed-once"

    def choosing(self) -> Iterator[str]:
        ana = self.somebody(muted=("accessibility",))
        path = self.token("p", Purpose.PREFERENCES, ana)
        self.open(path)
        yield "preferences"
        self.press("See what you would get")
        yield "preferences-look"
        self.field("Take a break").select_option("14")
        self.press("Save")
        yield "preferences-saved"
        while (ticked := self.page.locator("input[name=tag]:checked")).count():
            ticked.first.uncheck()
        self.press("Save")
        yield "preferences-wrong"
        path = self.token("p", Purpose.PREFERENCES, self.somebody(tags=("gardening",)))
        self.open(path)
        self.press("See what you would get")
        yield "preferences-nothing"
        for end in ("mailed", "mailed-before"):
            self.open(path)
            self.press("Email me that link")
            yield f"preferences-{end}"

    def choosing_among_many(self) -> Iterator[str]:
        """Sixty topics, of which one is long and one runs from right to left."""
        tags = [LONG_TAG, RTL.tags[0], *(f"topic-{n}" for n in range(58))]
        project = Project(Path(self.pages.config.root))
        for tag in tags:
            project.post(f"about-{tag}", tags=f"#{tag} #en")
        many = Pages(self.pages.config, self.pages.store, self.pages.clock)  # reads them anew
        ana = self.somebody(tags=tuple(tags[::5]), muted=(tags[1],))
        path = many.path("p", Purpose.PREFERENCES, ana.id)
        for name, at in (("subscribe-many", "/"), ("preferences-many", path)):
            self._show(at, many.get(at, headers=self._spoken))
            yield name

    def coming_back(self) -> Iterator[str]:
        """Preferences of who gets no mail."""
        bounced, complained, left = self.somebody(), self.somebody(), self.somebody()
        store, now = self.pages.store, self.pages.clock()
        store.suppressions.add(bounced.email, SuppressionReason.BOUNCED, now, "test")
        store.suppressions.add(complained.email, SuppressionReason.COMPLAINED, now, "test")
        store.subscriptions.unsubscribe(left.id, now, "test")
        people = {"bounced": bounced, "complained": complained, "left": left}
        for name, person in people.items():
            self.open(self.token("p", Purpose.PREFERENCES, person))
            yield f"preferences-{name}"

    def owning(self) -> Iterator[str]:
        self.open("/link")
        yield "link"
        self.press("Email me the link")
        yield "link-wrong"
        ana = self.somebody()
        self.open(self.token("d", Purpose.OWN, ana))
        yield "own"
        self.press("Change my address")
        yield "own-wrong"
        for end in ("moved", "not-moved"):
            self.open(self.token("d", Purpose.OWN, ana))
            address = self._address("new")
            self.field("New email address").fill(address)
            self.press("Change my address")
            self.open(self.pages.link())
            if end == "moved":
                yield "move"
            else:
                self.pages.reader(address)
            self.press("Yes, move my subscription here")
            yield end
        left = self.somebody()
        self.pages.store.subscriptions.unsubscribe(left.id, self.pages.clock(), "test")
        self.open(self.token("d", Purpose.OWN, left))
        self.field("New email address").fill(self._address("new"))
        self.press("Change my address")
        self.open(self.pages.link())
        yield "move-of-who-left"
        self.press("Yes, this is my new address")
        yield "moved-who-left"
        self.open(self.token("d", Purpose.OWN, ana))
        self.press("Delete everything now")
        yield "deleted"

    def leaving(self) -> Iterator[str]:
        self.open(self.token("u", Purpose.UNSUBSCRIBE, self.somebody()))
        yield "unsubscribe"
        self.press("Unsubscribe")
        yield "unsubscribed"
        self.press("Undo: keep my subscription")
        yield "back"
        gone = self.somebody()
        self.pages.store.subscriptions.erase(gone.id, self.pages.clock(), "test")
        self.open(self.token("u", Purpose.UNSUBSCRIBE, gone))
        yield "unsubscribed-before"

    def archiving(self) -> Iterator[str]:
        self.open("/archive")
        yield "archive-empty"
        issue = sent(self.pages, (*STORIES, WIDE, RTL, story("long", LONG_TAG)))
        many = tuple(story(f"many{n}", "many") for n in range(PAGE + 1))
        sent(self.pages, many, weekly(1))
        places = {
            "archive": "/archive",
            "archive-year": "/archive/2026",
            "archive-tag": "/archive/tag/postgres",
            "archive-long-tag": f"/archive/tag/{LONG_TAG}",
            "archive-right-to-left": "/archive/tag/עברית",
            "archive-second-page": "/archive/tag/many?page=2",
            "issue": f"/archive/{issue.id}",
        }
        for name, place in places.items():
            self.open(place)
            yield name
        self.pages.store.archive.say(issue.id, Visibility.UNLISTED, self.pages.clock())
        self.open(f"/archive/{issue.id}")
        yield "issue-unlisted"
        url = f"{self.base}/archive/2026"
        with self.pages.store.database.writing() as connection:
            write_links(connection, issue.id, [CountedLink(code_of(url), url, ())])
        self.open(f"/g/{issue.id}/{code_of(url)}")
        assert self.page.url == url
        yield "followed-link"

    def reading(self) -> Iterator[str]:
        """What a reader's own links in an issue lead to."""
        self.open(link(self.pages, Purpose.VIEW))
        yield "own-edition"
        self.open(link(self.pages, Purpose.FEEDBACK))
        yield "feedback"
        self.press("Yes, useful")
        yield "feedback-yes"
        self.press("No, not this time")
        yield "feedback-no"

    def editing(self) -> Iterator[str]:
        """The plans that an editor is asked about, in the language of the newsletter."""
        schedule = self.pages.store.schedule
        for weeks, (word, end) in enumerate(
            {"Let it go out": "approved", "Hold it": "held"}.items(), start=2
        ):
            stories = tuple(replace(one, id=f"{one.id}-{weeks}") for one in STORIES)
            draft = draft_of(Path(self.pages.config.root), stories, weekly(weeks))
            number = frozen(self.pages.store, draft).issue.number
            schedule.require(number, "an editor approves every issue")
            path = self.pages.path(APPROVAL_PATH.strip("/"), Purpose.APPROVE, number)
            self.open(path)
            yield f"approval-{weeks}"
            self.page.get_by_role("button", name=word, exact=True).click()
            yield f"approval-{end}-now"
            self.open(path)
            yield f"approval-{end}"
        self.open(self.pages.path(APPROVAL_PATH.strip("/"), Purpose.APPROVE, 10**9))
        yield "approval-of-nothing"

    def failing(self) -> Iterator[str]:
        for name, path in (("bad-link", "/p/x"), ("not-found", "/nowhere")):
            self.open(path)
            yield name
        self._show("/", self.pages.client.put("/", headers=self._spoken))
        yield "not-allowed"
        too_much = {"email": "x" * MOST}
        self._show("/", self.pages.client.post("/", data=too_much, headers=self._spoken))
        yield "too-large"
        for name, error in (("busy", StoreError("locked")), ("broken", ZeroDivisionError())):
            self._breaking(f"/{name}", error)
            self.open(f"/{name}")
            yield name

    def asking_too_often(self) -> Iterator[str]:
        """Comes last: nothing is mailed after it."""
        for _ in range(self.pages.config.web.mails_an_hour + 1):
            try:
                self.pages.site.restraint.mail(ASKER)
            except HTTPException:
                break
        self.open("/link")
        self.field("Email address").fill(self._address())
        self.pages.clock.pass_(seconds=5)
        self.press("Email me the link")
        yield "too-often"

    def _address(self, who: str = "ana", at: str = "example.com") -> str:
        return f"{who}{next(self.numbers)}@{at}"

    def _ask_for_it(self, at: str = "example.com") -> str:
        """The form for new subscribers, filled in and sent; gives the address."""
        address = self._address("eve", at)
        self.open("/")
        self.field("Email address").fill(address)
        self.tick("Only the topics I pick")
        self.tick("python")
        self.tick("Once a week")
        self.pages.clock.pass_(seconds=5)
        self.press("Subscribe")
        return address

    def _show(self, path: str, answer) -> None:
        """An answer to what no browser sends, or of a site that is set up otherwise."""
        url = self.base + path
        own = {"status": answer.status_code, "headers": dict(answer.headers)}
        self.page.route(url, lambda route: route.fulfill(body=answer.content, **own), times=1)
        self.open(path)

    def _breaking(self, path: str, error: Exception) -> None:
        def fail(request) -> Response:
            raise error

        self.pages.app.router.routes.insert(0, Route(path, fail))

    def _note(self, response: PageResponse) -> None:
        request = response.request
        if request.is_navigation_request() and request.url.startswith(self.base):
            self.sent = response
            path = request.url.removeprefix(self.base).partition("?")[0].partition("#")[0]
            self.asked.add((request.method, route_of(self.pages, request.method, path)))


def route_of(pages: Pages, method: str, path: str) -> str:
    """The route that answers; empty when there is none."""
    scope = {"type": "http", "method": method, "path": path, "root_path": ""}
    found = (one for one in routes(pages.site) if one.matches(scope)[0] is Match.FULL)
    return next((one.path for one in found if isinstance(one, Route)), "")
