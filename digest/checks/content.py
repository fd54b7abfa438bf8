"""What a story says: texts that were left unfinished, broken, too long or too loud. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from digest.checks.places import Places
from digest.checks.rule import ERROR, INFO, WARNING, Rule
from digest.inline import plain
from digest.models import Finding, Story

LONG_TLDR = 80  # words; 95 in 100 of 518 real ones have at most 57
MANY_TAKEAWAYS = 8
LONG_TITLE = 120  # letters; the subject is cut at 78

PLACEHOLDER = Rule(
    "content/placeholder",
    ERROR,
    "No text holds a placeholder that its author meant to fill in.",
    "Readers see it as it stands, and it cannot be taken back. Text in `code` is left alone.",
    "Write what was meant, or put the words in backticks if they are the subject.",
    "journalists' TK; Buttondown's check before sending",
)
TEMPLATE = Rule(
    "content/template",
    ERROR,
    "No text holds template syntax that nothing fills in.",
    "`{{ name }}`, `{% if %}` and `*|FNAME|*` belong to other programs; readers see them as typed.",
    "Take it out, or put it in backticks if it is the subject.",
    "checklists of Litmus and Email on Acid",
)
NO_TLDR = Rule(
    "content/tldr",
    WARNING,
    "Every story has a TLDR.",
    "It is what most readers read. A card without one is a title and a link.",
    "Begin the story with **TLDR:** and a sentence or two.",
    "docs/content.md",
)
LONG = Rule(
    "content/long-tldr",
    WARNING,
    f"A TLDR has at most {LONG_TLDR} words.",
    "A digest is scanned; a long one hides the next story. 95 in 100 real ones have at most 57.",
    "Move the detail into the takeaways or the post.",
    "measured over 518 stories",
)
TAKEAWAYS = Rule(
    "content/takeaways",
    WARNING,
    f"A story has at most {MANY_TAKEAWAYS} takeaways.",
    "Ten things to remember are none, and each makes every edition that has the story larger.",
    "Keep the best; the post has the rest.",
    "measured: 99 in 100 real stories have at most 6",
)
NO_TAKEAWAYS = Rule(
    "content/no-takeaways",
    INFO,
    "A story has takeaways.",
    "They tell a reader in a hurry whether to open the post.",
    "Add **Key takeaways:** and a list.",
    "docs/content.md",
)
TITLE = Rule(
    "content/title-length",
    WARNING,
    f"A title has at most {LONG_TITLE} letters.",
    "The first title is the subject of the mail, which is cut at 78; phones show about 40.",
    "Shorten it; the TLDR says the rest.",
    "RFC 5322 2.1.1; widths of mail programs",
)
SHOUTING = Rule(
    "content/shouting",
    WARNING,
    "No title is in capitals.",
    "It may become the subject; filters count capitals, and screen readers may spell them.",
    "Write it as a sentence.",
    "subject rules of spam filters (canispam, SpamAssassin SUBJ_ALL_CAPS)",
)
PUNCTUATION = Rule(
    "content/punctuation",
    WARNING,
    "No title has three or more of ! ? or $ in a row.",
    "It may become the subject, and that is how filters know unwanted mail.",
    "One is enough.",
    "subject rules of spam filters (canispam)",
)
SPAM = Rule(
    "content/spam-phrase",
    INFO,
    "No text sounds like an advertisement.",
    "“Act now” and “risk free” are weak signs to filters, and strong ones to readers.",
    "Say it plainly.",
    "content rules of spam filters (canispam); Buttondown's check before sending",
)
ATTACHMENT = Rule(
    "content/attachment",
    WARNING,
    "No text speaks of an attachment.",
    "A digest carries none; readers look for it and write back.",
    "Link to the file.",
    "Buttondown's check before sending",
)
MARKDOWN = Rule(
    "content/markdown",
    WARNING,
    "No Markdown is shown as it was typed.",
    "An emphasis or link that is not closed shows its asterisks or brackets to every reader.",
    "Close it, or escape it with a backslash.",
    "CommonMark 6",
)
HTML = Rule(
    "content/html",
    WARNING,
    "No text holds HTML tags.",
    "Stories are Markdown; tags are not run but shown, so that no post can break the mail.",
    "Use Markdown, or put the tag in backticks if it is the subject.",
    "docs/content.md",
)
ENTITY = Rule(
    "content/entity",
    WARNING,
    "No HTML entity is shown as it was typed.",
    "Text that was escaped twice shows `&amp;` where `&` was meant.",
    "Write the character itself.",
    "CommonMark 6.2",
)
MOJIBAKE = Rule(
    "content/mojibake",
    WARNING,
    "No text was read in the wrong encoding.",
    "`â€™` was an apostrophe, `Ã©` an é, before some program read UTF-8 as Latin-1.",
    "Paste the text again from its source, or save the file as UTF-8.",
    "WHATWG encoding: windows-1252",
)
REPEATED = Rule(
    "content/repeated",
    WARNING,
    "No story says the same thing twice.",
    "The same takeaway again, or one that is the TLDR, is a slip of copying.",
    "Take one of them out.",
    "docs/content.md",
)
SAME_TITLE = Rule(
    "content/same-title",
    WARNING,
    "No two posts of one language have stories of the same title.",
    "A reader of both cannot tell them apart, and takes the second for a repetition.",
    "Say in each title what is particular to it.",
    "WCAG 2.2, 2.4.4",
)
NO_LINK = Rule(
    "content/no-link",
    WARNING,
    "Every story leads somewhere.",
    "Without a link of its own and without a page (`content.url`) its title cannot be opened.",
    "Add **Link:** or set content.url.",
    "docs/content.md",
)

RULES = (
    *(PLACEHOLDER, TEMPLATE, NO_TLDR, LONG, TAKEAWAYS, NO_TAKEAWAYS, TITLE, SHOUTING),
    *(PUNCTUATION, SPAM, ATTACHMENT, MARKDOWN, HTML, ENTITY, MOJIBAKE, REPEATED, SAME_TITLE),
    NO_LINK,
)

_CODE = re.compile(r"(`+).*?\1")
_SPAM = re.compile(
    r"\b(act now|risk[- ]free|100% free|buy now|click here now|limited time offer|order now"
    r"|earn money fast|once in a lifetime|no obligation|winner!|dear friend|double your)\b",
    re.IGNORECASE,
)
_ATTACHED = re.compile(
    r"\b(see (?:the )?attach(?:ed|ment)|attached (?:file|document|pdf|is)|in the attachment"
    r"|w załączniku|załączam)\b",
    re.IGNORECASE,
)
_LOUD = re.compile(r"[!?$]{3,}")
_BROKEN = re.compile(r"\*\*|~~(?=\S)|\]\(|!\[|(?<!\w)__(?=\w)(?!\w+__\b)")
_MOJIBAKE = re.compile(
    "[ÃÂ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[\u0080-\u00bf™œ\u009d“”¦˜]|ï»¿|\ufffd"
)
# What only Markdown can say is wrong is looked for in the words of a text, the rest as written.
_WRITTEN: tuple[tuple[Rule, re.Pattern[str], str], ...] = (
    (
        PLACEHOLDER,
        re.compile(
            r"(?<![\w-])(?:TK){1,3}(?![\w-])|\b(?:TODO|FIXME|TBD)(?=:|$)|\blorem ipsum\b"
            r"|\[(?:NAME|TITLE|DATE|LINK|URL|INSERT\b[^\]]*|FIRST NAME|COMPANY|XXX+)\](?!\()",
        ),
        "a placeholder",
    ),
    (
        TEMPLATE,
        re.compile(
            r"\{\{[\w.|\s]{1,80}\}\}|\{%-?\s{0,9}\w[^%]{0,200}%\}|\*\|[A-Z0-9_:]{1,40}\|\*|%%[a-z_]+%%"
            r"|<%=?.{0,200}?%>"
        ),
        "template syntax",
    ),
    (
        HTML,
        re.compile(
            r"</?(?:a|b|i|u|em|strong|br|p|div|span|img|font|center|sup|sub)(?:\s[^<>]*)?/?>",
            re.IGNORECASE,
        ),
        "an HTML tag",
    ),
    (SPAM, _SPAM, "an advertiser's phrase"),
    (ATTACHMENT, _ATTACHED, "an attachment"),
    (MOJIBAKE, _MOJIBAKE, "text in the wrong encoding"),
)
_SHOWN: tuple[tuple[Rule, re.Pattern[str], str], ...] = (
    (MARKDOWN, _BROKEN, "Markdown that is not closed"),
    (ENTITY, re.compile(r"&(?:[a-z]{2,8}|#\d{2,5}|#x[0-9a-f]{2,5});", re.IGNORECASE), "an entity"),
)
# A look at a text tells whether any of the above can be in it: most have none of these. Looking
# for words one by one takes a tenth of what a pattern of all of them does.
_SIGNS = re.compile("[{%<&\\]ÃÂâï\ufffd]|\\*[*|]|~~|__|TK|TODO|FIXME|TBD")
_WORDS = (
    *("lorem", "attach", "załącz", "act now", "risk", "100% free", "buy now", "click here"),
    *("limited time", "order now", "earn money", "lifetime", "no obligation", "winner!"),
    *("dear friend", "double your"),
)


def _suspect(text: str) -> bool:
    lowered = text.lower()
    return _SIGNS.search(text) is not None or any(word in lowered for word in _WORDS)


def check_stories(stories: Sequence[Story], places: Places) -> Iterator[Finding]:
    """Every story by itself, then what two of them share. Drafts are left alone."""
    told = [story for story in stories if not story.draft]
    for story in told:
        yield from check_story(story, places)
    yield from _same_titles(told, places)


def check_story(story: Story, places: Places) -> Iterator[Finding]:
    """One story, each finding at the line of the text that it is about."""
    yield from _texts(story, places)
    yield from _title(story, places)
    yield from _extent(story, places)
    if not story.link and not story.url:
        yield NO_LINK.at(story.post, story.line, "the story leads nowhere", fix="add **Link:**")


def said(story: Story) -> Iterator[str]:
    """The texts of a story as written, in the order that a reader meets them."""
    yield story.title
    yield story.tldr
    yield from story.takeaways
    yield from story.tradeoffs
    if story.disclaimer:
        yield story.disclaimer


@lru_cache(maxsize=20_000)
def without_code(text: str) -> str:
    """The text with its code spans blanked out."""
    return _CODE.sub(lambda match: " " * len(match[0]), text) if "`" in text else text


def _texts(story: Story, places: Places) -> Iterator[Finding]:
    for text in said(story):
        if not text or not _suspect(text):
            continue
        bare = without_code(text)
        for rule, pattern, what in _WRITTEN:
            if match := pattern.search(bare):
                yield _quoting(rule, story, places, match[0], what)
        yield from _shown(story, text, bare, places)


def _shown(story: Story, text: str, bare: str, places: Places) -> Iterator[Finding]:
    """What is left of Markdown when it has become words."""
    if not any(sign in bare for sign in ("*", "]", "&", "~", "__")):
        return
    words = plain(bare)
    for rule, pattern, what in _SHOWN:
        if match := pattern.search(words):
            near = match[0] if match[0] in text else text
            at = words[max(match.start() - 12, 0) : match.end() + 12].strip()
            yield rule.at(story.post, places.line(story, near), f"{what}: “{at}”")


def _quoting(rule: Rule, story: Story, places: Places, found: str, what: str) -> Finding:
    return rule.at(story.post, places.line(story, found), f"{what}: “{found.strip()}”")


def _title(story: Story, places: Places) -> Iterator[Finding]:
    title = plain(story.title)
    where: Callable[[], int] = lambda: places.line(story, story.title)  # noqa: E731
    letters = [letter for letter in title if letter.isalpha()]
    if len(title) > LONG_TITLE:
        yield TITLE.at(
            story.post, where(), f"a title of {len(title)} letters; at most {LONG_TITLE}"
        )
    if len(letters) > 12 and sum(map(str.isupper, letters)) > 0.7 * len(letters):
        yield SHOUTING.at(story.post, where(), f"capitals: “{title[:60]}”")
    if match := _LOUD.search(title):
        yield PUNCTUATION.at(story.post, where(), f"“{match[0]}” in a title")


def _extent(story: Story, places: Places) -> Iterator[Finding]:
    words = len(story.tldr.split())
    if not words:
        yield NO_TLDR.at(story.post, story.line, "no TLDR", fix="add **TLDR:** and a sentence")
    elif words > LONG_TLDR:
        yield LONG.at(
            story.post,
            places.line(story, story.tldr),
            f"a TLDR of {words} words; at most {LONG_TLDR}",
        )
    if len(story.takeaways) > MANY_TAKEAWAYS:
        line = places.line(story, story.takeaways[0])
        yield TAKEAWAYS.at(
            story.post, line, f"{len(story.takeaways)} takeaways; at most {MANY_TAKEAWAYS}"
        )
    elif not story.takeaways:
        yield NO_TAKEAWAYS.at(story.post, story.line, "no takeaways", fix="add **Key takeaways:**")
    seen = {_folded(story.tldr)} if story.tldr else set()
    for text in (*story.takeaways, *story.tradeoffs):
        if (folded := _folded(text)) in seen:
            # the line of the second one: the first is where it belongs
            line = places.last(story, text)
            yield REPEATED.at(story.post, line, f"said twice: “{plain(text)[:60]}”")
        seen.add(folded)


def _folded(text: str) -> str:
    return text.casefold().rstrip(". ")


def _same_titles(stories: Sequence[Story], places: Places) -> Iterator[Finding]:
    first: dict[tuple[str, str], Story] = {}
    for story in stories:
        known = first.setdefault((story.language, _folded(story.title)), story)
        if known is not story and known.post != story.post:
            line = places.line(story, story.title)
            yield SAME_TITLE.at(story.post, line, f"{known.post}:{known.line} has the same title")
