"""What holds of each edition, of its subject and size, and of an issue against the last. Pure."""

import re
from collections.abc import Iterator, Sequence
from html import unescape

from digest.checks.headers import year_of
from digest.checks.places import Places
from digest.checks.proof import Before, Copy, Proof
from digest.checks.rule import ERROR, INFO, WARNING, Rule
from digest.models import Finding, Story

GMAIL = 102_000  # bytes of decoded HTML, after which Gmail cuts
NEAR = 80_000
MESSAGE = 500_000
STORY = 20_000
DRIFT = 20  # per cent
FEW = 2

SUBJECT_LENGTH = Rule(
    "subject/length",
    WARNING,
    "A subject has 10 to 78 characters.",
    "A shorter one says nothing, a longer one is cut; phones show about 40.",
    "Change the title of the first story.",
    "RFC 5322 2.1.1; Buttondown's check before sending",
)
SUBJECT_TEST = Rule(
    "subject/test",
    ERROR,
    "No subject is that of a test.",
    "“Test” and “Untitled” in a real inbox is what everybody remembers.",
    "Change the title of the first story.",
    "Email on Acid's checklist",
)
SUBJECT_SAME = Rule(
    "subject/same",
    WARNING,
    "A subject differs from those of the last issue.",
    "Gmail puts messages of one subject into one conversation, where the new one is folded away.",
    "Give the first story a title of its own.",
    "Email on Acid's checklist; Gmail's conversations",
)
PREHEADER = Rule(
    "preheader/length",
    WARNING,
    "A preheader has 40 to 130 characters.",
    "A shorter one lets the inbox show the first words of the body after it.",
    "Write a longer TLDR for the first story.",
    "Ghost's spacer; Litmus on preview text",
)
PREHEADER_SAME = Rule(
    "preheader/same",
    WARNING,
    "A preheader does not repeat the subject.",
    "It is the second line of the inbox, and the last chance to say why to open.",
    "Write a TLDR that goes on where the title stops.",
    "Litmus on preview text",
)
CLIPPED = Rule(
    "size/html",
    ERROR,
    f"No edition's HTML is larger than {GMAIL:,} bytes.",
    "Gmail cuts it there: the link to unsubscribe is below the cut.",
    "Lower selection.max_html_bytes or max_stories.",
    "Gmail's clipping at 102 kB; jsx-email, Buttondown",
)
LARGE = Rule(
    "size/near",
    WARNING,
    f"No edition's HTML is larger than {NEAR:,} bytes.",
    f"Gmail cuts at {GMAIL:,}, and providers that rewrite links add to it.",
    "Lower selection.max_html_bytes or max_stories, or shorten the largest stories.",
    "jsx-email's safe limit; Substack's notes on clipping",
)
WHOLE = Rule(
    "size/message",
    WARNING,
    f"No message is larger than {MESSAGE:,} bytes.",
    "A million of them are 500 GB, and phones on the road do not fetch them.",
    "Shorten stories or lower selection.max_stories.",
    "Buttondown's check before sending",
)
HEAVY = Rule(
    "size/story",
    WARNING,
    f"No story takes more than {STORY:,} bytes.",
    "It pushes others over the cap of selection.max_html_bytes.",
    "Shorten its TLDR and lists.",
    "measured: a card of a usual story has 3 to 5 kB",
)
SHORT = Rule(
    "edition/short",
    INFO,
    "An edition has at least 50 words.",
    "A mail of two lines is hardly worth an interruption.",
    "Follow a slower cadence, or write more.",
    "Buttondown's check before sending",
)
LONG = Rule(
    "edition/long",
    WARNING,
    "An edition has at most 5,000 words.",
    "Nobody reads for 20 minutes in an inbox.",
    "Lower selection.max_stories.",
    "Buttondown's check before sending",
)
EMPTY = Rule(
    "edition/empty",
    ERROR,
    "No edition is empty.",
    "A mail without a story is noise.",
    "This is the program's own work: please report it.",
    "this product",
)
FEW_STORIES = Rule(
    "edition/few",
    INFO,
    f"Somebody gets at least {FEW} stories.",
    "An issue of one story for everybody is a mail that could have waited.",
    "Wait for the next issue, or write another post.",
    "Forem sends from three stories on",
)
SAME_TITLE = Rule(
    "edition/same-title",
    WARNING,
    "No edition has two stories of one title.",
    "The second looks like a mistake.",
    "Say in each title what is particular to it.",
    "WCAG 2.2, 2.4.4",
)
LEFTOVER = Rule(
    "personal/leftover",
    ERROR,
    "No text greets nobody or shows the word of an empty value.",
    "“Hi ,” and “None” say that a machine wrote it, and that nobody looked.",
    "Use {% if %} round what may be empty in the template.",
    "this product; every embarrassing newsletter",
)
SLOT = Rule(
    "personal/slot",
    ERROR,
    "Every placeholder of the templates is filled in.",
    "Readers see it as it stands.",
    "Look for a value that is given to another template: docs/templates.md lists them.",
    "docs/templates.md",
)
DATE = Rule(
    "personal/date",
    WARNING,
    "No template holds a date that somebody typed.",
    "It is in one language and in one country's order (3/12 is in March or in December), and still "
    "there in the next issue. {{ date }} is the issue's, as each reader writes it.",
    "Write {{ date }}, or leave the day out.",
    "this product; Unicode CLDR",
)
NOBODY = Rule(
    "personal/nobody",
    WARNING,
    "Every story of the issue is in somebody's edition.",
    "It was written for nobody; a tag may be misspelt.",
    "Compare its tags with those that readers follow: `digest tags list`.",
    "this product",
)
DRIFT_RULE = Rule(
    "personal/audience",
    WARNING,
    f"The readers are within {DRIFT} % of the last issue's.",
    "A list that halves or doubles overnight is a broken import more often than a success.",
    "Look at the imports since: `digest subscribers list`.",
    "guards against drift, as Terraform's plan",
)

