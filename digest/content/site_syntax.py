"""What a site generator or browser would take out of a text: shortcodes, Liquid, HTML. Pure.

A post is written for a site as well as for the newsletter. What is in code spans stays, and so does
a tag that is only spoken of: `the <time> element`, `Promise<string>`, `a < b`.
"""

import re

from digest.content.plain import LIMIT

_CODE = r"(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"
_CODE_OR = re.IGNORECASE | re.DOTALL
# Code in a shortcode, and elements whose content is not for reading.
_SWALLOWED = (
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<name>script|style|svg|template|noscript|iframe|object|video|audio|canvas|pre|table)\b"
    r"[^<>]*>.*?</(?P=name)\s*>"
    r"|\{%-?\s*(?P<block>highlight|comment)\b.*?\{%-?\s*end(?P=block)\b.*?%\}"
    r"|\{\{[<%]\s*(?P<short>highlight)\b.*?\{\{[<%]\s*/\s*(?P=short)\s*[>%]\}\}"
)
# `${{ secrets.TOKEN }}` is no Liquid: authors of workflows write it in prose.
_SHORTCODE = r"(?<!\$)\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\{/\*.*?\*/\}"
_SITE_LINK = r"!?\[(?P<words>[^\[\]]*)\]\([^()]*(?:\{\{|\{%)[^()]*\)"
_SYNTAX = re.compile("|".join((_CODE, _SITE_LINK, _SWALLOWED, _SHORTCODE)), _CODE_OR)

_TAG = re.compile(
    rf"{_CODE}|<(?P<close>/?)(?P<tag>[A-Z][\w.-]*)(?P<rest>(?:[\s/][^<>]*)?)>", _CODE_OR
)
_VOID = frozenset(("br", "hr", "img", "input", "wbr", "source", "embed"))
_APART = frozenset(("br", "hr", "p", "div", "li", "td", "th", "tr", "dt", "dd", "section"))
_IMAGE = re.compile(
    rf"{_CODE}|!\[\[[^\[\]]*\]\]|!\[[^\[\]]*\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\[\]]*\])",
    _CODE_OR,
)
_EMPTY_LINK = re.compile(r"\[\s*\](?:\([^()]*\)|\[[^\[\]]*\])")
_GAP = re.compile(r" +([,.;:!?](?:\s|\Z))")


def without_site_syntax(text: str) -> str:
    """One line of Markdown as readers of a mail may see it; words inside of tags stay."""
    if "<" not in text and "{" not in text:
        return text
    head, rest = text[:LIMIT], text[LIMIT:]
    bare = _SYNTAX.sub(_kept, head)
    bare = _without_tags(bare) if "<" in bare else bare
    return text if bare == head else _tidy(bare) + rest


def without_images(text: str) -> str:
    """`text` without pictures, and without links that held nothing else."""
    if "![" not in text:
        return text
    head, rest = text[:LIMIT], text[LIMIT:]
    return _tidy(_EMPTY_LINK.sub("", _IMAGE.sub(_kept, head))) + rest


def _kept(match: "re.Match[str]") -> str:
    """A code span as it is; the words of a link that only the site can follow."""
    if match["ticks"]:
        return match[0]
    return match.groupdict().get("words") or " "


def _without_tags(text: str) -> str:
    """Without the tags that mark something up. Alone and without attributes, one is a word.

    At the very beginning it is markup in any case: CommonMark starts an HTML block there.
    """
    closed = {match["tag"].lower() for match in _TAG.finditer(text) if match["close"]}
    start = len(text) - len(text.lstrip())

    def shown(match: "re.Match[str]") -> str:
        if match["ticks"]:
            return match[0]
        name, rest = match["tag"].lower(), match["rest"]
        markup = match["close"] or name in closed or name in _VOID or "=" in rest
        if not markup and not rest.endswith("/") and match.start() != start:
            return match[0]
        return " " if name in _APART else ""

    return _TAG.sub(shown, text)


def _tidy(text: str) -> str:
    """Single spaces, and none before the punctuation that a gap would leave."""
    return _GAP.sub(r"\1", " ".join(text.split()))
