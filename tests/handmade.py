"""A small layout made by hand, and strategies for what people really are called."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from digest.composer import EditionMessage, Press, Reader
from digest.config import Newsletter
from digest.layout import Block, BlockName, Compiled, Layout, Slot
from digest.models import Cadence, Issue, Window

WARSAW = ZoneInfo("Europe/Warsaw")
STORIES = ("one", "two", "trzy")
ISSUE = Issue(
    "weekly-2026-11-19",
    Cadence.WEEKLY,
    Window(datetime(2026, 11, 12, 9, tzinfo=WARSAW), datetime(2026, 11, 19, 9, tzinfo=WARSAW)),
    datetime(2026, 11, 19, 9, tzinfo=WARSAW),
)
NEWSLETTER = Newsletter(
    name="Żółty Tydzień",
    sender="news@example.com",
    sender_name="",
    reply_to="editor@example.com",
    postal_address="Prosta 1, 00-001 Warszawa",
    base_url="https://news.example.com",
    list_id="weekly.example.com",
    language="en",
    timezone=WARSAW,
)
ANA = Reader(
    delivery="abcdefghij234567abcd",
    address="ana@example.org",
    name="Ana",
    salutation="Hi Ana,",
    why="You get this because you follow #ai, #python and #open-source, weekly, as you asked.",
    preferences_url="https://news.example.com/p/" + "P" * 34,
    unsubscribe_url="https://news.example.com/u/" + "U" * 34,
    view_url="https://news.example.com/i/weekly-2026-11-19/" + "V" * 34,
    feedback_url="https://news.example.com/f/weekly-2026-11-19/" + "F" * 34,
)
LONG_LINE = '<td style="font:16px/24px sans-serif;color:#123">Dzień dobry — cześć</td>' * 20


def _html() -> Layout:
    contents = {story: (f"<li>{story} ✓</li>\n",) for story in STORIES}
    cards = {story: (f"<h2>{story}</h2>", LONG_LINE, "\n.dots\n. \n") for story in STORIES}
    more = {story: (f"<li>also {story}</li>",) for story in STORIES}
    return Layout(
        (
            "<!doctype html><title>",
            Slot.SUBJECT,
            "</title>\n<p>",
            Slot.PREHEADER,
            "</p><p>",
            Slot.SALUTATION,
            " ",
            Slot.INTRO,
            "</p>",
            Block(BlockName.CONTENTS, ("<ol>",), contents, ("</ol>",)),
            Block(BlockName.STORIES, (), cards, ()),
            Block(BlockName.MORE, ("<ul>",), more, ("</ul>",)),
            Slot.WHY,
            '<a href="',
            Slot.PREFERENCES_URL,
            '">tags</a> <a href="',
            Slot.PAUSE_URL,
            '">pause</a> <a href="',
            Slot.UNSUBSCRIBE_URL,
            '">stop</a> <a href="',
            Slot.VIEW_URL,
            '">view</a> <a href="',
            Slot.FEEDBACK_URL,
            '">useful?</a></html>',
        )
    )


def _text() -> Layout:
    items = {story: (f"* {story} \nFrom here on: zażółć\n.\n",) for story in STORIES}
    return Layout(
        (
            Slot.SALUTATION,
            "\n\n",
            Slot.INTRO,
            "\n\n",
            Block(BlockName.CONTENTS, ("In this issue:\n",), items, ("\n",)),
            Block(BlockName.STORIES, (), items, ()),
            Block(BlockName.MORE, ("More:\n",), items, ()),
            Slot.WHY,
            "\nTags: ",
            Slot.PREFERENCES_URL,
            "\nPause: ",
            Slot.PAUSE_URL,
            "\nStop: ",
            Slot.UNSUBSCRIBE_URL,
            "\nView: ",
            Slot.VIEW_URL,
            "\nUseful? ",
            Slot.FEEDBACK_URL,
        )
    )


COMPILED = Compiled("en", _html(), _text())


def press(newsletter: Newsletter = NEWSLETTER) -> Press:
    return Press(COMPILED, newsletter, ISSUE)


def edition(subject: str = "One and two, “quoted”") -> EditionMessage:
    intro = "3 stories match your tags this week, which makes about 24 minutes of calm reading."
    return press().edition(("two", "one"), ("trzy",), subject=subject, preheader="<&>", intro=intro)


# Names as people, mistakes and attackers write them.
nasty_text = st.one_of(
    st.text(max_size=120),
    st.text(alphabet=" .=-_\\\"'<>&,;:@#?\r\n\t\0\u2028\u202e\ud800é中🦊", max_size=60),
    st.sampled_from(
        [
            "Zażółć Gęślą Jaźń",
            'Ana "the owl" O\'Neil, Jr.',
            "J. R. R. Tolkien",
            "山田太郎" * 12,
            "👩‍👩‍👧‍👦 family" * 9,
            "=?utf-8?q?not_encoded?=",
            "x\r\nBcc: everyone@example.com\r\n\r\n<script>",
            "--=_boundary--",
            ".",
            "From me",
            "a" * 300,
            "e\u0301" * 80,
            "word " * 60,
        ]
    ),
)
