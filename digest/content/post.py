"""One file's bytes to one `Post`: front matter, body, identity. Pure on bytes.

A `Post` is what the cache keeps; what depends on all posts together (spellings of tags, ids that
two posts share) is decided afterwards, in `collect.py`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from digest.config import Config
from digest.content.dates import Moment, named_date, typed_date
from digest.content.decoding import CONTROL, decode
from digest.content.entries import DATE, ID, LANGUAGE, PAGE, SLUG, SOURCE, SUMMARY, TITLE, Entry
from digest.content.fields import Fields
from digest.content.frontmatter import FrontMatter, read_front_matter
from digest.content.pieces import Body, Piece, first_heading, read_body
from digest.content.plain import plain, title_text
from digest.content.refusal import RefusedError
from digest.content.scanner import Labels
from digest.hashtags import language_of
from digest.models import Finding, Severity

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUFFIX = re.compile(r"(?:\.aspx)?\.(?:md|markdown|mdx|rmd)$", re.IGNORECASE)

_DATED = re.compile(r"\d{4}-\d{1,2}-\d{1,2}[-_ ]?")
_FIELD = re.compile(r"\{(\w+)\}")
UNKNOWN = -1  # size of a file that could not be read, and of bytes that come from none
_T = TypeVar("_T")


class Post(NamedTuple):
    """What one file says. The cache keeps it as a JSON list, so it holds nothing but JSON."""

    id: str
    slug: str
    title: str
    published: int  # microseconds since 1970, UTC
    language: str
    url: str
    disclaimer: str
    pinned: bool
    draft: bool
    date_key: str  # where the date came from: its key, or empty for the file name
    date_line: int
    pieces: list[Piece]


class Row(NamedTuple):
    """One file, as it was read or as it is remembered."""

    path: str  # as shown
    size: int
    mtime: int
    tags: list[str]  # raw
    findings: list[list[Any]]  # as `listed` makes them
    post: Sequence[Any] | memoryview | None  # a view: of its JSON; None: left out


class Names(NamedTuple):
    """What the path of a post says about it."""

    path: str  # below the content folder, without suffix and language
    stem: str  # the last part of it, without a date in front
    language: str  # of a suffix or folder; empty when there is none
    day: date | None


class PostReader:
    """Reads posts with the settings of one config."""

    def __init__(self, config: Config) -> None:
        self._labels = Labels(config.content.labels)
        self._zone = config.newsletter.timezone
        self._languages = config.tags.languages
        self._language = config.newsletter.language
        self._split_words = config.content.split_words
        self._url = config.content.url

    def read(
        self, data: bytes | str, path: str, inner: str, size: int = UNKNOWN, mtime: int = 0
    ) -> Row:
        """The row of one file; its post is None when an error or a missing date leaves it out.

        `path` is what findings name, `inner` the path below the content folder. Never raises.
        """
        findings: list[Finding] = []
        post, tags = self._read(data, path, inner, findings)
        if any(finding.severity is Severity.ERROR for finding in findings):
            post = None
        return Row(path, size, mtime, tags, [listed(finding) for finding in findings], post)

    def _read(
        self, data: bytes | str, path: str, inner: str, findings: list[Finding]
    ) -> tuple[Post | None, list[str]]:
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        try:
            text, clean = decode(data, path)
            if not text.strip():
                findings += [Finding(path, 0, "content/empty", Severity.WARNING, "empty file")]
                return None, []
            front = read_front_matter(text, path, clean)
        except RefusedError as refused:
            findings.append(refused.finding)
            return None, []
        findings += front.findings
        if not clean:
            front = replace(front, body=CONTROL.sub("", front.body))
        return self._post(front, Fields(front.entries, path, text, findings), path, inner)

    def _post(
        self, front: FrontMatter, fields: Fields, path: str, inner: str
    ) -> tuple[Post | None, list[str]]:
        body, findings = front.body, fields.findings
        attempt = _Attempts(findings)
        title = attempt(lambda: self._title(fields, body), "")
        undated: tuple[Moment | None, Entry | None] = (None, None)
        moment, dated = attempt(lambda: fields.moment(self._zone), undated)
        slug = attempt(lambda: fields.wanted_text(SLUG).strip().strip("/"), "")
        none: list[str] = []
        tags = attempt(lambda: fields.tags(self._split_words), none)
        if attempt.failed:
            return None, []
        names = self._names(inner)
        draft = fields.hidden() or "_drafts" in inner.split("/")
        day = names.day
        findings += _doubts(front, path, title, moment, day, draft)
        moment = moment or (typed_date(day, self._zone) if day else None)
        if not title or not moment:
            return None, []
        language = fields.language(LANGUAGE) or language_of(tags, self._languages)
        language = language or names.language or self._language
        said = read_body(
            body,
            self._labels,
            title=title,
            excerpt=plain(fields.text(SUMMARY)),
            link=fields.address(SOURCE),
            first=front.body_line,
        )
        findings += _link_problems(said, path)
        identity = fields.text(ID).strip() or slug or names.stem
        slug = slug or names.stem
        post = Post(
            identity if language == self._language else f"{identity}.{language}",
            slug,
            title,
            (moment.at - EPOCH) // timedelta(microseconds=1),
            language,
            self._page(slug, names, language, moment.at) or fields.address(PAGE),
            said.disclaimer,
            fields.pinned(),
            draft,
            dated.key if dated else "",
            dated.line if dated else 0,
            said.pieces,
        )
        return post, tags

    def _title(self, fields: Fields, body: str) -> str:
        return title_text(fields.wanted_text(TITLE)) or first_heading(body, self._labels)

    def _page(self, slug: str, names: Names, language: str, at: datetime) -> str:
        """Our own page of the post, from the template of the config."""
        if not self._url:
            return ""
        values = {
            "slug": slug,
            "path": names.path,
            "stem": names.stem,
            "language": language,
            "year": f"{at.year:04}",
            "month": f"{at.month:02}",
            "day": f"{at.day:02}",
        }
        return _FIELD.sub(
            lambda match: quote(values.get(match[1], match[0]), safe="/%{}~"), self._url
        )

    def _names(self, inner: str) -> Names:
        bare = SUFFIX.sub("", inner)
        folder, _, stem = bare.rpartition("/")
        name, dot, suffix = stem.rpartition(".")
        language = suffix.lower() if dot and suffix.lower() in self._languages else ""
        if language:
            stem, bare = name, bare[: -len(suffix) - 1]
        folders = folder.split("/")
        if not language:
            language = next((part for part in folders if part in self._languages), "")
        if stem in ("index", "_index") and folder:
            stem, bare = folders[-1], folder
        return Names(bare, _DATED.sub("", stem, count=1) or stem, language, named_date(inner))


def listed(finding: Finding) -> list[Any]:
    """A finding as JSON, without the path that its row has."""
    severity = finding.severity.value
    return [finding.line, finding.check, severity, finding.message, finding.key, finding.fix]


def _doubts(
    front: FrontMatter, path: str, title: str, moment: Moment | None, day: date | None, draft: bool
) -> list[Finding]:
    """What is missing, and what the front matter and the file name say differently."""
    found = []
    if not front.present:
        message = "no front matter: the title comes from the heading, the date from the name"
        fix = "begin the file with --- and title, date and tags"
        found.append(Finding(path, 1, "front-matter/none", Severity.WARNING, message, fix=fix))
    if not title:
        fix = "add title: … or a heading"
        found.append(
            Finding(path, 1, "front-matter/title", Severity.ERROR, "missing", TITLE[0], fix)
        )
    if not moment and not day:
        severity = Severity.INFO if draft else Severity.WARNING
        fix = "add date: YYYY-MM-DD, or begin the file name with it"
        message = "undated, left out"
        found.append(Finding(path, 1, "front-matter/undated", severity, message, DATE[0], fix))
    if moment and day and moment.at.date() != day:
        message = f"{moment.at.date()} counts; the file name says {day}"
        found.append(Finding(path, 1, "front-matter/two-dates", Severity.INFO, message, DATE[0]))
    return found


def _link_problems(said: Body, path: str) -> list[Finding]:
    fix = "write [title](https://…)"
    return [
        Finding(path, line, "story/link", Severity.WARNING, problem, fix=fix)
        for line, problem in said.problems
    ]


class _Attempts:
    """Runs steps that may refuse, so that one run lists every error of a post."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self.failed = False

    def __call__(self, step: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return step()
        except RefusedError as refused:
            self._findings.append(refused.finding)
            self.failed = True
            return otherwise
