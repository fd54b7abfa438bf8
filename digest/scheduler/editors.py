"""Ask the editors: a test copy of the issue, and a mail with the plan and a link to say yes or no.

The link is of one plan and for one purpose. It ends two weeks after the issue is due.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from digest import logs
from digest.errors import ProviderError
from digest.freshness import Frozen
from digest.inline import plain
from digest.issues import Draft
from digest.models import Plan, Preferences, Subscriber
from digest.notices import Button, Notice, Postman
from digest.planning import plan_of
from digest.scheduler.asking import because, editors_words, left_out, moment, numbers
from digest.sender.trial import hand_over_test
from digest.tokens import Keys, Purpose, approval_url, sign
from digest.translations import Translations

_LASTS = timedelta(days=14)
_TITLES = 12  # stories named before "and N more"

_log = logs.get("scheduler")


@dataclass(frozen=True, slots=True)
class Editors:
    """Mails those of the configuration."""

    keys: Keys
    now: Callable[[], datetime]

    def __call__(self, draft: Draft, frozen: Frozen, reason: str) -> int:
        """How many were mailed. ProviderError when there are some and none could be."""
        config, failure, mailed = draft.config, None, 0
        for editor in config.editors:
            try:
                _copy(draft, frozen, editor)
                notice = self._notice(draft, frozen, reason, editor)
                Postman(config).post(notice, self.now())
                mailed += 1
            except ProviderError as error:
                failure = error
                _log.error("editor.unreached", issue=draft.issue.id, failure=error)
        if failure is not None and not mailed:
            raise failure
        return mailed

    def _notice(self, draft: Draft, frozen: Frozen, reason: str, editor: str) -> Notice:
        issue, plan, tr = frozen.issue, plan_of(draft, frozen), editors_words(draft.config)
        token = sign(self.keys, Purpose.APPROVE, issue.number, expires=issue.due + _LASTS)
        due = moment(draft.issue.date, draft.issue.date.tzinfo or UTC, tr)
        named = {"issue": issue.id, "due": due, "reason": because(reason, tr)}
        link = approval_url(draft.config.newsletter.base_url, token)
        return Notice(
            to=editor,
            language=tr.code,
            subject=tr.gettext("%(issue)s: may it go out?") % named,
            before=(
                tr.gettext(
                    "%(issue)s is planned, and is due on %(due)s. It goes out only if an editor "
                    "says so: %(reason)s."
                )
                % named,
                tr.gettext("A test copy of it is in another mail."),
            ),
            lines=summary(plan, tr),
            button=Button(tr.gettext("Look at the plan and decide"), link),
            after=(
                tr.gettext(
                    "Without an answer it is held. When a post of it changes, you are asked again."
                ),
                tr.gettext("On the command line: digest schedule approve %(issue)s") % named,
            ),
        )


def _copy(draft: Draft, frozen: Frozen, editor: str) -> None:
    """The edition of somebody who follows everything, marked as a test."""
    if frozen.contents.editions:
        wanted = Preferences(everything=True)
        hand_over_test(draft, Subscriber(0, "", "", wanted, draft.issue.cadence, ""), editor)


def summary(plan: Plan, tr: Translations) -> tuple[str, ...]:
    """A plan in a few lines: who, how many, and what."""
    titles = [plain(story.title) for story in plan.stories[:_TITLES]]
    stories = [tr.gettext("Story: %(title)s") % {"title": title} for title in titles]
    if further := len(plan.stories) - len(titles):
        stories.append(tr.gettext("and %(number)d more") % {"number": further})
    return (
        numbers(plan.readers, len(plan.editions), tr),
        *(left_out(why, number, tr) for why, number in plan.skipped.items()),
        *stories,
    )
