"""Handing over to SendGrid: whatever it answers, every delivery has exactly one fate."""

import logging
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest import config
from digest.composer import EditionMessage, Reader
from digest.errors import ConfigError, Outcome, ProviderError
from digest.layout import Layout
from digest.providers import Answer, Batch, Receipt, Refusal
from digest.providers.sendgrid import Sendgrid, connect
from digest.providers.sendgrid.account import account
from digest.providers.sendgrid.carrier import Way
from tests import fake_sendgrid as fake
from tests.fake_sendgrid import FakeSendgrid, Say
from tests.handmade import ANA, NEWSLETTER, edition
from tests.own_certificate import certificate

HEADERS = {
    "Authorization": f"Bearer {fake.KEY}",
    "Accept": "application/json",
    "Content-Type": "application/json",
}
EDITION = edition()
MORE_THAN_BUFFERS_HOLD = Layout(("x" * 20_000_000,))
PATIENT, HASTY = 60.0, 0.2  # seconds


@pytest.fixture(scope="module")
def running() -> Iterator[FakeSendgrid]:
    with fake.serving() as server:
        yield server


@pytest.fixture
def server(running: FakeSendgrid) -> FakeSendgrid:
    running.starts()
    return running


def provider(
    url: str,
    most: int = 250,
    *,
    lines: int = 1,
    timeout: float = PATIENT,
    tls: ssl.SSLContext | None = None,
) -> Sendgrid:
    way = Way(url + fake.PATH, HEADERS, most, lines, tls)
    return Sendgrid(way, NEWSLETTER, timeout=timeout, clock=lambda: 0.0)


def readers(count: int) -> list[Reader]:
    return [
        replace(ANA, delivery=f"d{n:019d}", address=f"reader.{n}@example.org") for n in range(count)
    ]


def handed(to: Sendgrid, count: int) -> tuple[list[Answer], ProviderError | None]:
    """The answers of one batch, and the error that ended it."""
    answers: list[Answer] = []
    with closing(to):
        try:
            answers.extend(to.hand_over(Batch("issue", EDITION, readers(count))))
        except ProviderError as error:
            return answers, error
    return answers, None


def outcomes(answers: list[Answer]) -> list[str]:
    return [
        answer.outcome.value if isinstance(answer, Refusal) else "taken"
        for answer in sorted(answers, key=lambda answer: answer.delivery)
    ]


hidden = st.booleans()  # whether mail goes out although SendGrid does not say so
answers_in_doubt = st.one_of(
    st.builds(Say, st.sampled_from([500, 502, 504, 599]), accepts=hidden),
    st.builds(Say, st.just(0), accepts=hidden),
    st.builds(Say, silent=st.just(True), accepts=hidden),
)
refusals = st.one_of(
    st.lists(st.integers(0, 6), min_size=1, max_size=3).map(lambda places: fake.bad(*places)),
    st.sampled_from([fake.UNNAMED, fake.TOO_LARGE, fake.TOO_MANY, fake.OVERLOADED]),
    st.sampled_from([fake.BAD_KEY, fake.FORBIDDEN, Say(404), Say(302), Say(200), Say(415)]),
    st.just(fake.HANGS_UP_AT_ONCE),
)
scripts = st.lists(st.one_of(st.just(fake.ACCEPT), refusals, answers_in_doubt), max_size=8)


@settings(max_examples=60, deadline=None)
@given(scripts, st.integers(1, 5), st.integers(1, 3), st.integers(0, 12))
def test_whatever_is_answered_nobody_is_taken_unnoticed_or_told_twice(script, most, lines, count):
    with fake.serving() as server:
        server.starts(script)
        answers, stopped = handed(provider(server.url, most, lines=lines, timeout=HASTY), count)
    given_out = {answer.delivery for answer in answers}
    perhaps = {a.delivery for a in answers if isinstance(a, Receipt) or a.outcome == "unknown"}

    assert len(answers) == len(given_out)
    assert stopped or len(answers) == count
    assert max(Counter(server.accepted()).values(), default=1) == 1
    assert set(server.accepted()) <= perhaps
    assert {a.delivery for a in answers if isinstance(a, Receipt)} <= set(server.accepted())
    assert not server.seen.breaches


