"""Ask the editors: a test copy of the issue, and a mail with the plan and a link to say yes or no.

The link is of one plan and for one purpose. It ends two weeks after the issue is due.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest import logs
from digest.errors import ProviderError
from digest.freshness import Frozen
from digest.inline import plain
from digest.issues import Draft
from digest.models import Plan, Preferences, Subscriber
from digest.notices import Button, Notice, Postman
from digest.planning import plan_of
from digest.sender.trial import hand_over_test
from digest.tokens import Keys, Purpose, approval_url, sign

_ENGLISH = "en"  # what operators read, as on the command line
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
        issue, plan = frozen.issue, plan_of(draft, frozen)
        token = sign(self.keys, Purpose.APPROVE, issue.number, expires=issue.due + _LASTS)
        name, due = issue.id, f"{draft.issue.date:%A %d %B %Y at %H:%M %Z}"
        return Notice(
            to=editor,
            language=_ENGLISH,
            subject=f"{name}: may it go out?",
            before=(
                f"{name} is planned, and is due on {due}. It goes out only if an editor says so: "
                f"{reason}.",
                "A test copy of it is in another mail.",
            ),
            lines=summary(plan),
            button=Button(
                "Look at the plan and decide", approval_url(draft.config.newsletter.base_url, token)
            ),
            after=(
                "Without an answer it is held. When a post of it changes, you are asked again.",
                f"On the command line: digest schedule approve {name}",
            ),
        )


def _copy(draft: Draft, frozen: Frozen, editor: str) -> None:
    """The edition of somebody who follows everything, marked as a test."""
    if frozen.contents.editions:
        wanted = Preferences(everything=True)
        hand_over_test(draft, Subscriber(0, "", "", wanted, draft.issue.cadence, ""), editor)


def summary(plan: Plan) -> tuple[str, ...]:
    """A plan in a few lines: who, how many, and what."""
    stories = [f"Story: {plain(story.title)}" for story in plan.stories[:_TITLES]]
    if len(plan.stories) > _TITLES:
        stories.append(f"and {len(plan.stories) - _TITLES} more")
    plural = "" if len(plan.editions) == 1 else "s"
    skipped = [f"{number:,} skipped: {why}" for why, number in plan.skipped.items()]
    return (
        f"{plan.readers:,} readers, {len(plan.editions):,} different edition{plural}",
        *skipped,
        *stories,
    )
