"""What is told of pictures: do they answer, how heavy, wide and dark are they."""

import zlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.checks.answers import Answer
from digest.checks.markup import Piece, Template
from digest.checks.pictures import (
    DECODED,
    Picture,
    addresses,
    check_pictures,
    is_dark_on_nothing,
    width_of,
)
from digest.checks.png import SIGNATURE, pixels
from digest.models import Severity
from tests.test_online import asker, site  # noqa: F401 - fixtures
from tests.test_planted import draft, proof  # noqa: F401 - fixtures

Pixel = tuple[int, int, int, int]
BLACK, WHITE, NAVY, NOTHING = (0, 0, 0, 255), (255,) * 4, (10, 10, 60, 255), (0, 0, 0, 0)


def chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + b"\0\0\0\0"  # nobody reads the sum


def png(width: int, bits: int, kind: int, rows: bytes, *more: bytes, height: int = 1) -> bytes:
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((bits, kind, 0, 0, 0))
    packed = zlib.compress(rows)
    parts = (chunk(b"IDAT", packed[:5]), chunk(b"IDAT", packed[5:]), chunk(b"IEND", b""))
    return b"".join((SIGNATURE, chunk(b"IHDR", head), *more, *parts))


def coloured(rows: Sequence[Sequence[Pixel]], filters: Sequence[int] = ()) -> bytes:
    """A PNG of colours with transparency; each row filtered as the specification says."""
    above, coded = bytes(4 * len(rows[0])), b""
    for number, row in enumerate(rows):
        how = filters[number % len(filters)] if filters else 0
        plain = bytes(sample for pixel in row for sample in pixel)
        coded += bytes([how]) + bytes(
            (sample - guess(how, plain, above, at)) & 0xFF for at, sample in enumerate(plain)
        )
        above = plain
    return png(len(rows[0]), 8, 6, coded, height=len(rows))