def test_everybody_is_taken_over_connections_that_are_kept(server):
    answers, _ = handed(provider(server.url, 3, lines=2), 40)

    assert [answer.id for answer in answers] == ["XBg2anf2TqCy6WXKQFhieQ"] * 40
    assert len(server.seen.requests) == 14
    assert server.seen.connections <= 2
    assert not server.seen.breaches


def test_nobody_is_handed_over_for_no_readers(server):
    assert handed(provider(server.url), 0) == ([], None)
    assert not server.seen.requests


def test_a_reader_whom_sendgrid_names_is_dropped_and_the_others_go_at_once(server):
    server.starts([fake.bad(1, 3)])
    answers, _ = handed(provider(server.url), 5)

    assert outcomes(answers) == ["taken", "permanent", "taken", "permanent", "taken"]
    assert len(server.seen.requests) == 2
    assert "nobody@" not in str(answers)
    assert "<address>" in answers[0].reason


@pytest.mark.parametrize("refusal", [fake.UNNAMED, fake.TOO_LARGE, fake.bad(99)])
def test_a_refusal_that_names_nobody_is_narrowed_down_by_halves(server, refusal):
    server.starts([refusal, refusal, refusal])  # of 8, of the first 4, of the first 2
    answers, _ = handed(provider(server.url), 8)

    assert outcomes(answers) == ["taken"] * 8
    assert [len(request["personalizations"]) for request in server.seen.requests] == [
        8, 4, 2, 1, 1, 2, 4,
    ]  # fmt: skip


def test_a_reader_who_is_refused_alone_is_refused_for_good(server):
    server.starts([fake.UNNAMED, fake.UNNAMED])
    answers, _ = handed(provider(server.url), 2)

    assert outcomes(answers) == ["permanent", "taken"]
    assert answers[0].reason == "SendGrid answered 400: Bad Request"


def test_a_limit_stops_the_batch_and_blames_nobody_until_it_is_lifted(server):
    server.starts([fake.ACCEPT, fake.TOO_MANY])
    answers, stopped = handed(provider(server.url, 2), 6)

    assert outcomes(answers) == ["taken"] * 2
    assert (stopped.outcome, stopped.retry_after) == (Outcome.TEMPORARY, 60.0)
    assert str(stopped) == "SendGrid answered 429: too many requests"
    assert len(server.seen.requests) == 2


@pytest.mark.parametrize("say", [fake.BROKEN, Say(502), Say(504), fake.HANGS_UP])
def test_after_an_answer_that_leaves_a_doubt_the_rest_of_the_batch_waits(server, say):
    server.starts([fake.ACCEPT, say])
    answers, stopped = handed(provider(server.url, 2), 6)

    assert outcomes(answers) == ["taken"] * 2 + ["unknown"] * 2
    assert stopped.outcome is Outcome.TEMPORARY
    assert len(server.seen.requests) == 2


def test_no_answer_in_time_is_unknown(server):
    server.starts([fake.SILENT])
    answers, _ = handed(provider(server.url, timeout=HASTY), 2)

    assert outcomes(answers) == ["unknown"] * 2
    assert answers[0].reason == "no answer from SendGrid: it took too long"


@pytest.mark.parametrize("say", [fake.OVERLOADED, Say(408)])
def test_a_server_that_did_not_process_is_asked_later(server, say):
    server.starts([say])
    answers, stopped = handed(provider(server.url), 2)

    assert (answers, stopped.outcome) == ([], Outcome.TEMPORARY)


def test_nobody_at_the_other_end_is_temporary():
    answers, stopped = handed(provider(fake.closed_port()), 3)

    assert (answers, stopped.outcome) == ([], Outcome.TEMPORARY)
    assert str(stopped).startswith("no connection to SendGrid: ")


def cut_off(server: FakeSendgrid, times: int, count: int) -> tuple[list[Answer], object]:
    """The answers to a batch of which the first so many requests do not leave as a whole."""
    server.starts([fake.HANGS_UP_AT_ONCE] * times)
    huge = replace(EDITION, compiled=replace(EDITION.compiled, html=MORE_THAN_BUFFERS_HOLD))
    with closing(provider(server.url)) as one:
        return told_by(one, huge, count)


