"""The pixels of a small PNG, with no library for pictures: a colour each, and if it shows."""

import zlib
from collections.abc import Iterator

from digest.checks.colour import Colour

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {3: 1, 4: 2, 6: 4}  # of a pixel, by kind: palette, grey and colour with transparency
_SHOWN = 128  # of 255


def pixels(data: bytes, most: int) -> Iterator[tuple[Colour, bool]]:
    """The pixels of a PNG that may be transparent, row by row.

    None of what is larger than `most` pixels, not whole, interlaced, or of 16 bits a sample.
    """
    chunks = dict(_chunks(data))
    head = chunks.get(b"IHDR", b"").ljust(13, b"\xff")
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    bits, kind, interlaced = head[8], head[9], head[12]
    deep = bits == 8 or (kind == 3 and bits in (1, 2, 4))
    if kind not in _SAMPLES or not deep or interlaced or not 0 < width * height <= most:
        return
    length = (width * _SAMPLES[kind] * bits + 7) // 8
    try:
        whole = zlib.decompressobj().decompress(chunks.get(b"IDAT", b""), height * (length + 1))
    except zlib.error:
        return
    if len(whole) < height * (length + 1):
        return
    palette, alphas = chunks.get(b"PLTE", b""), chunks.get(b"tRNS", b"")
    above = bytearray(length)
    for start in range(0, len(whole), length + 1):
        row = _unfiltered(whole[start], whole[start + 1 : start + 1 + length], above, kind)
        above = row
        if kind == 6:
            for at in range(0, length, 4):
                yield (row[at], row[at + 1], row[at + 2]), row[at + 3] >= _SHOWN
        elif kind == 4:
            for at in range(0, length, 2):
                yield (row[at], row[at], row[at]), row[at + 1] >= _SHOWN
        else:
            for place in _unpacked(row, bits, width):
                red, green, blue = palette[3 * place : 3 * place + 3].ljust(3, b"\0")
                shown = place >= len(alphas) or alphas[place] >= _SHOWN
                yield (red, green, blue), shown


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk; those of the picture itself as one."""
    if not data.startswith(SIGNATURE):
        return
    at, picture = len(SIGNATURE), []
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if name == b"IDAT":
            picture.append(content)
        else:
            yield name, content
        at += 12 + length
    yield b"IDAT", b"".join(picture)


def _unfiltered(how: int, coded: bytes, above: bytearray, kind: int) -> bytearray:
    """A row as it was before it was filtered (PNG specification, 9)."""
    step = _SAMPLES[kind]
    row = bytearray(coded)
    for at in range(len(row) if how else 0):
        left = row[at - step] if at >= step else 0
        up = above[at]
        if how == 1:
            guess = left
        elif how == 2:
            guess = up
        elif how == 3:
            guess = (left + up) // 2
        else:
            corner = above[at - step] if at >= step else 0
            guess = _nearest(left, up, corner)
        row[at] = (row[at] + guess) & 0xFF
    return row


def _nearest(left: int, up: int, corner: int) -> int:
    """Paeth's: whichever is nearest to left + up - corner, in this order."""
    wanted = left + up - corner
    return min((left, up, corner), key=lambda one: abs(wanted - one))


def _unpacked(row: bytearray, bits: int, width: int) -> Iterator[int]:
    """The places in the palette, of which a byte holds several."""
    each = 8 // bits
    for number in range(width):
        shift = 8 - bits * (number % each + 1)
        yield row[number // each] >> shift & (1 << bits) - 1
