"""Notices: one mail to one person, whole in both parts, and of no list."""

import json
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from digest.composer.message import EditionMessage
from digest.config import load
from digest.errors import Outcome, ProviderError
from digest.notices import Button, Notice, Postman, compose
from digest.providers import Refusal
from digest.providers.sendgrid.letters import Form, Request, Stationery
from tests.mailservers import Keeper, real_server

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
LINK = "https://news.example.com/c/" + "x" * 39
NOTICE = Notice(
    "ana@example.com",
    "pl",
    "Potwierdź <b>subskrypcję</b>",
    ("Ktoś poprosił o listę & my pytamy.",),
    ("#ai", "co tydzień"),
    Button("Potwierdź", LINK),
    ("Jeśli to nie Ty, nic nie rób.",),
)


@pytest.fixture
def config(project):
    return load(project.root / "digest.toml")


def parsed(message: EditionMessage):
    return message_from_bytes(message.message(None), policy=policy.default)


def test_a_notice_has_two_written_parts_and_no_list_headers(config):
    mail = parsed(compose(NOTICE, config, "note0123", NOW))

    assert mail["To"] == "ana@example.com"
    assert mail["Subject"] == NOTICE.subject
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<note0123@example.com>"
    assert not [name for name in mail if name.lower().startswith("list-") or name == "Precedence"]
    text, html = (p.get_content().replace("\r\n", "\n") for p in mail.iter_parts())
    assert f"Potwierdź:\n{LINK}" in text
    assert "- #ai" in text
    assert f'href="{LINK}"' in html
    assert 'lang="pl"' in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_a_notice_goes_through_a_real_mail_server(project, config, monkeypatch):
    keeper = Keeper()
    with real_server(keeper) as port:
        monkeypatch.setenv("DIGEST_DELIVERY__PROVIDER", "smtp")
        monkeypatch.setenv("DIGEST_SMTP__HOST", "127.0.0.1")
        monkeypatch.setenv("DIGEST_SMTP__PORT", str(port))
        monkeypatch.setenv("DIGEST_SMTP__SECURITY", "none")
        Postman(load(project.root / "digest.toml")).post(NOTICE, NOW)

    assert keeper.envelopes == [("news@example.com", "ana@example.com")]
    assert message_from_bytes(keeper.messages[0], policy=policy.default)["Subject"]


def test_a_notice_goes_to_the_outbox(config):
    receipt = Postman(config).post(NOTICE, NOW)

    files = list((config.outbox / "notices").rglob("*.eml"))
    assert [file.stem for file in files] == [receipt.id.split("/")[1].removesuffix(".eml")]


def test_sendgrid_gets_a_notice_without_list_headers(config):
    form = Form(Stationery(config.newsletter, sandbox=False), compose(NOTICE, config, "n1", NOW))
    (request,) = form.requests([_reader()], 10)
    assert isinstance(request, Request)

    body = json.loads(request.body())
    (person,) = body["personalizations"]
    assert person["to"] == [{"email": "ana@example.com"}]
    assert person["headers"]["Auto-Submitted"] == "auto-generated"
    assert "substitutions" not in person
    assert not [n for n in {**body["headers"], **person["headers"]} if n.startswith("List-")]


def test_a_refused_notice_is_an_error(config):
    class Refusing:
        name = "refusing"

        def hand_over(self, batch):
            yield Refusal(batch.readers[0].delivery, Outcome.TEMPORARY, "busy")

        def close(self):
            pass

    with pytest.raises(ProviderError, match="busy"):
        Postman(config, lambda _: Refusing()).post(NOTICE, NOW)


def _reader():
    from digest.notices import _to

    return _to(NOTICE, "n1")
