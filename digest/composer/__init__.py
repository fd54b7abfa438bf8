"""Compiled layouts and a reader -> message bytes, or merged text. No file, no clock, no render."""

from digest.composer.escape import attr, html_values, text_values
from digest.composer.message import EditionMessage, Press
from digest.composer.notice import notice_message
from digest.composer.reader import Reader, delivery_id, edition_id
from digest.composer.splice import Sizes, measure, merge

__all__ = [
    "EditionMessage",
    "Press",
    "Reader",
    "Sizes",
    "attr",
    "delivery_id",
    "edition_id",
    "html_values",
    "measure",
    "merge",
    "notice_message",
    "text_values",
]
