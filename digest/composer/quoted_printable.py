"""Quoted-printable in segments that can be joined in any order (RFC 2045 6.7).

Every segment starts at the start of a physical line and leaves the next one there: it ends with a
line break, hard (its own) or soft (`=`). So no escape is ever cut by a join, no physical line
grows past 76 bytes, and none can begin with a full stop, which makes SMTP dot-stuffing a no-op.
`binascii.b2a_qp` promises none of the three, and is hardly faster on the short values of a reader.
"""

import re
from collections.abc import Iterator

_SOFT_BREAK = b"=\r\n"
_ROOM = 75  # bytes of a physical line before the `=` of a soft break: 76 in all

# Everything but printable ASCII without "=", space and tab is escaped (rule 2).
_SPECIAL = re.compile(rb"[^\t -<>-~]")
_ESCAPES = {bytes([byte]): b"=%02X" % byte for byte in range(256)}
# A lone full stop ends an SMTP message; mailboxes mangle a line that begins with "From ".
_FRAGILE_STARTS = (b".", b"From ")


def encode(text: str) -> bytes:
    """One segment; `\\n` (also `\\r\\n`) is a line break, a lone `\\r` is an ordinary byte.

    Lone surrogates, which no UTF-8 can carry, become question marks. Empty text is no bytes.
    """
    *lines, last = text.encode("utf-8", "replace").replace(b"\r\n", b"\n").split(b"\n")
    encoded = b"".join([_wrapped(_end_guarded(_escaped(line))) + b"\r\n" for line in lines])
    return encoded + _wrapped(_escaped(last)) + _SOFT_BREAK if last else encoded


def _escaped(line: bytes) -> bytes:
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], line)


def _end_guarded(line: bytes) -> bytes:
    """Transports strip white space at the end of a line, so it is escaped there (rule 3)."""
    if line.endswith((b" ", b"\t")):
        return line[:-1] + _ESCAPES[line[-1:]]
    return line


def _wrapped(line: bytes) -> bytes:
    """An escaped line with soft breaks where it is too long, and nothing at its end."""
    if len(line) <= _ROOM and not line.startswith(_FRAGILE_STARTS):
        return line
    return _SOFT_BREAK.join(_physical_lines(line))


def _physical_lines(line: bytes) -> Iterator[bytes]:
    """Pieces of at most 75 bytes, no escape cut in two, no fragile start."""
    start = 0
    while start < len(line):
        first = b""
        if line.startswith(_FRAGILE_STARTS, start):
            first = _ESCAPES[line[start : start + 1]]
            start += 1
        end = min(start + _ROOM - len(first), len(line))
        if end < len(line):
            end -= line[end - 2 : end][::-1].find(b"=") + 1  # step back out of an escape
        yield first + line[start:end]
        start = end
