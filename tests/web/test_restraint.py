"""How often somebody may ask, and what happens to mails when too many are asked for."""

import threading

import pytest
from starlette.exceptions import HTTPException

from digest.notices import Notice
from digest.web import mailing
from digest.web.mailing import Mailing
from digest.web.restraint import Restraint, network
from tests.web.conftest import START

NOTICE = Notice("ana@example.com", "en", "A subject", ("A sentence.",))


def refused(restraint, asker):
    try:
        restraint.mail(asker)
    except HTTPException as error:
        return error.status_code
    return 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("testclient", "testclient"),
    ],
)
def test_a_network_is_what_one_person_may_have_all_of(address, expected):
    assert network(address) == expected


def test_an_address_its_network_and_everybody_have_a_limit_each():
    restraint = Restraint(mails_an_hour=60)

    assert [refused(restraint, "203.0.113.1") for _ in range(11)] == [0] * 10 + [429]
    others = [refused(restraint, f"203.0.113.{n}") for n in range(2, 40)]
    assert (others.count(0), others.count(429)) == (30, 8)  # 40 of the network
    everybody = [refused(restraint, f"198.51.{n}.1") for n in range(30)]
    assert (everybody.count(0), everybody.count(429)) == (20, 10)  # 60 in all


def test_looks_and_mails_are_counted_apart(quick_pages):
    restraint = Restraint(mails_an_hour=1)
    restraint.mail("203.0.113.1")

    restraint.rendering("203.0.113.1")
    assert refused(restraint, "198.51.100.1") == 429


def test_renderings_have_a_limit_for_everybody_too():
    restraint = Restraint(mails_an_hour=1)
    for number in range(240):
        restraint.rendering(f"198.51.{number}.1")

    with pytest.raises(HTTPException):
        restraint.rendering("203.0.113.1")


def test_a_mail_beyond_those_that_may_wait_is_not_taken(monkeypatch):
    monkeypatch.setattr(mailing, "WAITING", 1)
    held, posted, failed = threading.Event(), [], []

    class Slow:
        def post(self, notice, now):
            held.wait(20)
            posted.append(notice)

    post = Mailing(Slow(), lambda: START)
    post(NOTICE, lambda: failed.append(1))
    post(NOTICE, lambda: failed.append(2))
    held.set()
    post.close()

    assert (posted, failed) == ([NOTICE], [2])


def test_a_mail_asked_for_after_the_end_is_not_taken():
    failed = []
    post = Mailing(None, lambda: START)
    post.close()
    post(NOTICE, lambda: failed.append(1))

    assert failed == [1]


def test_a_mail_is_begun_when_the_answer_has_left():
    posted = []

    class Quick:
        def post(self, notice, now):
            posted.append(notice)

    post = Mailing(Quick(), lambda: START)
    post.hold = 3600.0
    post(NOTICE, lambda: None)

    assert posted == []
    post.close()  # does not wait for it
    assert posted == [NOTICE]