def told_by(one: Sendgrid, message: EditionMessage, count: int) -> tuple[list[Answer], object]:
    answers: list[Answer] = []
    try:
        answers.extend(one.hand_over(Batch("issue", message, readers(count))))
    except ProviderError as error:
        return answers, error.outcome
    return answers, None


def test_a_body_that_did_not_leave_as_a_whole_is_sent_in_parts(server):
    answers, stopped = cut_off(server, 1, 9)

    assert (outcomes(answers), stopped) == (["taken"] * 9, None)
    assert [len(request["personalizations"]) for request in server.seen.requests] == [2, 2, 2, 2, 1]


def test_a_body_that_never_leaves_is_a_refusal_for_now_of_its_one_reader(server):
    answers, stopped = cut_off(server, 3, 9)

    assert (outcomes(answers), stopped) == (["temporary"], Outcome.TEMPORARY)
    assert "with no other reader and 20" in answers[0].reason
    assert not server.seen.requests


def test_after_that_one_reader_is_tried_before_many_are(server):
    huge = replace(EDITION, compiled=replace(EDITION.compiled, html=MORE_THAN_BUFFERS_HOLD))
    server.starts([fake.HANGS_UP_AT_ONCE] * 2)
    with closing(provider(server.url)) as one:
        first, _ = told_by(one, huge, 2)
        told_by(one, EDITION, 1)
        told_by(one, EDITION, 9)

    assert outcomes(first) == ["temporary"]
    sizes = [len(request["personalizations"]) for request in server.seen.requests]
    assert sizes == [1, 8, 1]


@pytest.mark.parametrize(
    ("say", "hint"),
    [
        (fake.BAD_KEY, "DIGEST_SENDGRID_API_KEY"),
        (Say(401, fake.errors((None, "Maximum credits exceeded"))), "credits"),
        (fake.FORBIDDEN, "newsletter.sender"),
        (Say(404), "sendgrid.host"),
        (Say(405), "sendgrid.host"),
        (Say(406), "sendgrid.host"),
        (Say(415), "sendgrid.host"),
        (Say(301, headers=(("Location", "https://example.com/"),)), "sendgrid.host"),
        (Say(400, fake.errors(("from.email", "is not valid"))), "from.email"),
    ],
)
def test_what_a_person_has_to_mend_stops_the_run_and_blames_no_reader(server, say, hint):
    server.starts([fake.ACCEPT, say])
    answers, stopped = handed(provider(server.url, 2), 6)

    assert outcomes(answers) == ["taken"] * 2
    assert stopped.outcome is Outcome.PERMANENT
    assert hint in stopped.hint
    assert len(server.seen.requests) == 2


def test_what_was_taken_at_the_same_time_is_told_before_the_run_stops(server):
    server.starts([fake.BAD_KEY])
    answers, stopped = handed(provider(server.url, 1, lines=3), 9)

    assert stopped
    assert sorted(answer.delivery for answer in answers) == sorted(server.accepted())


def test_the_sandbox_checks_a_whole_batch_and_takes_nobody(server):
    way = Way(server.url + fake.PATH, HEADERS, 2, 1, None)
    answers, stopped = handed(Sendgrid(way, NEWSLETTER, sandbox=True), 5)

    assert answers == []
    assert str(stopped) == "SendGrid checked 5 messages and sent none: sandbox mode"
    assert stopped.outcome is Outcome.PERMANENT
    assert len(server.seen.requests) == 3


def test_a_connection_that_the_server_has_closed_is_not_used_again(server):
    closing_time = replace(fake.ACCEPT, headers=(("Connection", "close"),))
    server.starts([closing_time])
    answers, _ = handed(provider(server.url, 1), 3)

    assert outcomes(answers) == ["taken"] * 3
    assert server.seen.connections == 2


def test_a_connection_that_the_server_left_is_noticed_before_a_body_goes_into_it():
    # a server of its own: no other test's connection closes meanwhile and is taken for this one's
    with fake.serving() as server, closing(provider(server.url)) as one:
        server.starts([replace(fake.ACCEPT, leaves=True)])
        list(one.hand_over(Batch("issue", EDITION, readers(1))))
        server.hung_up.wait(PATIENT)
        answers = list(one.hand_over(Batch("issue", EDITION, readers(1))))

    assert outcomes(answers) == ["taken"]
    assert server.seen.connections == 2


