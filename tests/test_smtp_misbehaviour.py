"""A mail server that does anything at any moment: nothing is lost, nothing told wrongly."""

import socket
from collections import Counter, deque
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.config import Security
from digest.errors import Outcome, ProviderError
from digest.providers import Answer, Batch, Receipt, Refusal
from digest.providers.smtp import Effort, Envelopes, Server, Smtp
from digest.providers.smtp.login import Phase
from tests.handmade import ANA, ISSUE, edition
from tests.mailservers import CLOSE, SILENCE, Rogue, Turn

SHORT = dict.fromkeys(Phase, 0.15)  # seconds
LONG = dict.fromkeys(Phase, 10.0)
NO_PIPELINING = "250 rogue"


def batch(count: int) -> Batch:
    readers = [replace(ANA, delivery=f"d{n:019d}") for n in range(count)]
    return Batch(ISSUE.id, edition(), readers)


def smtp(port: int, connections: int = 1, messages: int = 100, patience=LONG) -> Smtp:
    server = Server("127.0.0.1", port, Security.NONE)
    return Smtp(server, Envelopes("news@example.com"), Effort(connections, messages, patience))


def answers_of(rogue: Rogue, count: int = 1, **effort: object) -> list[Answer]:
    provider = smtp(rogue.port, **effort)
    try:
        return list(provider.hand_over(batch(count)))
    finally:
        provider.close()


def run(provider: Smtp, given: Batch) -> tuple[list[Answer], ProviderError | None]:
    """Every answer that was given, and what ended the run if anything did."""
    told: list[Answer] = []
    try:
        told.extend(answer for answer in provider.hand_over(given))
    except ProviderError as failure:
        return told, failure
    finally:
        provider.close()
    return told, None


def outcomes(answers: list[Answer]) -> list[Outcome | None]:
    """By delivery; None for a receipt."""
    ordered = sorted(answers, key=lambda answer: answer.delivery)
    return [answer.outcome if isinstance(answer, Refusal) else None for answer in ordered]


@pytest.mark.parametrize("hello", [Rogue.hello, NO_PIPELINING])
@pytest.mark.parametrize(
    ("turn", "outcome"),
    [
        (Turn(mail="450 4.7.1 later"), Outcome.TEMPORARY),
        (Turn(rcpt="450 4.2.2 full"), Outcome.TEMPORARY),
        (Turn(rcpt="550 5.1.1 nobody"), Outcome.PERMANENT),
        (Turn(rcpt="550 5.1.1 nobody", data="354 anyway"), Outcome.PERMANENT),
        (Turn(data="451 4.3.0 later"), Outcome.TEMPORARY),
        (Turn(data="554 5.7.1 no"), Outcome.PERMANENT),
        (Turn(body="452 4.3.1 disk"), Outcome.TEMPORARY),
        (Turn(body="554 5.7.1 spam"), Outcome.PERMANENT),
    ],
)
def test_a_refusal_is_what_its_code_says_and_the_next_message_goes_through(hello, turn, outcome):
    with Rogue(deque([Turn(), turn]), hello=hello) as rogue:
        answers = answers_of(rogue, 4)

    assert outcomes(answers) == [None, outcome, None, None]
    assert len(rogue.taken) == 3
    assert rogue.connections == 1
    assert rogue.hasty == 0


@pytest.mark.parametrize("hello", [Rogue.hello, NO_PIPELINING])
@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("end", ["421 4.3.2 closing", CLOSE])
def test_a_first_envelope_that_ends_the_connection_was_certainly_not_taken(hello, phase, end):
    with Rogue(deque([Turn(**{phase: end})]), hello=hello) as rogue:
        answers = answers_of(rogue, 2)

    assert outcomes(answers) == [Outcome.TEMPORARY, None]
    assert len(rogue.taken) == 1


@pytest.mark.parametrize("hello", [Rogue.hello, NO_PIPELINING])
@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("end", ["421 4.7.0 enough", CLOSE])
def test_a_connection_that_grew_old_costs_nobody_anything(hello, phase, end):
    """The envelope behind a message that was taken goes to a new connection."""
    with Rogue(deque([Turn(), Turn(**{phase: end})]), hello=hello) as rogue:
        answers = answers_of(rogue, 3)

    assert outcomes(answers) == [None, None, None]
    assert rogue.connections == 2
    assert Counter(rogue.taken).most_common(1)[0][1] == 1


