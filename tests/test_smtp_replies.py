"""What a mail server says, in pieces of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import Outcome
from digest.providers.smtp.replies import LONGEST, GarbledError, Replies, Reply

_texts = st.lists(
    st.binary(max_size=60).filter(lambda text: b"\n" not in text and not text.endswith(b"\r")),
    min_size=1,
    max_size=4,
)
_replies = st.builds(lambda code, texts: Reply(code, tuple(texts)), st.integers(200, 599), _texts)


def wire(reply: Reply) -> bytes:
    *before, last = reply.lines
    lines = [b"%d-%b\r\n" % (reply.code, text) for text in before]
    return b"".join([*lines, b"%d %b\r\n" % (reply.code, last)])


def heard(replies: Replies, pieces: list[bytes]) -> list[Reply]:
    found = []
    for piece in pieces:
        replies.feed(piece)
        while reply := replies.take():
            found.append(reply)
    return found


@given(st.lists(_replies, max_size=5), st.integers(1, 7))
def test_replies_are_the_same_however_they_are_cut(said, size):
    data, replies = b"".join(map(wire, said)), Replies()

    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert heard(replies, pieces) == said
    assert replies.empty


@given(st.binary(max_size=200))
def test_any_bytes_are_replies_or_garbled_and_their_words_are_harmless(data):
    try:
        found = heard(Replies(), [data])
    except GarbledError:
        return

    assert all(r.words.isprintable() and r.words.isascii() for r in found)
    assert all(len(r.words) < 320 and "@" not in r.words for r in found)


@pytest.mark.parametrize("data", [b"hello\r\n", b"25\r\n", b"150 x\r\n", b"250x\r\n", b"\r\n"])
def test_what_is_no_reply_is_garbled(data):
    with pytest.raises(GarbledError):
        heard(Replies(), [data])


def test_what_came_before_garbage_is_still_heard():
    replies = Replies()
    replies.feed(b"250 taken\r\nrubbish\r\n")

    assert replies.take() == Reply(250, (b"taken",))
    with pytest.raises(GarbledError):
        replies.take()


def test_a_reply_that_changes_its_code_is_garbled():
    with pytest.raises(GarbledError, match="changes its code"):
        heard(Replies(), [b"250-a\r\n550 b\r\n"])


@pytest.mark.parametrize("piece", [b"x" * 1000, b"250-more of it\r\n"])
def test_a_reply_without_an_end_is_given_up(piece):
    with pytest.raises(GarbledError, match="does not end"):
        heard(Replies(), [piece] * (LONGEST // len(piece) * 2))


@pytest.mark.parametrize(
    ("lines", "status", "words"),
    [
        ([b"5.1.1 No such user"], "5.1.1", "550 5.1.1 No such user"),
        ([b"5.1.1 No such", b"5.1.1 user"], "5.1.1", "550 5.1.1 No such user"),
        ([b"No such user"], "", "550 No such user"),
        ([b"4.1.1 contradicts the code"], "", "550 4.1.1 contradicts the code"),
        ([b"5.1.1"], "5.1.1", "550 5.1.1"),
        ([b"<Ana.B+x@example.org>... User unknown"], "", "550 <address>... User unknown"),
        ([b"\x1b[31mred\x00 caf\xc3\xa9"], "", "550 [31mred caf"),
        ([b""], "", "550"),
    ],
)
def test_words_keep_the_status_and_leave_addresses_and_controls_out(lines, status, words):
    reply = Reply(550, tuple(lines))

    assert (reply.status, reply.words) == (status, words)


def test_the_basic_code_says_whether_to_try_again():
    assert Reply(450, (b"5.1.1 x",)).outcome is Outcome.TEMPORARY
    assert Reply(550, (b"4.1.1 x",)).outcome is Outcome.PERMANENT
