"""Values made fit for the two parts: the one place where a slot's text is escaped or wrapped.

The renderer's whole render and the composer's splice both come here, so their bytes are equal.
"""

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

from digest.columns import wrap
from digest.layout import Slot

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PARAGRAPHS = frozenset({Slot.PREHEADER, Slot.INTRO, Slot.WHY})


def attr(text: str) -> Markup:
    """Text for any MJML attribute and for mj-title: escaped, ASCII only.

    MRML prints attributes with Rust's debug formatting: a backslash, a control or a character
    like NBSP or a combining accent comes out as `\\u{301}`. Numeric references pass unharmed.
    """
    escaped = str(escape(text)).replace("\\", "&#92;")
    escaped = _CONTROL.sub(lambda match: f"&#{ord(match[0])};", escaped)
    return Markup(escaped.encode("ascii", "xmlcharrefreplace").decode())  # noqa: S704 - just escaped


def html_values(values: Mapping[Slot, str]) -> dict[Slot, str]:
    """Plain values escaped for the HTML part; the subject as `attr`, because it is a title."""
    return {slot: html_value(slot, text) for slot, text in values.items()}


def text_values(values: Mapping[Slot, str]) -> dict[Slot, str]:
    """Plain values for the text part: sentences wrapped to 72 columns, all else as it is."""
    return {slot: text_value(slot, text) for slot, text in values.items()}


def html_value(slot: Slot, text: str) -> str:
    return str(attr(text) if slot is Slot.SUBJECT else escape(text))


def text_value(slot: Slot, text: str) -> str:
    return wrap(text) if slot in _PARAGRAPHS else text
