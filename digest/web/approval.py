"""Where an editor says whether a planned issue goes out. The link is of one plan alone.

A GET shows the plan; only a POST decides, because programs follow the links of a mail.
"""

from starlette.responses import Response
from starlette.routing import BaseRoute

from digest import logs
from digest.dues import closing_zone
from digest.models import Preferences
from digest.scheduler.asking import because, closed, editors_words, left_out, moment, numbers
from digest.store.ledger.records import IssueState, PlannedIssue
from digest.store.schedule.records import Answer
from digest.tokens import APPROVAL_PATH, Purpose
from digest.web.site import Site
from digest.web.visits import Visit, route

_ANSWERS = {"approve": Answer.APPROVED, "hold": Answer.HELD}

_log = logs.get("web")


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, f"{APPROVAL_PATH}/{{token}}", _show, _decide)]


def _show(visit: Visit) -> Response:
    return _page(visit, visit.site.store.ledger.numbered(visit.subject(Purpose.APPROVE)))


def _decide(visit: Visit) -> Response:
    site, number = visit.site, visit.subject(Purpose.APPROVE)
    planned, answer = site.store.ledger.numbered(number), _ANSWERS.get(visit.text("answer"))
    if planned is None or not _open(site, planned):
        return _page(visit, planned, status=409)
    if answer is None:
        return _page(visit, planned, status=422)
    site.store.schedule.answer(number, answer, site.now())
    _log.info("issue.answered", issue=planned.id, answer=answer)
    return _page(visit, planned, decided=True)


def _page(
    visit: Visit, planned: PlannedIssue | None, *, decided: bool = False, status: int = 200
) -> Response:
    """The plan and two buttons; or that there is nothing left to decide."""
    site, tr = visit.site, editors_words(visit.site.config)
    spoken = Preferences(languages=(tr.code,))
    if planned is None:
        return visit.page("approval.html", status=status, reader=spoken, planned=None)
    contents = site.store.ledger.contents(planned.number)
    titles = {story.id: story.title for story in site.store.archive.stories(planned.number)}
    approval = site.store.schedule.approval(planned.number)
    skipped = site.store.schedule.skipped(planned.id)
    return visit.page(
        "approval.html",
        status=status,
        reader=spoken,
        planned=planned,
        open=_open(site, planned),
        skipped=skipped.reason if skipped else "",
        closed=closed(planned.state, tr),
        decided=decided,
        answer=approval.answer.value if approval else "",
        reason=because(approval.reason, tr) if approval else "",
        due=moment(planned.due, closing_zone(site.config, planned.cadence), tr),
        late=planned.due <= site.now(),
        stories=[titles.get(one.id, one.id) for one in contents.stories if not one.omitted],
        numbers=numbers(planned.readers, len(contents.editions), tr),
        others=[left_out(why, number, tr) for why, number in sorted(contents.skipped.items())],
    )


def _open(site: Site, planned: PlannedIssue) -> bool:
    """Nothing of it left, and no later issue has taken its stories."""
    return planned.state is IssueState.PLANNED and not site.store.schedule.skipped(planned.id)