@pytest.mark.parametrize("hello", [Rogue.hello, NO_PIPELINING])
@pytest.mark.parametrize("end", ["421 4.3.2 closing", CLOSE, "354 what", "hello?", "999 x", "2"])
def test_no_clear_answer_after_the_dot_is_unknown_for_that_one_alone(hello, end):
    with Rogue(deque([Turn(), Turn(body=end)]), hello=hello) as rogue:
        answers = answers_of(rogue, 4)

    assert outcomes(answers) == [None, Outcome.UNKNOWN, None, None]


def test_silence_after_the_dot_is_unknown_and_at_most_one_a_connection():
    with Rogue(deque([Turn(), Turn(), Turn(body=SILENCE)])) as rogue:
        answers = answers_of(rogue, 5, patience=SHORT)

    assert Counter(outcomes(answers))[Outcome.UNKNOWN] == 1
    assert len(answers) == 5


@pytest.mark.parametrize("connections", [1, 3])
def test_of_a_server_that_never_answers_no_more_is_in_doubt_than_was_in_flight(connections):
    with Rogue(deque(Turn(body=CLOSE) for _ in range(60))) as rogue:
        answers, stopped = run(smtp(rogue.port, connections), batch(60))

    assert connections < outcomes(answers).count(Outcome.UNKNOWN) <= 2 * connections
    assert stopped is not None
    assert stopped.outcome is Outcome.TEMPORARY


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
def test_silence_in_an_envelope_is_temporary_and_the_letter_itself_may_be_why(phase):
    with Rogue(deque([Turn(), Turn(**{phase: SILENCE})])) as rogue:
        answers = answers_of(rogue, 3, patience=SHORT)

    assert outcomes(answers) == [None, Outcome.TEMPORARY, None]
    assert "no answer within 0 seconds" in answers[1].reason


@pytest.mark.parametrize(
    ("middle", "outcome"),
    [(CLOSE, Outcome.TEMPORARY), ("421 4.3.2 bye", Outcome.TEMPORARY)],
)
def test_a_message_of_which_the_dot_never_left_was_certainly_not_taken(middle, outcome):
    """The message is larger than what the system holds back for a server that does not read."""
    with Rogue(deque([Turn(middle=middle)])) as rogue:
        provider = smtp(rogue.port)
        [answer] = provider.hand_over(_huge())
        provider.close()

    assert (answer.outcome, rogue.taken) == (outcome, [])


def test_a_server_that_refuses_a_message_before_it_has_all_of_it_is_believed():
    with Rogue(deque([Turn(middle="552 5.3.4 too big")])) as rogue:
        provider = smtp(rogue.port)
        [answer] = provider.hand_over(_huge())
        provider.close()

    assert answer.outcome is Outcome.PERMANENT
    assert answer.reason == "552 5.3.4 too big"


def test_a_receipt_for_a_message_that_has_not_left_is_not_believed():
    with Rogue(deque([Turn(middle="250 2.0.0 taken")])) as rogue:
        provider = smtp(rogue.port)
        [answer] = provider.hand_over(_huge())
        provider.close()

    assert answer.outcome is Outcome.TEMPORARY
    assert "out of step" in answer.reason


