"""Segments of quoted-printable that survive any order, any transport and any text."""

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.composer.quoted_printable import encode

texts = st.lists(
    st.one_of(
        st.text(),
        st.text(alphabet="a =.\t\n\rFé🦊", max_size=200),
        st.integers(60, 90).map(lambda n: "x" * n + "é.\n"),
        st.just("From here. " * 30),
    ),
    max_size=8,
)


def _plain(segments: list[str]) -> bytes:
    return b"".join(
        segment.encode("utf-8", "replace").replace(b"\r\n", b"\n") for segment in segments
    )


@given(texts)
def test_joined_segments_decode_to_the_joined_texts(segments):
    encoded = b"".join(encode(segment) for segment in segments)

    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n") == _plain(segments).replace(
        b"\r\n", b"\n"
    )


@given(texts)
def test_no_physical_line_breaks_a_rule_of_mail(segments):
    encoded = b"".join(encode(segment) for segment in segments)

    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
        assert all(byte == 0x09 or 0x20 <= byte < 0x7F for byte in line)


@given(st.text())
def test_a_segment_leaves_the_next_one_at_the_start_of_a_line(text):
    assert encode(text).endswith(b"\r\n") == bool(text)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", b""),
        ("=", b"=3D=\r\n"),
        ("\n", b"\r\n"),
        (".", b"=2E=\r\n"),
        ("end \n", b"end=20\r\n"),
        ("end ", b"end =\r\n"),
        ("From me\n", b"=46rom me\r\n"),
        ("x" * 75, b"x" * 75 + b"=\r\n"),
        ("x" * 76, b"x" * 75 + b"=\r\nx=\r\n"),
        ("x" * 74 + "é\n", b"x" * 74 + b"=\r\n=C3=A9\r\n"),
        ("x" * 75 + ".", b"x" * 75 + b"=\r\n=2E=\r\n"),
        ("\r", b"=0D=\r\n"),
        ("\ud800", b"?=\r\n"),
    ],
)
def test_a_text_has_one_known_encoding(text, encoded):
    assert encode(text) == encoded


def test_a_boundary_never_occurs_in_encoded_text():
    """Every boundary of ours holds `=_`, and `=` is always followed by digits or a line break."""
    assert b"=_" not in encode("--=_0123456789abcdef--\n=_")