RULES = (
    *(SUBJECT_LENGTH, SUBJECT_TEST, SUBJECT_SAME, PREHEADER, PREHEADER_SAME),
    *(CLIPPED, LARGE, WHOLE, HEAVY, SHORT, LONG, EMPTY, FEW_STORIES, SAME_TITLE),
    *(LEFTOVER, SLOT, DATE, NOBODY, DRIFT_RULE),
)

_TESTS = frozenset(("test", "testing", "untitled", "no subject", "draft", "asdf", "title"))
_LEFTOVER = re.compile(
    r"(?<![\w“\"'])(?:Hi|Hello|Dear|Cześć|Witaj) ,|(?<![\w.])(?:None|null|NaN|undefined)$"
)
# 2026-11-19, 19/11/2026, 19.11.2026, 19 November 2026, Nov 19th, 2026
_DATE = re.compile(
    r"(?<![\w/.-])(?:(?P<a>20\d\d)-\d\d?-\d\d?|\d\d?([/.-])\d\d?\2(?P<b>20\d\d)"
    r"|\d\d?(?:st|nd|rd|th|\.)? [^\W\d]{3,} (?P<c>20\d\d)"
    r"|[^\W\d]{3,}\.? \d\d?(?:st|nd|rd|th)?, (?P<d>20\d\d))(?![\w/-]|\.\d)"
)
_SLOT = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")


def check_copies(issue: str, copies: Sequence[Copy], before: Before | None) -> Iterator[Finding]:
    """Every edition by its words and its size; `issue/edition` is its place."""
    for copy in copies:
        path = f"{issue}/{copy.edition.id}"
        if not copy.edition.stories:
            yield EMPTY.at(path, 0, "no story")
            continue
        yield from _inbox(path, copy, before)
        yield from _size(path, copy)
        titles = [story.title.casefold() for story in copy.edition.stories]
        if twice := sorted({title for title in titles if titles.count(title) > 1}):
            yield SAME_TITLE.at(path, 0, f"“{twice[0]}” twice", key="stories")
    largest = max((len(copy.edition.stories) for copy in copies), default=FEW)
    if largest < FEW:
        yield FEW_STORIES.at(issue, 0, f"at most {largest} story for anybody")