class _Huge:
    """An edition that no socket's buffer holds."""

    def message(self, reader) -> bytes:
        head, _, body = edition().message(reader).partition(b"\r\n\r\n")
        return head + b"\r\n\r\n" + body * (40_000_000 // len(body))


def _huge() -> Batch:
    return replace(batch(1), edition=_Huge())


@pytest.mark.parametrize("middle", ["220 hello", "250 one\r\n250 too many", "garbage"])
def test_replies_that_fit_nothing_end_the_connection_and_nothing_is_told_as_taken(middle):
    with Rogue(deque([Turn(data=middle)])) as rogue:
        answers = answers_of(rogue, 2)

    assert outcomes(answers) == [Outcome.TEMPORARY, None]


def test_a_go_ahead_that_comes_twice_is_a_server_out_of_step():
    with Rogue(deque([Turn(data="354 go on\r\n250 taken")])) as rogue:
        answers = answers_of(rogue, 1)

    assert outcomes(answers) in ([Outcome.TEMPORARY], [Outcome.UNKNOWN])


def test_replies_of_several_lines_and_in_single_bytes_are_replies():
    turn = Turn(mail="250-2.1.0 fine\r\n250 2.1.0 really", data="354-go\r\n354 on")
    with Rogue(deque([turn, turn]), one_byte_at_a_time=True) as rogue:
        answers = answers_of(rogue, 3)

    assert outcomes(answers) == [None] * 3


def test_a_reason_keeps_the_servers_words_and_no_address():
    words = "550-5.1.1 <ana@example.org>: no such user\r\n550 5.1.1 see https://help.example/u@x"
    with Rogue(deque([Turn(rcpt=words)])) as rogue:
        [answer] = answers_of(rogue)

    assert answer.reason == "550 5.1.1 <address>: no such user see <address>"


def test_a_sender_that_is_refused_stops_the_run_and_blames_no_reader():
    """What was on its way by then is answered first."""
    with Rogue(deque([Turn(), Turn(mail="550 5.7.1 not yours")])) as rogue:
        answers, failure = run(smtp(rogue.port), batch(5))

    assert failure.outcome is Outcome.PERMANENT
    assert "refuses the sender: 550 5.7.1 not yours" in str(failure)
    assert [answer.delivery for answer in answers] == rogue.taken
    assert outcomes(answers) == [None]


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        ("421 4.3.2 too many", Outcome.TEMPORARY),
        ("554 5.7.1 not you", Outcome.PERMANENT),
        (CLOSE, Outcome.TEMPORARY),
        ("what?", Outcome.TEMPORARY),
    ],
)
def test_a_server_that_does_not_greet_gets_nothing_and_the_run_stops(greeting, outcome):
    with (
        Rogue(greetings=deque([greeting])) as rogue,
        pytest.raises(ProviderError) as failure,
    ):
        answers_of(rogue, 3)

    assert failure.value.outcome is outcome
    assert failure.value.hint
    assert rogue.taken == []


def test_a_server_that_never_greets_is_given_up():
    with (
        Rogue(greetings=deque([SILENCE])) as rogue,
        pytest.raises(ProviderError, match="no answer within") as failure,
    ):
        answers_of(rogue, 1, patience=SHORT)

    assert failure.value.outcome is Outcome.TEMPORARY


def test_fewer_connections_do_where_the_server_wants_fewer():
    with Rogue(greetings=deque(["220 hello", "421 4.7.0 one is enough", "421 4.7.0 no"])) as rogue:
        answers = answers_of(rogue, 12, connections=3)

    assert outcomes(answers) == [None] * 12
    assert len(set(rogue.taken)) == len(rogue.taken) == 12


def test_a_connection_too_many_is_refused_in_any_words_once_another_got_in():
    with Rogue(greetings=deque(["220 hello", "554 5.7.1 no more"])) as rogue:
        provider = smtp(rogue.port, connections=2)
        answers = list(provider.hand_over(batch(1)))
        answers += provider.hand_over(batch(12))
        provider.close()

    assert outcomes(answers) == [None] * 13


def test_what_the_source_of_batches_raises_comes_after_what_is_on_its_way():
    """An OSError of the disk is not taken for one of the network, nor a letter forgotten."""

    def batches():
        yield batch(3)
        raise OSError("the disk is gone")

    answers: list[Answer] = []
    with Rogue() as rogue:
        provider = smtp(rogue.port)
        with pytest.raises(OSError, match="the disk is gone"):
            answers.extend(provider.hand_over_all(batches()))
        provider.close()

    assert len(rogue.taken) == len(set(rogue.taken))
    assert rogue.verbs.count("DATA") == len(rogue.taken)


def test_a_server_that_was_down_gets_all_connections_when_it_is_back():
    with Rogue(greetings=deque(["421 x", "421 x", "421 x"])) as rogue:
        provider = smtp(rogue.port, connections=3)
        with pytest.raises(ProviderError):
            list(provider.hand_over(batch(3)))
        answers = list(provider.hand_over(batch(3)))
        provider.close()

    assert outcomes(answers) == [None] * 3
    assert provider._most == 3


