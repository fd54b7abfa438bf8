"""The provider `smtp` and a real mail server: what arrives, and how it is protected."""

from dataclasses import replace
from pathlib import Path

import pytest

from digest import config
from digest.config import Secret, Security
from digest.errors import ConfigError, Outcome, ProviderError
from digest.providers import Batch, Receipt, Refusal
from digest.providers.smtp import Effort, Envelopes, Server, Smtp, connect
from tests.handmade import ANA, ISSUE, edition
from tests.mailservers import PASSWORD, USER, Keeper, authority, real_server

SENDER = "news@example.com"
HOST = "127.0.0.1"


def batch(count: int = 3, **changes: str) -> Batch:
    readers = [replace(ANA, delivery=f"d{n:019d}", **changes) for n in range(count)]
    return Batch(ISSUE.id, edition(), readers)


def plain(port: int, **effort: int) -> Smtp:
    return Smtp(Server(HOST, port, Security.NONE), Envelopes(SENDER), Effort(**effort))


def configured(text: str, **environ: str) -> Smtp:
    settings = f'[newsletter]\nsender = "{SENDER}"\n[smtp]\nhost = "{HOST}"\n{text}'
    return connect(config.parse(settings, Path("/newsletter/digest.toml"), environ))


def all_answers(provider: Smtp, given: Batch) -> list:
    try:
        return list(provider.hand_over(given))
    finally:
        provider.close()


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("connections", [1, 3])
def test_what_arrives_is_the_message_byte_for_byte(pipelining, connections):
    keeper, given = Keeper(pipelining), batch(20)

    with real_server(keeper) as port:
        answers = all_answers(plain(port, connections=connections), given)

    assert sorted(keeper.messages) == [given.message(reader) for reader in given.readers]
    assert {answer.delivery for answer in answers} == {r.delivery for r in given.readers}
    assert all(isinstance(answer, Receipt) and answer.new for answer in answers)


def test_a_receipt_carries_the_servers_own_name_for_the_message():
    with real_server(Keeper()) as port:
        [receipt] = all_answers(plain(port), batch(1))

    assert receipt == Receipt("d0000000000000000000", "Ok: queued as 1", new=True)


def test_messages_never_need_dot_stuffing_and_end_a_line():
    """What is written to the wire is the message and a dot: nothing in it is looked at."""
    given = batch(1)
    message = given.message(given.readers[0])

    assert b"\r\n." not in message
    assert not message.startswith(b".")
    assert message.endswith(b"\r\n")
    assert message.isascii()


def test_connections_stay_open_from_batch_to_batch_and_part_after_their_share():
    keeper = Keeper()

    with real_server(keeper) as port:
        provider = plain(port, connections=1, messages=10)
        for _ in range(5):
            assert len(list(provider.hand_over(batch(5)))) == 5
        provider.close()

    assert keeper.greetings == 3


def test_batches_follow_each_other_without_a_pause():
    keeper = Keeper()

    with real_server(keeper) as port:
        provider = plain(port, connections=2)
        answers = list(provider.hand_over_all(batch(1) for _ in range(12)))
        provider.close()

    assert len(answers) == len(keeper.messages) == 12


def test_bounces_come_back_to_the_sender():
    keeper = Keeper()

    with real_server(keeper) as port:
        all_answers(plain(port), batch(1))

    assert keeper.envelopes == [(SENDER, "ana@example.org")]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("verp = true", "bounces+d0000000000000000000@example.com"),
        (
            'verp = true\nreturn_path = "b@bounce.example.net"',
            "b+d0000000000000000000@bounce.example.net",
        ),
        ('return_path = "b@bounce.example.net"', "b@bounce.example.net"),
    ],
)
def test_the_return_path_can_say_whose_bounce_it_is(text, path):
    keeper = Keeper()

    with real_server(keeper) as port:
        all_answers(configured(f'port = {port}\nsecurity = "none"\n{text}'), batch(1))

    assert keeper.envelopes == [(path, "ana@example.org")]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_under_tls_to_a_server_that_proves_who_it_is(tmp_path, security):
    certificate, context = authority(tmp_path)
    secured = {"starttls": context} if security == "starttls" else {"ssl_context": context}
    keeper, given = Keeper(), batch(12)

    with real_server(keeper, **secured) as port:
        text = f'port = {port}\nsecurity = "{security}"\nca_file = "{certificate}"'
        answers = all_answers(configured(text), given)

    assert len(answers) == 12
    assert sorted(keeper.messages) == [given.message(reader) for reader in given.readers]


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
def test_a_message_larger_than_any_buffer_arrives_whole(tmp_path, secured):
    certificate, context = authority(tmp_path)
    keeper, given = Keeper(), replace(batch(1), edition=_Large())

    with real_server(keeper, starttls=context if secured else None) as port:
        text = f'ca_file = "{certificate}"' if secured else 'security = "none"'
        all_answers(configured(f"port = {port}\n{text}"), given)

    assert keeper.messages == [given.message(given.readers[0])]