def guess(how: int, row: bytes, above: bytes, at: int) -> int:
    left, up = row[at - 4] if at >= 4 else 0, above[at]
    corner = above[at - 4] if at >= 4 else 0
    if how == 4:
        best = left + up - corner
        a, b, c = abs(best - left), abs(best - up), abs(best - corner)
        return left if a <= b and a <= c else up if b <= c else corner
    return (0, left, up, (left + up) // 2)[how]


def logo(colour: Pixel, ground: Pixel) -> bytes:
    """Two strokes of a colour on a ground."""
    return coloured([[ground, colour, ground, colour, ground]] * 4)


samples = st.integers(0, 255)


@given(
    st.integers(1, 5).flatmap(
        lambda width: st.lists(
            st.lists(st.tuples(samples, samples, samples, samples), min_size=width, max_size=width),
            min_size=1,
            max_size=4,
        )
    ),
    st.lists(st.integers(0, 4), max_size=4),
)
def test_pixels_are_those_that_were_written(rows, filters):
    found = list(pixels(coloured(rows, filters), DECODED))

    assert found == [(pixel[:3], pixel[3] >= 128) for row in rows for pixel in row]


@pytest.mark.parametrize(("bits", "row"), [(1, b"\xa0"), (2, b"\x44"), (4, b"\x10\x10")])
def test_places_of_a_palette_are_unpacked(bits, row):
    data = png(
        3, bits, 3, b"\0" + row, chunk(b"PLTE", bytes((0, 0, 0, 9, 9, 9))), chunk(b"tRNS", b"\0")
    )
    dark, nothing = ((9, 9, 9), True), ((0, 0, 0), False)

    assert list(pixels(data, DECODED)) == [dark, nothing, dark]


@given(st.binary(max_size=200), st.integers(0, 120))
def test_no_bytes_stop_the_reading(data, cut):
    whole = logo(BLACK, NOTHING)
    for one in (data, SIGNATURE + data, whole[:cut] + data, whole[:cut]):
        width_of(one)
        is_dark_on_nothing(one)


@pytest.mark.parametrize(
    ("data", "dark"),
    [
        (logo(BLACK, NOTHING), True),
        (logo(NAVY, NOTHING), True),
        (logo(BLACK, WHITE), False),
        (logo(WHITE, NOTHING), False),
        (logo((200, 60, 40, 255), NOTHING), False),
        (coloured([[NOTHING] * 9]), False),
        (coloured([[BLACK] * 11 + [NOTHING]]), False),  # it is a dark picture with a round corner
        (png(1, 8, 4, b"\0\x10\xff") + b"", False),
        (png(4, 8, 4, b"\0" + b"\x10\xff" + b"\x10\0" * 3), True),
    ],
)
def test_what_is_dark_on_nothing_is_known(data, dark):
    assert is_dark_on_nothing(data) is dark


def test_a_bomb_is_not_unpacked():
    head = (500).to_bytes(4, "big") * 2 + bytes((8, 6, 0, 0, 0))
    bomb = chunk(b"IDAT", zlib.compress(bytes(50_000_000)))

    assert list(pixels(b"".join((SIGNATURE, chunk(b"IHDR", head), bomb)), 1000)) == []


JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc2\0\x11\x08\x03\x20\x06\x40"  # 800 high, 1600 wide


@pytest.mark.parametrize(
    ("data", "width"),
    [(JPEG, 1600), (b"GIF89a\x40\x06\x20\x03", 1600), (logo(BLACK, WHITE), 5), (b"<svg>", 0)],
)
def test_the_width_is_read_from_the_header(data, width):
    assert width_of(data) == width


ADDRESS = "https://news.example.com/logo.png?v=2"


def judged(proof, picture: Picture, style: str = "") -> list:  # noqa: F811
    html = f'<img src="{ADDRESS}" width="20" alt="Us" style="{style}">'
    template = Template("templates/digest.mjml", f"<mjml>\n{html}")
    one = replace(proof, pieces=(Piece(html, template),))
    assert addresses(one) == [ADDRESS]
    return list(check_pictures(one, {ADDRESS: picture}))


def got(status: int = 200, **more) -> Picture:
    known = {"problem", "private"} & more.keys()
    answer = Answer(status, ADDRESS, **{name: more.pop(name) for name in known})
    return Picture(answer, **more)


@pytest.mark.parametrize(
    ("picture", "check", "severity"),
    [
        (got(404), "image/dead", Severity.ERROR),
        (got(500), "image/dead", Severity.WARNING),
        (got(0, problem="no answer in time"), "image/dead", Severity.WARNING),
        (got(0, private=True), "image/dead", Severity.WARNING),
        (got(size=200_001), "image/heavy", Severity.WARNING),
        (got(size=1_000_001), "image/heavy", Severity.ERROR),
        (got(data=JPEG), "image/wide", Severity.WARNING),
        (got(data=logo(BLACK, NOTHING)), "image/dark", Severity.WARNING),
    ],
)
def test_a_fault_of_a_picture_is_found_at_its_line(proof, picture, check, severity):  # noqa: F811
    (found,) = judged(proof, picture)

    assert (found.check, found.severity) == (check, severity)
    assert (found.path, found.line) == ("templates/digest.mjml", 2)
    assert "v=2" not in found.message


def test_a_good_picture_is_no_finding(proof):  # noqa: F811
    assert judged(proof, got(size=200_000, data=logo(BLACK, WHITE))) == []
    assert judged(proof, got(data=logo(BLACK, NOTHING)), "background-color:#ffffff") == []


def test_check_online_asks_for_the_pictures_of_the_mail(project, run, site, asker, monkeypatch):  # noqa: F811
    monkeypatch.setattr("digest.online.Asker", lambda: asker)
    run("templates", "eject", "digest.mjml")
    place = project.root / "templates" / "digest.mjml"
    image = f'<mj-image src="{site.link("/404/logo.png")}" alt="Us" width="60px" />\n'
    text = place.read_text()
    head, tag, rest = text.partition("<mj-column")
    place.write_text(head + tag + rest.replace(">\n", ">\n" + image, 1))
    offline, online = run("check"), run("check", "--online")

    assert "image/dead" not in offline.out
    assert "image/dead" in online.out, online.out
    assert ("site.example.com", "/404/logo.png") in site.asked
    assert online.code == 3
