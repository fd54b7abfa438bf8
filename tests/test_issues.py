"""An issue on the desk: what each reader's message says of them."""

from digest.models import Cadence, Preferences, Subscriber
from tests.slow_reference import render
from tests.store.sending import draft_of
from tests.stories import story

STORY = story("a", "machine-learning kubernetes")


def message(tmp_path, *tags, muted=()):
    """The HTML for a reader of these tags; fast, and the plain way."""
    draft = draft_of(tmp_path, (STORY,))
    wanted = Preferences(tags, muted=muted)
    ana = draft.reader(Subscriber(7, "ana@example.com", "Ana", wanted, Cadence.WEEKLY, ""))
    made = draft.composition(wanted).message
    values = {**made.values, **ana.values()}
    return made.html(ana).rstrip(), render(draft.renderer, (STORY,), (), draft.issue, "en", values)[
        0
    ]


def test_the_footer_shows_tags_as_the_posts_spell_them_whatever_was_imported(tmp_path):
    fast, slow = message(tmp_path, "Machine_Learning", "KUBERNETES", muted=("Crypto",))

    assert "you follow #machine-learning and #kubernetes, weekly. You have muted #Crypto." in fast
    assert fast == slow


def test_two_spellings_of_one_tag_are_named_once(tmp_path):
    fast, slow = message(tmp_path, "MachineLearning", "machine_learning")

    assert "because you follow #machine-learning, weekly." in fast
    assert fast == slow
