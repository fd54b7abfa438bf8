"""One message of an issue to somebody who looks at it: marked, and in no ledger."""

import secrets
from dataclasses import replace

from digest.addresses import normalise
from digest.errors import DigestError
from digest.issues import Draft
from digest.models import Preferences, Subscriber
from digest.providers import Answer, Batch, connect

MARK = "[TEST] "
NOBODY = "reader@example.com"


def hand_over_test(draft: Draft, subscriber: Subscriber, address: str) -> tuple[str, Answer]:
    """Mail the subscriber's edition to `address`; the provider's name and its answer.

    DigestError when the address is none, or there is nothing to send. Nobody counts as reached,
    and the links in the message lead to nobody's preferences.
    """
    issue = draft.issue.id
    try:
        to = normalise(address)
    except ValueError as error:
        raise DigestError(
            f"{address!r} is no address: {error}",
            hint=f"give one: digest test-send {issue} --to you@example.com",
        ) from None
    draft = draft.uncounted  # nobody is to be counted, and there may be no plan to lead on
    composition = draft.composition(subscriber.preferences)
    if composition is None:
        raise DigestError(
            f"nothing in {issue} for {_who(subscriber.preferences)}",
            hint=f"everything there is: digest test-send {issue} --to {to}",
        )
    edition = composition.edition
    stories, more = ([story.id for story in part] for part in (edition.stories, edition.more))
    message = draft.frozen(edition.language, stories, more, before=MARK)
    reader = draft.reader(replace(subscriber, id=0, email=NOBODY))
    reader = replace(reader, address=to, delivery=f"test{secrets.token_hex(8)}")
    provider = connect(draft.config)
    try:
        answers = list(provider.hand_over(Batch(f"{issue}-test", message, (reader,))))
    finally:
        provider.close()
    return provider.name, answers[0]


def _who(wishes: Preferences) -> str:
    return " ".join(f"#{tag}" for tag in wishes.tags) or "who follows nothing"
