"""Inline Markdown of authors: what of it reaches a reader, and what can never."""

import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.inline import SCHEMES, TAGS, bdi, clean, host, inline, isolate, plain, safe_link

CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
LETTERS = "ab <>&\"'`*_~[]()!\\/:{}@-#\x00\n\u00a0\u200d\u202e="
NASTY = st.text(alphabet=st.sampled_from(LETTERS))


class Parsed(HTMLParser):
    """The tags, attributes and words of a piece of HTML, as a browser sees them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(str(html))  # a Markup would escape what is added to it
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words += data


def test_emphasis_code_strike_and_links_become_html():
    html = inline("**a** *b* ~~c~~ `d<e` [f](https://example.com/?g=1&h=2)")

    assert html == (
        '<strong>a</strong> <em>b</em> <s>c</s> <code style="font-size:.94em">d&lt;e</code> '
        '<a href="https://example.com/?g=1&amp;h=2">f</a>'
    )


def test_html_of_an_author_is_shown_and_not_run():
    assert inline("<b>x</b><script>1</script>") == (
        "&lt;b&gt;x&lt;/b&gt;&lt;script&gt;1&lt;/script&gt;"
    )


def test_picture_becomes_its_alternative_text():
    assert inline("see ![a *chart*](https://example.com/x.png)!") == "see a chart!"
    assert plain("see ![a *chart*](https://example.com/x.png)!") == "see a chart!"


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "data:text/html,x", "/relative", "#top", "vbscript:x", "//x"]
)
def test_link_that_is_not_web_or_mail_keeps_only_its_words(target):
    assert inline(f"[words]({target})") == "words"
    assert plain(f"[words]({target})", links=True) == "words"


def test_text_inside_a_link_can_do_without_links():
    assert inline("[a **b**](https://example.com) c", links=False) == "a <strong>b</strong> c"


def test_plain_text_can_name_the_target_of_a_link_once():
    assert plain("[a](https://e.com) <https://f.com>", links=True) == (
        "a (https://e.com) https://f.com"
    )


def test_no_break_space_and_joiners_survive_and_other_space_is_single():
    assert clean(" a\u00a0b \n\t c\u200dd\u2028e ") == "a\u00a0b c\u200dd e"


@given(NASTY)
@example("***" * 3000)
@example("[" * 3000)
def test_any_text_gives_only_allowed_tags_and_attributes(text):
    parsed = Parsed(inline(text))

    assert set(parsed.tags) <= TAGS
    for name, value in parsed.attributes:
        assert name in ("href", "style")
        assert name == "style" or value.split(":")[0] in SCHEMES


@given(NASTY)
def test_html_and_plain_text_say_the_same(text):
    assert clean(Parsed(inline(text)).words) == plain(text)


@given(st.text())
def test_nothing_that_mjml_refuses_comes_out(text):
    assert not set("\x00\x0b\ufffe\uffff") & set(inline(text) + plain(text))
    (inline(text) + plain(text)).encode()


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.com/a", "https://example.com/a"),
        (" HTTPS://example.com/ą?b=ć ", "https://example.com/%C4%85?b=%C4%87"),
        ("https://żółw.example/", "https://xn--w-uga1v8h.example/"),
        ("mailto:ana@example.com", "mailto:ana@example.com"),
        ('https://example.com/"x', "https://example.com/%22x"),
        ("https://example.com/a b", ""),
        ("https://example.com\\@evil.example", ""),
        ("https:///path", ""),
        ("https://[::1", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_link_is_made_ascii_or_dropped(url, safe):
    assert safe_link(url) == safe


@given(st.text())
@example("http://xn--999999999999.example")
def test_safe_link_never_holds_what_breaks_an_attribute(url):
    for link in (safe_link(url), safe_link(f"https://example.com/{url}")):
        assert link.isascii()
        assert not set(link) & set('"<> \\\n\t\r')


def test_host_is_the_name_people_know():
    assert host("https://www.example.com:8080/x") == "example.com"
    assert host("https://[") == ""


def test_what_runs_from_right_to_left_is_kept_apart_from_its_neighbours():
    assert bdi("ai", "#") == "#ai"
    assert bdi("בדיקות", "#") == '<span dir="auto">#בדיקות</span>'
    assert bdi("<שלום>") == '<span dir="auto">&lt;שלום&gt;</span>'
    assert (isolate("ai", "#"), isolate("مرحبا", "#")) == ("#ai", "\u2068#مرحبا\u2069")


@given(st.text(alphabet="ab\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069*"))
@example("&#x202e;a [&#x2067;b](https://a.example) `c`")
def test_nothing_an_author_writes_can_turn_round_what_follows(text):
    shown = inline(text) + plain(text)

    assert not {unicodedata.bidirectional(letter) for letter in shown} & CONTROLS
