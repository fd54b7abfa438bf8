"""What sites answered when they were asked for a link. Pure: `digest.online` asks them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from digest.checks.links import PRIVATE, links_of
from digest.checks.places import Places
from digest.checks.rendering import host_of, same_site
from digest.checks.rule import ERROR, INFO, WARNING, Rule
from digest.models import Finding, Story

GONE = frozenset((404, 410))
# What sites say to programs and not to people: it is for a person to look.
SHY = frozenset((401, 403, 405, 406, 407, 418, 429, 451, 999))

DEAD = Rule(
    "link/dead",
    ERROR,
    "Every link answers (with --online).",
    "404 and 410 mean that the page is gone.",
    "Link to where it is now, or to an archive.",
    "RFC 9110 15.5; react-email's and Mailpit's link checks",
)
UNREACHABLE = Rule(
    "link/unreachable",
    WARNING,
    "Every link answers in time (with --online).",
    "The site may be down just now, or be unknown by that name.",
    "Open it in a browser.",
    "RFC 9110 15.6",
)
REFUSED = Rule(
    "link/refused",
    INFO,
    "No site refuses a program (with --online).",
    "401, 403 and 429 are often said to programs alone; nobody can tell from here.",
    "Open it in a browser.",
    "RFC 9110 15.5",
)
REDIRECT = Rule(
    "link/redirect",
    INFO,
    "No link leads to another site (with --online).",
    "The page has moved; the old name may end.",
    "Link to the new address.",
    "RFC 9110 15.4",
)
HTTPS = Rule(
    "link/https",
    INFO,
    "No link is http where the site answers https (with --online).",
    "It can be read and changed on the way.",
    "Write https://.",
    "RFC 9110 4.2.2",
)

RULES = (DEAD, UNREACHABLE, REFUSED, REDIRECT, HTTPS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking for one address came to."""

    status: int  # of the last answer; 0: there was none
    address: str  # where it ended, after redirects
    problem: str = ""  # why there was no answer, in words
    private: bool = False  # it led into a private network, and nothing was asked there
    https: bool = False  # an http address that answers https as well


def addresses(stories: Sequence[Story]) -> list[str]:
    """What can be asked for: every http(s) link of stories that are no drafts, once."""
    found = (link.target for story in stories if not story.draft for link in links_of(story))
    return list(dict.fromkeys(link for link in found if link.startswith(("http://", "https://"))))


def check_answers(
    stories: Sequence[Story], places: Places, answers: Mapping[str, Answer]
) -> Iterator[Finding]:
    """Findings at every place of a link."""
    for story in stories:
        for target in dict.fromkeys(link.target for link in links_of(story)):
            answer = answers.get(target)
            for rule, message, fix in _judged(target, answer) if answer else ():
                line = places.line(story, target)
                yield rule.at(story.post, line, message, key="link", fix=fix)


def _judged(target: str, answer: Answer) -> Iterator[tuple[Rule, str, str]]:
    host, last = host_of(target), host_of(answer.address)
    if answer.private:
        through = f", by way of {host}" if last != host else ""
        yield PRIVATE, f"{last} is in a private network{through}; it was not asked", ""
    elif answer.problem:
        yield UNREACHABLE, f"{last or host}: {answer.problem}", ""
    elif answer.status in GONE:
        yield DEAD, f"{target[:200]} answers {answer.status}", ""
    elif answer.status in SHY:
        yield REFUSED, f"{last} answers {answer.status} to a program", ""
    elif answer.status >= 400:
        yield UNREACHABLE, f"{last} answers {answer.status}", ""
    elif not same_site(host, last):
        yield REDIRECT, f"{host} leads to {last}", _without_query(answer.address)
    if answer.https and urlsplit(answer.address).scheme == "http":
        yield HTTPS, f"{host} answers https as well", "https://"


def _without_query(address: str) -> str:
    """The new address as it may be shown: what follows `?` may name whoever asked."""
    return address.partition("?")[0]