def test_an_old_server_without_ehlo_is_spoken_to_plainly():
    with Rogue(hello="502 5.5.1 what?") as rogue:
        answers = answers_of(rogue, 2)

    assert outcomes(answers) == [None, None]
    assert rogue.verbs[:2] == ["EHLO", "HELO"]


def test_nothing_listens_there():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(ProviderError, match="cannot be reached: Connection refused") as failure:
        list(smtp(port).hand_over(batch(2)))

    assert failure.value.outcome is Outcome.TEMPORARY


def test_a_host_that_nobody_knows():
    provider = Smtp(
        Server("mail.invalid", 25, Security.NONE), Envelopes("news@example.com"), Effort()
    )

    with pytest.raises(ProviderError, match=r"mail\.invalid:25 cannot be reached") as failure:
        list(provider.hand_over(batch(1)))

    assert failure.value.outcome is Outcome.TEMPORARY


def test_a_connection_that_the_server_closed_between_batches_is_replaced():
    with Rogue() as rogue:
        provider = smtp(rogue.port)
        first = list(provider.hand_over(batch(1)))
        for connection in provider._connections:
            connection.wire._socket.shutdown(socket.SHUT_RD)  # as if the server had hung up
        second = list(provider.hand_over(batch(1)))
        provider.close()

    assert outcomes(first + second) == [None, None]
    assert rogue.connections == 2


def test_a_connection_that_was_long_unused_is_not_trusted():
    now = [0.0]
    with Rogue() as rogue:
        server = Server("127.0.0.1", rogue.port, Security.NONE)
        envelopes = Envelopes("news@example.com")
        provider = Smtp(server, envelopes, Effort(), clock=lambda: now[0])
        list(provider.hand_over(batch(1)))
        now[0] += 3600
        list(provider.hand_over(batch(1)))
        provider.close()

    assert (rogue.connections, rogue.verbs.count("QUIT")) == (2, 2)


def test_parting_is_polite():
    with Rogue() as rogue:
        answers_of(rogue, 5, messages=2)

    assert rogue.verbs.count("QUIT") == rogue.connections == 3
    assert "RSET" not in rogue.verbs


_CODES = ["450 4.2.1 x", "550 5.1.1 x", "421 4.3.2 x", CLOSE]
_TURNS = st.one_of(
    st.just(Turn()),
    st.builds(Turn, mail=st.sampled_from(["450 4.7.1 x", "421 x", CLOSE, "garbage"])),
    st.builds(Turn, rcpt=st.sampled_from([*_CODES, "garbage", "354 x"])),
    st.builds(Turn, rcpt=st.just("550 5.1.1 x"), data=st.just("354 anyway")),
    st.builds(Turn, data=st.sampled_from([*_CODES, "garbage", "250 x", "354-a\r\n354 b"])),
    st.builds(Turn, middle=st.sampled_from(["421 x", "552 x", CLOSE, "garbage"])),
    st.builds(Turn, body=st.sampled_from([*_CODES, "garbage", "354 x", "250-a\r\n250 b"])),
)


@settings(max_examples=150, deadline=None)
@given(
    turns=st.lists(_TURNS, max_size=10),
    greetings=st.lists(st.sampled_from(["220 x", "421 x", CLOSE]), max_size=3),
    count=st.integers(1, 10),
    connections=st.integers(1, 3),
    messages=st.integers(1, 4),
    pipelining=st.booleans(),
)
def test_whatever_a_server_does_each_delivery_is_answered_once_and_truly(
    turns, greetings, count, connections, messages, pipelining
):
    hello = Rogue.hello if pipelining else NO_PIPELINING
    with Rogue(deque(turns), deque(greetings), hello) as rogue:
        told, stopped = run(smtp(rogue.port, connections, messages), batch(count))

    taken = Counter(rogue.taken)
    answered = Counter(answer.delivery for answer in told)
    assert all(times == 1 for times in (*taken.values(), *answered.values()))
    assert stopped or len(answered) == count
    maybe = {a.delivery for a in told if isinstance(a, Receipt) or a.outcome is Outcome.UNKNOWN}
    assert taken.keys() <= maybe
    assert {a.delivery for a in told if isinstance(a, Receipt)} <= taken.keys()
    assert rogue.hasty == 0
