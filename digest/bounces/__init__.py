"""The bounce mailbox: mails that came back, read one by one, and what each says of a delivery.

Reads a file, an mbox, a maildir or a folder of mails. Nothing in a mail is believed but a delivery
id that only our own message can have told: the address in a report may be anybody's.
"""

import mailbox
from collections.abc import Iterator
from pathlib import Path

from digest.bounces.reports import Report, Said, understand

__all__ = ["MOST", "Report", "Said", "mails", "understand"]

MOST = 10 * 1024 * 1024  # bytes of a mail that is looked at
_MBOX = b"From "


def mails(place: Path) -> Iterator[bytes]:
    """Every mail in a file, mbox, maildir or folder, in a stable order. Nothing is changed."""
    if place.is_dir():
        yield from _folder(place)
    elif _begins(place) == _MBOX:
        box = mailbox.mbox(place, create=False)
        try:
            for key in sorted(box.keys()):
                yield box.get_bytes(key)
        finally:
            box.close()
    else:
        yield _read(place)


def _folder(place: Path) -> Iterator[bytes]:
    """A maildir's `new` and `cur`, or any folder with a mail in each file."""
    inside = [place / name for name in ("new", "cur") if (place / name).is_dir()]
    for folder in inside or [place]:
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                yield from mails(file) if not inside else [_read(file)]


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MOST + 1)


def _begins(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(len(_MBOX))