class _Large:
    """An edition of 20 MB."""

    def message(self, reader) -> bytes:
        message = edition().message(reader)
        return message + b"more of it, line by line\r\n" * 800_000


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", ["the host", "the authority"])
def test_a_server_that_proves_nothing_gets_nothing(tmp_path, security, wrong):
    certificate, context = authority(tmp_path, "mail.example.com" if wrong == "the host" else HOST)
    trusted = f'ca_file = "{certificate}"' if wrong == "the host" else ""
    secured = {"starttls": context} if security == "starttls" else {"ssl_context": context}
    keeper = Keeper()

    with real_server(keeper, **secured) as port:
        provider = configured(f'port = {port}\nsecurity = "{security}"\n{trusted}')
        with pytest.raises(ProviderError, match="certificate is not trusted") as failure:
            all_answers(provider, batch())

    assert failure.value.outcome is Outcome.PERMANENT
    assert "smtp.ca_file" in failure.value.hint
    assert keeper.messages == []


def test_a_server_without_starttls_gets_nothing():
    keeper = Keeper()

    with (
        real_server(keeper) as port,
        pytest.raises(ProviderError, match="does not offer STARTTLS") as failure,
    ):
        all_answers(configured(f"port = {port}"), batch())

    assert failure.value.outcome is Outcome.PERMANENT
    assert keeper.messages == []


def test_speaking_tls_to_a_port_that_does_not_is_told_with_what_to_change():
    with (
        real_server(Keeper()) as port,
        pytest.raises(ProviderError, match="wrong version number") as failure,
    ):
        all_answers(configured(f'port = {port}\nsecurity = "tls"'), batch())

    assert failure.value.outcome is Outcome.PERMANENT
    assert "starttls" in failure.value.hint


@pytest.mark.parametrize("hidden", [(), ("PLAIN",)])
def test_who_we_are_is_proved_under_tls_by_plain_or_login(tmp_path, monkeypatch, hidden):
    certificate, context = authority(tmp_path)
    monkeypatch.setenv("DIGEST_SMTP_PASSWORD", PASSWORD)
    keeper = Keeper()

    with real_server(keeper, starttls=context, auth_exclude_mechanism=hidden) as port:
        text = f'port = {port}\nca_file = "{certificate}"\nuser = "{USER}"'
        answers = all_answers(configured(text), batch(2))

    assert len(answers) == 2
    assert set(keeper.logins) == {"LOGIN" if hidden else "PLAIN"}


@pytest.mark.parametrize("hidden", [(), ("PLAIN",)])
def test_a_wrong_password_stops_the_run_and_is_not_repeated_anywhere(tmp_path, monkeypatch, hidden):
    certificate, context = authority(tmp_path)
    monkeypatch.setenv("DIGEST_SMTP_PASSWORD", "wrong horse")
    keeper = Keeper()

    with real_server(keeper, starttls=context, auth_exclude_mechanism=hidden) as port:
        text = f'port = {port}\nca_file = "{certificate}"\nuser = "{USER}"'
        provider = configured(text)
        with pytest.raises(ProviderError, match="535") as failure:
            all_answers(provider, batch(2))

    assert failure.value.outcome is Outcome.PERMANENT
    assert "DIGEST_SMTP_PASSWORD" in failure.value.hint
    assert "horse" not in f"{failure.value}{vars(provider)}{provider._server!r}"


