"""What every provider promises the sender, held against all of them with real carriers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

from digest import config
from digest.clicks import counting
from digest.composer import Press, Reader
from digest.errors import Outcome, ProviderError
from digest.providers import Answer, Batch, Provider, Receipt, Refusal, connect
from digest.renderer import Renderer
from tests import fake_sendgrid
from tests.handmade import ANA, ISSUE, edition
from tests.invented import settings, stories
from tests.mailservers import Keeper, real_server

EDITION = edition()
JOINER = "\u200c"  # SendGrid's charset is chosen by it; nobody sees it


@dataclass(frozen=True)
class Taken:
    """One message as its carrier has it."""

    recipient: str
    html: str
    text: str
    unsubscribe: str


@dataclass(frozen=True)
class Carrier:
    """A provider as configured, and a way to see what it handed over."""

    provider: Provider
    taken: Callable[[], list[Taken]]


def configured(folder: Path, text: str) -> config.Config:
    sender = '[newsletter]\nsender = "news@example.com"\n'
    return config.parse(sender + text, folder / "digest.toml", {})


def taken_from(message: EmailMessage) -> Taken:
    html, text = (
        message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("html", "plain")
    )
    recipient = message["To"].addresses[0].addr_spec
    return Taken(recipient, html, text, message["List-Unsubscribe"])


def read(data: bytes) -> Taken:
    return taken_from(BytesParser(policy=policy.default).parsebytes(data))


@contextmanager
def outbox(folder: Path, monkeypatch) -> Iterator[Carrier]:
    provider = connect(configured(folder, '[delivery]\nprovider = "outbox"\n'))
    yield Carrier(provider, lambda: [read(p.read_bytes()) for p in sorted(folder.rglob("*.eml"))])


@contextmanager
def smtp(folder: Path, monkeypatch) -> Iterator[Carrier]:
    keeper = Keeper()
    with real_server(keeper) as port:
        where = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        provider = connect(configured(folder, f'[delivery]\nprovider = "smtp"\n{where}'))
        yield Carrier(provider, lambda: [read(data) for data in keeper.messages])
        provider.close()


@contextmanager
def sendgrid(folder: Path, monkeypatch) -> Iterator[Carrier]:
    monkeypatch.setenv("DIGEST_SENDGRID_API_KEY", fake_sendgrid.KEY)
    with fake_sendgrid.serving() as server:
        where = f'[sendgrid]\nhost = "{server.url}"\n'
        provider = connect(configured(folder, f'[delivery]\nprovider = "sendgrid"\n{where}'))

        def taken() -> list[Taken]:
            assert server.seen.breaches == []
            return [
                Taken(
                    mail.to,
                    mail.html.replace(JOINER, ""),
                    mail.text.replace(JOINER, ""),
                    mail.headers["List-Unsubscribe"],
                )
                for mail in server.seen.accepted
            ]

        yield Carrier(provider, taken)
        provider.close()


@pytest.fixture(params=[outbox, smtp, sendgrid], ids=lambda kind: kind.__name__)
def carrier(request, tmp_path, monkeypatch) -> Iterator[Carrier]:
    with request.param(tmp_path, monkeypatch) as made:
        yield made


def readers(count: int) -> list[Reader]:
    return [
        replace(
            ANA,
            delivery=f"d{n:019d}",
            address=f"reader{n}@example.org",
            salutation=f"Hi <{n}> & co,",
            unsubscribe_url=f"https://news.example.com/u/{n:034d}",
        )
        for n in range(count)
    ]


def by_recipient(taken: list[Taken]) -> dict[str, Taken]:
    assert len({one.recipient for one in taken}) == len(taken), "somebody got two"
    return {one.recipient: one for one in taken}


def test_every_delivery_gets_one_answer_and_arrives_once(carrier):
    batch = Batch(ISSUE.id, EDITION, readers(7))

    answers = list(carrier.provider.hand_over(batch))

    assert sorted(answer.delivery for answer in answers) == [r.delivery for r in batch.readers]
    assert all(isinstance(answer, Receipt) and answer.new and answer.id for answer in answers)
    assert by_recipient(carrier.taken()).keys() == {r.address for r in batch.readers}


def test_what_arrives_is_what_the_composer_made(carrier):
    batch = Batch(ISSUE.id, EDITION, readers(3))

    list(carrier.provider.hand_over(batch))

    arrived = by_recipient(carrier.taken())
    for reader in batch.readers:
        own = arrived[reader.address]
        assert own.html.rstrip() == EDITION.html(reader).rstrip()
        assert own.text.rstrip() == EDITION.text(reader).rstrip()
        assert own.unsubscribe == f"<{reader.unsubscribe_url}>"
        assert len(own.unsubscribe) <= 77


def test_counted_links_arrive_as_they_were_made(carrier):
    given = config.parse("", Path(__file__).parent / "digest.toml", {}).newsletter
    made = Renderer(None, settings(Path(__file__).parent)).compile(stories(2), ISSUE, "en")
    made, links = counting(made, given.base_url, ISSUE.id)
    words = {"subject": "s", "preheader": "p", "intro": "i"}
    counted = Press(made, given, ISSUE).edition(["post-0", "post-1"], (), **words)
    batch = Batch(ISSUE.id, counted, readers(2))

    list(carrier.provider.hand_over(batch))

    for reader in batch.readers:
        html = by_recipient(carrier.taken())[reader.address].html
        assert html.rstrip() == counted.html(reader).rstrip()
        assert all(f'"{given.base_url}/g/{ISSUE.id}/{link.code}"' in html for link in links)


def test_one_reader_who_cannot_be_written_to_stops_nobody_else(carrier):
    bad = replace(ANA, delivery="bad", address="ana@example.org\r\nBcc: all@example.org")
    batch = Batch(ISSUE.id, EDITION, [*readers(2), bad])

    answers = {answer.delivery: answer for answer in carrier.provider.hand_over(batch)}

    assert isinstance(answers["bad"], Refusal)
    assert answers["bad"].outcome is Outcome.PERMANENT
    assert "example.org" not in answers["bad"].reason
    assert len(carrier.taken()) == 2


def test_each_delivery_is_announced_before_it_is_taken(carrier):
    """What a sender writes down for the case that it is killed (docs/delivery-guarantees.md)."""
    announced: list[str] = []
    batch = Batch(ISSUE.id, EDITION, readers(5), lambda *ids: announced.extend(ids))

    for answer in carrier.provider.hand_over(batch):
        assert answer.delivery in announced

    assert sorted(announced) == [reader.delivery for reader in batch.readers]


def test_an_answer_is_told_before_anything_else_starts(carrier):
    """Or, after a kill, more would be unknown than was in flight."""
    under_way: list[int] = [0]
    most = 0

    def starting(*ids: str) -> None:
        nonlocal most
        under_way[0] += len(ids)
        most = max(most, under_way[0])

    def answered(_answer: Answer) -> None:
        under_way[0] -= 1
        told.append(_answer.delivery)

    told: list[str] = []
    batch = Batch(ISSUE.id, EDITION, readers(40), starting, answered)
    for answer in carrier.provider.hand_over(batch):
        if answer.delivery not in told:
            answered(answer)

    assert most <= max(4, getattr(carrier.provider, "at_once", 0))
    assert under_way == [0]


def test_an_empty_batch_and_a_second_batch_are_nothing_special(carrier):
    assert list(carrier.provider.hand_over(Batch(ISSUE.id, EDITION, []))) == []
    list(carrier.provider.hand_over(Batch(ISSUE.id, EDITION, readers(2)[:1])))
    list(carrier.provider.hand_over(Batch(ISSUE.id, EDITION, readers(2)[1:])))

    assert len(by_recipient(carrier.taken())) == 2


def test_closing_twice_does_no_harm(carrier):
    list(carrier.provider.hand_over(Batch(ISSUE.id, EDITION, readers(1))))

    carrier.provider.close()
    carrier.provider.close()


@pytest.mark.parametrize("name", ["smtp", "sendgrid"])
def test_a_carrier_that_is_not_there_has_taken_nothing(name, tmp_path, monkeypatch):
    monkeypatch.setenv("DIGEST_SENDGRID_API_KEY", fake_sendgrid.KEY)
    url = fake_sendgrid.closed_port()
    port = url.rpartition(":")[2]
    where = {
        "smtp": f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n',
        "sendgrid": f'[sendgrid]\nhost = "{url}"\n',
    }[name]
    provider = connect(configured(tmp_path, f'[delivery]\nprovider = "{name}"\n{where}'))

    outcomes = set()
    try:
        outcomes |= {a.outcome for a in provider.hand_over(Batch(ISSUE.id, EDITION, readers(2)))}
    except ProviderError as error:
        outcomes.add(error.outcome)
    provider.close()

    assert outcomes == {Outcome.TEMPORARY}
