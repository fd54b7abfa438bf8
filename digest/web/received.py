"""What a reader's own links show: the edition they were sent, and whether it was useful.

The link to an edition is the one that people pass on. So its page holds nothing of the reader: no
address, no token, no way to their preferences, and it cannot be used to vote.
"""

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from digest.errors import TokenError
from digest.models import Preferences
from digest.tokens import Purpose, verify
from digest.translations import translations
from digest.web.looks import page
from digest.web.site import Site
from digest.web.telling import issue_path, telling
from digest.web.visits import Visit, route

_SAID = {"yes": True, "no": False}


def routes(site: Site) -> list[BaseRoute]:
    return [
        route(site, "/i/{issue}/{token}", _view),
        route(site, "/f/{issue}/{token}", _ask, _count),
    ]


def _view(visit: Visit) -> Response:
    """The reader's edition; the public page where nobody was sent one, as after a test."""
    site, name = visit.site, _issue(visit)
    person = _person(visit, Purpose.VIEW)
    own = site.store.archive.own(name, person)
    if own is None or not own.stories:
        if site.store.archive.find(name, site.config.archive.visibility) is None:
            raise TokenError("this link is not valid")
        return RedirectResponse(site.path + issue_path(name), 302)
    tr = translations(own.language)
    told = telling(own.stories, own.issue.cadence, own.issue.due, tr, site, own.more)
    spoken = Preferences(languages=(own.language,))
    return page(visit.request, "issue.html", reader=spoken, told=told, own=True, public=False)


def _ask(visit: Visit) -> Response:
    """Two buttons. Programs that follow every link of a mail come as far as this."""
    person = _known(visit)
    said = visit.site.store.feedback.of(_issue(visit), person)
    return _page(visit, person, said, counted=False)


def _count(visit: Visit) -> Response:
    person, name = _known(visit), _issue(visit)
    said = _SAID.get(visit.text("useful"))
    if said is None:
        before = visit.site.store.feedback.of(name, person)
        return _page(visit, person, before, counted=False, status=422)
    visit.site.store.feedback.vote(name, person, said, visit.site.now())
    return _page(visit, person, said, counted=True)


def _page(
    visit: Visit, person: int, said: bool | None, *, counted: bool, status: int = 200
) -> Response:
    site = visit.site
    found = site.store.subscriptions.get(person)
    reader = found.subscriber.preferences if found else None
    archived = site.store.archive.find(_issue(visit), site.config.archive.visibility)
    tr = visit.translations(reader)
    date = tr.format_date(archived.due, site.config.newsletter.timezone) if archived else ""
    return page(
        visit.request,
        "feedback.html",
        status=status,
        reader=reader,
        said=said,
        counted=counted,
        date=date,
        archived=site.path + issue_path(archived.id) if archived else "",
    )


def _known(visit: Visit) -> int:
    """The reader of the link, who was sent the issue. TokenError for anybody else."""
    person = _person(visit, Purpose.FEEDBACK)
    if not visit.site.store.feedback.known(_issue(visit), person):
        raise TokenError("this link is not valid")
    return person


def _person(visit: Visit, purpose: Purpose) -> int:
    site = visit.site
    return verify(site.keys, purpose, visit.token, now=site.now(), context=_issue(visit))


def _issue(visit: Visit) -> str:
    return str(visit.request.path_params["issue"])
