"""Which links are counted: those to others' pages, under words; nothing else of a mail changes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from digest.clicks import CountedLink, Place, code_of, counting, merged, places_of, within
from digest.composer import Press, html_values, merge
from digest.layout import Block, BlockName, Compiled, Layout, Slot
from digest.renderer import Renderer
from tests import slow_reference
from tests.handmade import ANA
from tests.invented import ISSUE, settings, stories
from tests.newsletter import MORE, values
from tests.newsletter import STORIES as READABLE

BASE = "https://news.example.com"
HERE = f"{BASE}/g/{ISSUE.id}/"
TEXT = Layout(("Read: https://example.org/a ", Slot.UNSUBSCRIBE_URL))
CONFIG = settings(Path(__file__).parent)


def one(html: str, base: str = BASE) -> tuple[str, list[CountedLink]]:
    """What becomes of some HTML outside all blocks."""
    compiled, links = counting(Compiled("en", Layout((html,)), TEXT), base, ISSUE.id)
    (part,) = compiled.html.parts
    assert isinstance(part, str)
    return part, links


def direct(html: str, links: Sequence[CountedLink]) -> str:
    """Counted links led back to their targets."""
    for link in links:
        escaped = link.url.replace("&", "&amp;").replace('"', "&quot;")
        html = html.replace(HERE + link.code, escaped)
    return html


def test_a_link_to_somebody_elses_page_leads_through_ours():
    html, (link,) = one('<p><a class="t" href="https://example.org/a?b=1&amp;c=2">A tale</a></p>')

    assert html == f'<p><a class="t" href="{HERE}{link.code}">A tale</a></p>'
    assert link == CountedLink(
        code_of("https://example.org/a?b=1&c=2"),
        "https://example.org/a?b=1&c=2",
        (Place("en", "", ""),),
    )
    assert re.fullmatch("[a-z2-7]{12}", link.code)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://example.org/a">https://example.org/a</a>',
        '<a href="https://example.org/a"> <b>example.org</b> </a>',
        '<a href="https://example.org/a">www.exam&shy;ple.org/a…</a>',
        '<a href="https://example.org/a">(żółw.example)</a>',
        '<a href="mailto:team@example.org">write to us</a>',
        '<a href="#story">below</a>',
        '<a href="/relative">here</a>',
        '<a name="top">no link</a>',
        "<a href>no link</a>",
        f'<a href="{BASE}">our pages</a>',
        f'<a href="{BASE.upper()}/archive">our pages</a>',
        f'<a href="{BASE}:443/archive">our pages</a>',
        '<a href="http://news.example.com:80/archive">our pages</a>',
        '<a href="javascript:x">no page</a>',
        '<a href="https://">nowhere</a>',
        '<a href="https://example.org:port/">nowhere</a>',
        '<a href="https://example.org/a b">two words</a>',
        '<a href="https://example.org/a&#13;&#10;Set-Cookie: x">two lines</a>',
        '<a href="https://example.org/a">never closed',
        '<!--[if mso]><a href="https://example.org/a">in a comment</a><![endif]-->',
        "<style>a[href='x'] > b {content: \"<a href='https://example.org/'>c</a>\"}</style>",
        '<link href="https://example.org/a"><img src="https://example.org/a">',
        "<abbr title=\"<a href='https://example.org/a'>\">x</abbr>",
    ],
)
def test_everything_else_stays_as_it_is(html):
    assert one(html) == (html, [])


@pytest.mark.parametrize(
    ("html", "target"),
    [
        ("<A HREF='https://example.org/a'>A tale</A>", "https://example.org/a"),
        ("<a href=https://example.org/a>A tale</a>", "https://example.org/a"),
        ('<a title="a > b" href = "http://example.org">A tale</a>', "http://example.org"),
        ('<a data-href="x" href="HTTPS://example.org/">A tale</a>', "HTTPS://example.org/"),
        ('<a href="https://example.org/ż?q=ó">A tale</a>', "https://example.org/ż?q=ó"),
        ('<a href="https://example.org/%0d%0aX">A tale</a>', "https://example.org/%0d%0aX"),
        ('<a href="https://example.org/&quot;">A tale</a>', 'https://example.org/"'),
        ('<a href="https://example.org/?a&copy=1&lt">A</a>', "https://example.org/?a&copy=1<"),
        (
            '<a href="https://example.org/?a&copyx&amp;lt;">A</a>',
            "https://example.org/?a&copyx&lt;",
        ),
        ('<a href="https://example.org/&#x17C;&#380;&Amp">A</a>', "https://example.org/żż&Amp"),
        ('<a href="https://example.org/">Read “x” on example.org</a>', "https://example.org/"),
        ('<a href="https://example.org/"><img src="x.png" alt=""></a>', "https://example.org/"),
        (f'<a href="{BASE}.example.org/">A tale</a>', f"{BASE}.example.org/"),
        (f'<a href="{BASE}:8443/">A tale</a>', f"{BASE}:8443/"),
        (f'<a href="{BASE}:80/">A tale</a>', f"{BASE}:80/"),
        ('<a href="https://example.org/?">A tale</a>', "https://example.org/?"),
    ],
)
def test_links_are_found_however_they_are_written(html, target):
    changed, (link,) = one(html)

    assert link.url == target
    assert f"{HERE}{link.code}" in changed


def test_what_is_ours_depends_on_the_path_too():
    base = "https://example.org/news"

    assert one('<a href="https://example.org/news/p/x">mine</a>', base)[1] == []
    assert one('<a href="https://example.org/newspaper">theirs</a>', base)[1]
    assert one('<a href="https://example.org/a">mine</a>', "https://example.org:443")[1] == []
    assert one('<a href="http://localhost/a">theirs</a>', "http://localhost:8000")[1]


def test_what_a_slot_is_in_stays_as_it_is():
    parts = (
        '<a href="https://example.org/?x=', Slot.VIEW_URL, '">a</a> <a href="https://example.org/">',
        Slot.SALUTATION, "</a> <a href=\"https://example.org/b\">example.org", Slot.WHY, "</a>",
    )  # fmt: skip
    compiled, links = counting(Compiled("en", Layout(parts), TEXT), BASE, ISSUE.id)

    assert [link.url for link in links] == ["https://example.org/", "https://example.org/b"]
    assert compiled.html.parts[:2] == parts[:2]
    assert [part for part in compiled.html.parts if isinstance(part, Slot)] == [
        part for part in parts if isinstance(part, Slot)
    ]
    assert compiled.text is TEXT


def test_a_target_is_one_link_in_all_places_of_a_story_and_another_in_each_story():
    card = '<a href="https://example.org/a">A tale</a>'
    blocks = (
        card,
        Block(BlockName.STORIES, (), {"a": (card,), "b": ("none",), "c": (card,)}, ()),
        Block(BlockName.MORE, (card,), {"a": (card,)}, ()),
    )
    made, links = counting(Compiled("pl", Layout(blocks), TEXT), BASE, ISSUE.id)
    around, a, c = links

    assert {link.url for link in links} == {"https://example.org/a"}
    assert [link.code for link in links] == [
        code_of("https://example.org/a", story) for story in ("", "a", "c")
    ]
    assert len({link.code for link in links}) == 3
    assert around.places == (Place("pl", "", ""), Place("pl", "more", ""))
    assert a.places == (Place("pl", "stories", "a"), Place("pl", "more", "a"))
    assert c.places == (Place("pl", "stories", "c"),)
    assert list(within(links, {"c"})) == [around, c]
    cards = made.html.parts[1]
    assert isinstance(cards, Block)
    assert [cards.items[story] for story in "abc"] == [
        (card.replace("https://example.org/a", HERE + a.code),),
        ("none",),
        (card.replace("https://example.org/a", HERE + c.code),),
    ]
    english = replace(around, places=(Place("en", "", ""),))
    assert [len(one.places) for one in merged([around, english, around])] == [3]


ALL = stories(6)
BY_ID = {story.id: story for story in ALL}
chosen = st.permutations(sorted(BY_ID)).flatmap(
    lambda ids: st.tuples(st.integers(1, 4), st.integers(0, 2)).map(
        lambda n: (ids[: n[0]], ids[n[0] : n[0] + n[1]])
    )
)


@cache
def compiled() -> Compiled:
    return Renderer(None, CONFIG).compile(ALL, ISSUE, "en")


@how(deadline=None, max_examples=20)
@given(chosen)
def test_a_counted_edition_led_back_is_the_edition_and_holds_the_links_it_is_said_to(choice):
    ids, more = choice
    given_values = html_values(values("en") | ANA.values())
    made, links = counting(compiled(), BASE, ISSUE.id)

    plain = merge(compiled().html, ids, more, given_values)
    html = merge(made.html, ids, more, given_values)

    assert html != plain
    assert direct(html, links) == plain
    assert re.split("<[^>]*>", html) == re.split("<[^>]*>", plain)
    shown = set(places_of("en", ids, more))
    for link in links:
        assert bool(shown & set(link.places)) == (f'"{HERE}{link.code}"' in html)


# Pieces of HTML as authors of templates write it, well and badly.
_SCRAPS = st.sampled_from([
    "<a href=\"https://example.org/1\">", "<a title='>' href='http://example.org/2?a&amp;b'>",
    "<a href=https://example.org/3>", "<a\nhref = \"https://żółw.example/4\">", "</a>", "</A >",
    "words", "example.org", "https://example.org", "<!-- ", " -->", "<b>", "</b>", "<br/>",
    "<style>", "</style>", "&amp;", "\"", "'", "<", ">", "<a>", "<p title=\"</a>\">", "\ue000",
])  # fmt: skip


@given(st.lists(st.one_of(_SCRAPS, st.sampled_from([Slot.SUBJECT, Slot.WHY])), max_size=14))
def test_whatever_a_template_holds_only_addresses_change(scraps):
    before = Layout(tuple(scraps))
    after, links = counting(Compiled("en", before, TEXT), BASE, ISSUE.id)
    known = {link.code: link.url for link in links}

    def back(text: str) -> str:
        return re.sub(re.escape(HERE) + "([a-z2-7]{12})", lambda m: known[m[1]], text)

    assert len(after.html.parts) == len(scraps)
    for old, new in zip(scraps, after.html.parts, strict=True):
        assert new == old if isinstance(old, Slot) else unescape(back(new)) == unescape(old)


def test_the_slow_reference_counts_the_same_links():
    renderer = Renderer(None, CONFIG)
    everything = values("en") | ANA.values()
    page = READABLE[0].url  # of one post with three stories
    shown = (READABLE[0], replace(READABLE[1], url=page), *READABLE[2:])
    last = (*MORE[:-1], replace(MORE[-1], url=page))
    cards, titles = [story.id for story in shown], [story.id for story in last]
    fast, links = counting(renderer.compile((*shown, *last), ISSUE, "en"), BASE, ISSUE.id)

    html, text = slow_reference.render(renderer, shown, last, ISSUE, "en", everything, counted=BASE)

    assert html == merge(fast.html, cards, titles, html_values(everything))
    assert "https://" in text
    assert HERE not in text
    assert {link.url for link in links} >= {"https://example.org/cards"}
    assert [link.url for link in links].count(page) == 3
    assert html.count(HERE + code_of(page, cards[0])) > html.count(HERE + code_of(page, titles[-1]))
    assert unescape(html).count(HERE) > 8


def test_links_of_ones_own_template_are_counted_too(tmp_path):
    (tmp_path / "more.mjml").write_text(
        '<mj-button href="https://example.org/all?a=1&b=2">All stories</mj-button>'
        '<mj-image href="https://example.org/logo" src="https://news.example.com/l.png" alt="us"/>'
        "<mj-text>{{ items }}</mj-text>"
    )
    renderer = Renderer(tmp_path, CONFIG)
    made, links = counting(renderer.compile(ALL, ISSUE, "en"), BASE, ISSUE.id)
    html = merge(made.html, ["post-1"], ["post-2"], html_values(values("en") | ANA.values()))
    alone = merge(made.html, ["post-1"], [], html_values(values("en") | ANA.values()))
    own = {link.url: link for link in links if link.url.startswith("https://example.org/all")}

    (button,) = own.values()
    assert button.url == "https://example.org/all?a=1&b=2"
    assert button.places == (Place("en", "more", ""),)
    assert html.count(HERE + button.code) == 1
    assert HERE + button.code not in alone
    assert HERE + code_of("https://example.org/logo") in html


def test_sizes_are_those_of_what_is_sent():
    made, _ = counting(compiled(), BASE, ISSUE.id)
    words = {"subject": "s", "preheader": "p", "intro": "i"}
    edition = Press(made, CONFIG.newsletter, ISSUE).edition(["post-1"], (), **words)

    assert HERE in edition.html(ANA)
    assert HERE.encode() in edition.message(ANA).replace(b"=\r\n", b"").replace(b"=3D", b"=")