def test_a_server_that_knows_none_of_our_ways_to_log_in_is_told(tmp_path, monkeypatch):
    certificate, context = authority(tmp_path)
    monkeypatch.setenv("DIGEST_SMTP_PASSWORD", PASSWORD)

    with real_server(Keeper(), starttls=context, auth_exclude_mechanism=("PLAIN", "LOGIN")) as port:
        text = f'port = {port}\nca_file = "{certificate}"\nuser = "{USER}"'
        with pytest.raises(ProviderError, match="PLAIN and LOGIN"):
            all_answers(configured(text), batch(1))


def test_a_password_is_not_sent_in_the_clear_even_by_a_hand_made_server():
    server = Server(HOST, 1, Security.NONE, user=USER, password=Secret(PASSWORD))

    with real_server(Keeper()) as port:
        provider = Smtp(replace(server, port=port), Envelopes(SENDER))
        with pytest.raises(ProviderError, match="never goes in the clear"):
            all_answers(provider, batch(1))


def test_a_user_without_a_password_is_a_configuration_error(monkeypatch):
    monkeypatch.delenv("DIGEST_SMTP_PASSWORD", raising=False)
    monkeypatch.delenv("DIGEST_SMTP_PASSWORD_FILE", raising=False)

    with pytest.raises(ConfigError, match="set DIGEST_SMTP_PASSWORD"):
        configured('user = "ana"')


def test_without_a_host_there_is_no_provider():
    with pytest.raises(ConfigError, match=r"digest.toml: smtp.host: expected the name"):
        connect(config.parse("", Path("/newsletter/digest.toml"), {}))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_a_configuration_error(tmp_path, content):
    path = tmp_path / "authority.pem"
    if content:
        path.write_text(content)

    with pytest.raises(ConfigError, match=r"smtp\.ca_file"):
        configured(f'ca_file = "{path}"')


def test_an_address_outside_ascii_goes_to_a_server_that_can_carry_it():
    keeper, given = Keeper(), batch(1, address="żaneta@example.org")

    with real_server(keeper, enable_SMTPUTF8=True) as port:
        [answer] = all_answers(plain(port), given)

    assert isinstance(answer, Receipt)
    assert keeper.messages == [given.message(given.readers[0])]
    assert keeper.envelopes == [(SENDER, "żaneta@example.org")]


def test_an_address_outside_ascii_is_refused_for_good_where_the_server_cannot_carry_it():
    wide = batch(1, address="żaneta@example.org").readers
    given = replace(batch(1), readers=[*wide, *batch(2).readers])
    keeper = Keeper()

    with real_server(keeper, enable_SMTPUTF8=False) as port:
        answers = all_answers(plain(port, connections=1), given)

    [refusal] = [answer for answer in answers if isinstance(answer, Refusal)]
    assert refusal.outcome is Outcome.PERMANENT
    assert "SMTPUTF8" in refusal.reason
    assert "@" not in refusal.reason
    assert len(keeper.messages) == 2


def test_a_message_larger_than_the_server_takes_is_refused_without_sending_it():
    keeper = Keeper()

    with real_server(keeper, data_size_limit=1000) as port:
        [refusal] = all_answers(plain(port), batch(1))

    assert refusal.outcome is Outcome.PERMANENT
    assert refusal.reason.endswith("the server takes 1000")
    assert keeper.messages == []


def test_a_reader_who_can_have_no_message_is_refused_and_the_others_get_theirs():
    bad = replace(ANA, address="ana@example.org\r\nRCPT TO:<all@example.org>")
    given = replace(batch(2), readers=[bad, *batch(2).readers])
    keeper = Keeper()

    with real_server(keeper) as port:
        answers = all_answers(plain(port), given)

    [refusal] = [answer for answer in answers if isinstance(answer, Refusal)]
    assert refusal.outcome is Outcome.PERMANENT
    assert "example.org" not in refusal.reason
    assert len(keeper.messages) == 2


def test_work_stops_when_nobody_iterates():
    """One answer was asked for: its message, and at most one behind it, have left."""
    keeper = Keeper()

    with real_server(keeper) as port:
        provider = plain(port, connections=1)
        answers = provider.hand_over(batch(20))
        next(answers)
        answers.close()
        provider.close()

    assert len(keeper.messages) <= 2
