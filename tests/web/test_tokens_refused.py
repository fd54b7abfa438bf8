"""Links that are not ours, not whole, not for this or too old: one and the same answer."""

from datetime import timedelta

import pytest

from digest.tokens import Keys, Purpose, sign
from tests.web.conftest import START

ROUTES = {
    "c": Purpose.CONFIRM,
    "p": Purpose.PREFERENCES,
    "u": Purpose.UNSUBSCRIBE,
    "b": Purpose.RETURN,
    "d": Purpose.OWN,
    "m": Purpose.CHANGE,
}
OTHER = Keys((b"another secret of somebody else",))


def forged(pages, purpose, person):
    yield "forged", sign(OTHER, purpose, person)
    genuine = sign(pages.site.keys, purpose, person)
    yield "truncated", genuine[:-1]
    yield "longer", genuine + "A"
    yield "flipped", genuine[:-3] + ("A" if genuine[-3] != "A" else "B") + genuine[-2:]
    yield "nonsense", "x"
    yield "not ASCII", "%C3%A9" * 34
    for other in ROUTES.values():
        if other is not purpose:
            yield f"for {other}", sign(pages.site.keys, other, person)
    if purpose is not Purpose.UNSUBSCRIBE:
        yield "expired", sign(pages.site.keys, purpose, person, expires=START)


@pytest.mark.parametrize("letter", ROUTES)
def test_every_bad_link_gets_the_same_answer_and_does_nothing(quick_pages, letter):
    ana = quick_pages.reader()
    before = quick_pages.store.subscriptions.get(ana.id)
    answers = set()
    for _, token in forged(quick_pages, ROUTES[letter], ana.id):
        fields = {"List-Unsubscribe": "One-Click", "do": "delete"}
        sent = quick_pages.post(f"/{letter}/{token}", **fields)
        answers.add((sent.status_code, sent.text))
        if letter != "b":
            got = quick_pages.get(f"/{letter}/{token}")
            answers.add((got.status_code, got.text))

    assert len(answers) == 1
    ((status, page),) = answers
    assert status == 404
    assert "This link does not work" in page
    assert quick_pages.store.subscriptions.get(ana.id) == before


def test_a_link_for_somebody_who_is_gone_is_refused_like_a_bad_one(quick_pages):
    bad = quick_pages.get("/p/x").text
    lasting = START + timedelta(days=1)

    for letter in "cpdm":
        path = quick_pages.path(letter, ROUTES[letter], 12345, expires=lasting)
        assert quick_pages.get(path).text == bad
