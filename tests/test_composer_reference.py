"""The fast path equals the slow one: Jinja, MJML and `EmailMessage` for every reader."""

from collections.abc import Sequence
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from digest.composer import Press, Reader, html_values, measure, merge, text_values
from digest.composer.headers import clean
from digest.layout import Compiled, Slot
from digest.renderer import Renderer
from tests import slow_reference
from tests.handmade import ANA, nasty_text
from tests.invented import ISSUE, settings, stories

STORIES = stories(6)
BY_ID = {story.id: story for story in STORIES}
WORDS = {
    Slot.SUBJECT: "Café, 中文 & \\ “quotes” 🦊",
    Slot.PREHEADER: "Zażółć <gęślą> jaźń · " * 5,
    Slot.INTRO: "3 stories match your tags this week, about 24 minutes of reading. " * 2,
}
chosen = st.permutations(sorted(BY_ID)).flatmap(
    lambda ids: st.tuples(st.integers(1, 4), st.integers(0, 2)).map(
        lambda n: (ids[: n[0]], ids[n[0] : n[0] + n[1]])
    )
)


CONFIG = settings(Path(__file__).parent)
RENDERER = Renderer(None, CONFIG)


@cache
def _compiled() -> Compiled:
    return RENDERER.compile(STORIES, ISSUE, "en")


def _slowly(ids: Sequence[str], more: Sequence[str], reader: Reader) -> tuple[str, str]:
    values = WORDS | reader.values()
    cards, titles = [BY_ID[id_] for id_ in ids], [BY_ID[id_] for id_ in more]
    return slow_reference.render(RENDERER, cards, titles, ISSUE, "en", values)


def _contents(message: EmailMessage) -> list[str]:
    return [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()]


@how(deadline=None, max_examples=20)
@given(chosen)
def test_a_spliced_edition_is_the_rendered_one_byte_by_byte(choice):
    ids, more = choice
    values = WORDS | ANA.values()

    html, text = _slowly(ids, more, ANA)
    assert merge(_compiled().html, ids, more, html_values(values)) == html
    assert merge(_compiled().text, ids, more, text_values(values)) == text


@how(deadline=None, max_examples=20)
@given(chosen, nasty_text)
def test_a_composed_message_is_the_plain_one_once_decoded(choice, name):
    reader = replace(ANA, salutation=f"Hi {clean(name)},")
    ids, more = choice
    subject, preheader, intro = WORDS.values()
    edition = Press(_compiled(), CONFIG.newsletter, ISSUE).edition(
        ids, more, subject=subject, preheader=preheader, intro=intro
    )

    html, text = _slowly(ids, more, reader)
    plain = slow_reference.message(CONFIG.newsletter, ISSUE, "en", reader, subject, html, text)
    ours = message_from_bytes(edition.message(reader), policy=policy.strict)

    assert _contents(ours) == _contents(plain)
    plain.replace_header("Content-Type", ours["Content-Type"])
    assert sorted(ours.items()) == sorted(plain.items())


@how(deadline=None, max_examples=20)
@given(chosen)
def test_the_cap_is_held_against_no_less_than_what_arrives(choice):
    html, _ = _slowly(*choice, ANA)

    assert len(html.encode()) <= measure(_compiled().html).at_most(*choice)


def test_twelve_stories_of_ordinary_length_stay_under_60_kb():
    html, _ = slow_reference.render(RENDERER, stories(12), (), ISSUE, "en", WORDS | ANA.values())

    assert len(html.encode()) < 60_000
