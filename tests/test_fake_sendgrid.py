"""The SendGrid of our tests takes what the official objects make, and refuses what it should."""

import copy
import json

import pytest
from sendgrid import SendGridAPIClient

from digest.providers.sendgrid.letters import Form, Stationery
from tests import fake_sendgrid as fake
from tests import official_sendgrid
from tests.handmade import ANA, NEWSLETTER, edition

[REQUEST] = Form(Stationery(NEWSLETTER, sandbox=False), edition()).requests([ANA], 1)
BODY = json.loads(REQUEST.body())


def test_the_official_client_and_objects_are_accepted():
    tags = list(BODY["personalizations"][0]["substitutions"])
    with fake.serving() as server:
        client = SendGridAPIClient(fake.KEY, host=server.url)
        response = client.send(official_sendgrid.mail(BODY, [ANA], tags))

        assert response.status_code == 202
        assert server.accepted() == [ANA.delivery]
        assert server.seen.breaches == []


def test_tags_are_replaced_in_both_parts():
    [mail] = fake.mails(BODY)

    assert mail.html == edition().html(ANA)
    assert mail.text == edition().text(ANA)


PERSON = ("personalizations", 0)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("personalizations",), []),
        (("personalizations",), BODY["personalizations"] * 2),  # an address twice
        (("personalizations",), None),
        ((*PERSON, "to"), []),
        ((*PERSON, "to", 0, "email"), "nobody"),
        ((*PERSON, "to", 0, "name"), "Neil, Jr."),
        ((*PERSON, "tags"), {}),
        ((*PERSON, "headers", "Reply-To"), "a@example.org"),
        ((*PERSON, "headers", "List-Unsubscribe"), "<https://" + "x" * 70 + ">"),
        ((*PERSON, "substitutions", "-number-"), 3),
        ((*PERSON, "substitutions", "-long-"), "x" * 10_000),
        ((*PERSON, "custom_args"), {}),
        (("subject",), ""),
        (("content",), BODY["content"][::-1]),
        (("from",), {"name": "nobody"}),
        (("tracking_settings", "click_tracking", "enable"), "false"),
        (("unknown",), 1),
    ],
)
def test_a_request_against_the_rules_is_refused(place, value):
    body = copy.deepcopy(BODY)
    *way, last = place
    inner = body
    for step in way:
        inner = inner[step]
    inner[last] = value

    assert list(fake.breaches(body))
    assert not list(fake.breaches(BODY))