def check_audience(issue: str, readers: int, before: Before | None) -> Iterator[Finding]:
    """How many get it, against the issue before."""
    if before is not None and before.readers:
        change = round(100 * (readers - before.readers) / before.readers)
        if abs(change) > DRIFT:
            message = f"{readers:,} readers, {change:+} % against {before.id}"
            yield DRIFT_RULE.at(issue, 0, message, key="readers")


def check_reach(
    stories: Sequence[Story], copies: Sequence[Copy], places: Places
) -> Iterator[Finding]:
    """Stories of the window that are in nobody's edition; `copies` are those of all readers."""
    shown = {s.id for copy in copies for s in (*copy.edition.stories, *copy.edition.more)}
    for story in stories:
        if story.id not in shown:
            line = places.line(story, story.title)
            yield NOBODY.at(story.post, line, "no reader gets this story", key="tags")


def check_weights(
    stories: Sequence[Story], weights: dict[str, int], places: Places
) -> Iterator[Finding]:
    """Bytes of HTML that each story's card adds."""
    for story in stories:
        if (size := weights.get(story.id, 0)) > STORY:
            line = places.line(story, story.title)
            yield HEAVY.at(story.post, line, f"a card of {size:,} bytes")


def check_proof(proof: Proof) -> Iterator[Finding]:
    """What was not filled in."""
    for number, text in proof.document.shown():
        element = proof.document.elements[number]
        match = _LEFTOVER.search(text.strip())
        if match and not proof.told(match[0]):
            yield LEFTOVER.at(*proof.sources.place(element), f"“{match[0]}”")
    slots = (match[0] for match in _SLOT.finditer(unescape(proof.shared)))
    if slot := next((one for one in slots if not proof.told(one)), ""):
        line = proof.shell.line_of(slot)
        yield SLOT.at(proof.shell.path, line, f"“{slot[:40]}” in the message")
    yield from _typed_dates(proof)
    if len(proof.message) > MESSAGE:
        yield WHOLE.at(f"message.{proof.language}", 0, f"{len(proof.message):,} bytes")


def _typed_dates(proof: Proof) -> Iterator[Finding]:
    """Dates of about now in the words of templates: what was founded long ago may say when."""
    year = year_of(proof.message)
    shown = (
        (proof.sources.at(proof.document.elements[number].start), text)
        for number, text in proof.document.shown()
    )
    for template, text in (*shown, (proof.text_shell, proof.text)):
        for match in _DATE.finditer(text):
            near = abs(int(match["a"] or match["b"] or match["c"] or match["d"]) - year) <= 1
            if near and (line := template.line_of(match[0])):
                yield DATE.at(template.path, line, f"“{match[0]}”")


def check_subject(path: str, subject: str) -> Iterator[Finding]:
    """A subject by itself."""
    if subject.casefold().strip(" .!") in _TESTS:
        yield SUBJECT_TEST.at(path, 0, f"“{subject}”", key="subject")
    elif not 10 <= len(subject) <= 78:
        yield SUBJECT_LENGTH.at(path, 0, f"{len(subject)} characters: “{subject}”", key="subject")


def _inbox(path: str, copy: Copy, before: Before | None) -> Iterator[Finding]:
    subject, preheader = copy.subject, copy.preheader
    yield from check_subject(path, subject)
    if before is not None and subject in before.subjects:
        yield SUBJECT_SAME.at(path, 0, f"“{subject}”, as in {before.id}", key="subject")
    if not 40 <= len(preheader) <= 130:
        yield PREHEADER.at(path, 0, f"{len(preheader)} characters", key="preheader")
    if preheader.casefold().startswith(subject.casefold().rstrip("…")):
        yield PREHEADER_SAME.at(path, 0, f"“{preheader[:60]}”", key="preheader")


def _size(path: str, copy: Copy) -> Iterator[Finding]:
    size = copy.edition.html_bytes
    if size > GMAIL:
        yield CLIPPED.at(path, 0, f"{size:,} bytes of HTML", key="html")
    elif size > NEAR:
        yield LARGE.at(path, 0, f"{size:,} bytes of HTML", key="html")
    words = copy.words
    if words < 50:
        yield SHORT.at(path, 0, f"{words} words")
    elif words > 5000:
        yield LONG.at(path, 0, f"{words:,} words")