def test_over_tls_everybody_is_taken_over_one_connection(tmp_path):
    trusted = certificate(tmp_path)
    with fake.serving(tls=trusted) as server:
        trusting = ssl.create_default_context(cafile=trusted)
        answers, _ = handed(provider(server.url, 2, tls=trusting), 6)

        assert outcomes(answers) == ["taken"] * 6
        assert server.seen.connections == 1


def test_a_certificate_that_nobody_vouches_for_gets_neither_the_key_nor_a_reader(tmp_path):
    with fake.serving(tls=certificate(tmp_path)) as server:
        answers, stopped = handed(provider(server.url, tls=ssl.create_default_context()), 2)

        assert (answers, stopped.outcome) == ([], Outcome.PERMANENT)
        assert "its certificate is not trusted" in str(stopped)
        assert "sendgrid.host" in stopped.hint
        assert not server.seen.headers


def test_a_closed_provider_takes_nothing_more(server):
    one = provider(server.url)
    one.close()

    with pytest.raises(ProviderError, match="closed"):
        list(one.hand_over(Batch("issue", EDITION, readers(1))))
    assert not server.seen.requests


def test_the_doctor_calls_an_untrusted_certificate_what_a_send_calls_it(monkeypatch, tmp_path):
    monkeypatch.setenv("DIGEST_SENDGRID_API_KEY", fake.KEY)
    with fake.serving(tls=certificate(tmp_path)) as server:
        text = f'[sendgrid]\nhost = "{server.url}"\n'
        asked = account(config.parse(text, tmp_path / "digest.toml", {}))
        with pytest.raises(ProviderError, match="certificate is not trusted") as stopped:
            asked.ask()

    assert stopped.value.outcome is Outcome.PERMANENT


def configured(monkeypatch: pytest.MonkeyPatch, tmp_path, lines: str) -> Sendgrid:
    monkeypatch.setenv("DIGEST_SENDGRID_API_KEY", fake.KEY)
    text = f'[newsletter]\nsender = "news@example.com"\n[sendgrid]\n{lines}\n'
    return connect(config.parse(text, tmp_path / "digest.toml", {}))


def test_the_official_package_gives_the_address_and_the_headers(server, monkeypatch, tmp_path):
    lines = f'host = "{server.url}"\nsubuser = "news"\npersonalizations = 2'
    answers, _ = handed(configured(monkeypatch, tmp_path, lines), 3)

    assert outcomes(answers) == ["taken"] * 3
    assert not server.seen.breaches
    assert server.seen.headers[0]["On-Behalf-Of"] == "news"
    assert server.seen.headers[0]["User-Agent"].startswith("sendgrid/")


@pytest.mark.parametrize(
    ("region", "host"), [("global", "api.sendgrid.com"), ("eu", "api.eu.sendgrid.com")]
)
def test_each_region_has_its_host(monkeypatch, tmp_path, region, host):
    with closing(configured(monkeypatch, tmp_path, f'region = "{region}"')) as one:
        assert one._way.url == f"https://{host}/v3/mail/send"
        assert one._way.tls is not None


def test_a_missing_key_is_a_mistake_in_the_configuration(monkeypatch, tmp_path):
    monkeypatch.delenv("DIGEST_SENDGRID_API_KEY", raising=False)
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.not.ours")

    with pytest.raises(ConfigError, match="DIGEST_SENDGRID_API_KEY_FILE"):
        connect(config.parse("", tmp_path / "digest.toml", {}))


def test_the_key_is_in_no_repr_and_the_package_logs_nothing(server, monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    server.starts([fake.bad(0), fake.BROKEN])
    one = configured(monkeypatch, tmp_path, f'host = "{server.url}"')
    answers, _ = handed(one, 2)

    shown = repr((answers, one, one._way, vars(one))) + caplog.text
    assert fake.KEY not in shown
    assert "example.org" not in str(answers) + caplog.text
