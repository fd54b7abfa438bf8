"""Bytes of a file to text with `\\n` line ends, or a refusal that names the byte."""

import re
from typing import NamedTuple

from digest.content.refusal import RefusedError, refuse

UTF16 = (b"\xff\xfe", b"\xfe\xff")
# C0 without tab and line feed, DEL, C1, and what XML cannot carry.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_C0 = bytes({*range(32), 0x7F} - set(b"\t\n\r"))


class Text(NamedTuple):
    """What a file says."""

    text: str
    clean: bool  # False: there may be control characters in it


def decode(data: bytes, path: str) -> Text:
    """The text of a post. A byte order mark is dropped; CRLF, CR and mixtures become `\\n`.

    Raises RefusedError for UTF-16, a NUL byte, and bytes that are not UTF-8.
    """
    if data.startswith(UTF16):
        raise refuse(path, 0, "content/encoding", "UTF-16 file", fix="save it as UTF-8")
    clean = _is_clean(data)
    if not clean and b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise refuse(
            path, line, "content/encoding", "NUL byte: not a text file", fix="save it as UTF-8"
        )
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _not_utf8(data, error.start, path) from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Text(text, clean)


def _is_clean(data: bytes) -> bool:
    """True when the text has certainly no control character: 2 µs, where a search takes 60."""
    if len(data.translate(None, _C0)) != len(data):
        return False
    return b"\xc2" not in data and b"\xef\xbf" not in data


def _not_utf8(data: bytes, start: int, path: str) -> RefusedError:
    line = data.count(b"\n", 0, start) + 1
    message = f"byte {start}: not UTF-8 (0x{data[start]:02X})"
    half = data[start : start + 1] == b"\xc2"
    fix = "half of a no-break space was lost here: type it again" if half else "save it as UTF-8"
    return refuse(path, line, "content/encoding", message, fix=fix)
