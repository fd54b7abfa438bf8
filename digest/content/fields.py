"""Front matter entries to the facts of a post. What is wrong becomes a finding."""

import re
from collections.abc import Iterable
from datetime import date, time
from zoneinfo import ZoneInfo

from digest.content.dates import DateError, Moment, named_date, read_date, typed_date
from digest.content.decoding import CONTROL
from digest.content.entries import DATE, HIDDEN, PINNED, TAGS, UPDATED, Entries, Entry
from digest.content.passages import is_web_address
from digest.content.plain import one_line
from digest.content.refusal import refuse
from digest.hashtags import fold, is_ambiguous, parse_tags
from digest.models import Finding, Severity

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})

_NUMERIC = frozenset("0123456789+-.")
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]*)?")


class Fields:
    """Looks up what a post says, by any of the keys that mean it."""

    def __init__(self, entries: Entries, path: str, text: str, findings: list[Finding]) -> None:
        self._entries, self.path, self._text = entries, path, text
        self._escapes = "\\" in text
        self.findings = findings  # added to

    def text(self, keys: Iterable[str]) -> str:
        """The first of `keys` that holds text; other kinds of value are passed over."""
        for entry in self._present(keys):
            if isinstance(entry.value, str) and entry.value.strip():
                return self._checked(entry, entry.value)
        return ""

    def wanted_text(self, keys: Iterable[str]) -> str:
        """Like `text`; raises RefusedError when the value is a list or a mapping."""
        for entry in self._present(keys):
            if isinstance(entry.value, list | dict):
                raise self._wrong_kind(entry)
            if str(entry.value).strip():
                return self._checked(entry, str(entry.value))
        return ""

    def address(self, keys: Iterable[str]) -> str:
        """The first of `keys` that holds an absolute web address."""
        for entry in self._present(keys):
            if isinstance(entry.value, str) and is_web_address(entry.value.strip()):
                return self._checked(entry, entry.value).strip()
        return ""

    def language(self, keys: Iterable[str]) -> str:
        """Primary subtag in lower case: `zh` of `zh_tw`."""
        text = self.text(keys).strip()
        match = _LANGUAGE.fullmatch(text)
        if text and not match:
            self._warn(keys, "language", f'"{text}" is not a language code', "write en or pl-PL")
        return match[1].lower() if match else ""

    def hidden(self) -> bool:
        """True for a post that says in any way that it is not to be published."""
        entry = self._entries.get("published")
        unpublished = entry is not None and str(entry.value).strip().lower() in FALSE
        status = self._entries.get("status")
        drafted = status is not None and str(status.value).strip().lower() == "draft"
        return self._flag(HIDDEN) or unpublished or drafted

    def pinned(self) -> bool:
        """True for a post that comes first."""
        return self._flag(PINNED)

    def moment(self, zone: ZoneInfo) -> tuple[Moment | None, Entry | None]:
        """The publication date with its entry. Raises RefusedError for one that cannot be read."""
        self._check_updated(zone)
        for entry in self._present(DATE):
            text = str(entry.value).strip().lower()
            if text and not (entry.key.lower() == "published" and text in TRUE | FALSE):
                return self._moment(entry, zone), entry
        path = self._entries.get("path")
        day = named_date(path.value) if path and isinstance(path.value, str) else None
        return (typed_date(day, zone), path) if day else (None, None)

    def tags(self, split_words: bool) -> list[str]:
        """Raw tags under every key that means tags, in order, each once."""
        found: dict[str, str] = {}
        for entry in self._all(TAGS):
            for tag in self._tags(entry, split_words):
                found.setdefault(fold(tag), tag)
        return list(found.values())

    def _present(self, keys: Iterable[str]) -> Iterable[Entry]:
        entries = self._entries
        return [entries[key] for key in keys if key in entries and entries[key].value is not None]

    def _all(self, keys: tuple[str, ...]) -> Iterable[Entry]:
        """Entries for tags, Zola's `taxonomies` table included."""
        entries = self._entries
        found = [entries[key] for key in keys if key in entries]
        nested = entries.get("taxonomies")
        if nested and isinstance(nested.value, dict):
            found += [entry for key, entry in nested.value.items() if key.lower() in keys]
        return found

    def _tags(self, entry: Entry, split_words: bool) -> tuple[str, ...]:
        value = entry.value
        if value is None and self._is_comment(entry.line):
            raise refuse(
                self.path,
                entry.line,
                "front-matter/tag-comment",
                "what begins with # is a comment in YAML, so there are no tags",
                entry.key,
                f'put them in quotes: {entry.key}: "#one #two"',
            )
        if isinstance(value, dict):
            raise self._wrong_kind(entry)
        if isinstance(value, list):
            return parse_tags([self._tag(entry, item) for item in value])
        if not isinstance(value, str):
            return parse_tags(value)
        text = self._checked(entry, value)
        if entry.key.lower() in ("tags", "hashtags") and is_ambiguous(text) and not split_words:
            self._find(
                entry,
                "tag-spaces",
                f'"{text}" is one tag with spaces',
                "write [a, b] or set content.split_words if they are several",
                Severity.WARNING,
            )
        return parse_tags(text, split_words=split_words)

    def _is_comment(self, line: int) -> bool:
        """True when a `#` made what the author wrote on that line a comment."""
        lines = self._text.split("\n")
        return line <= len(lines) and re.search(r"[:-]\s+#\w", lines[line - 1]) is not None

    def _tag(self, entry: Entry, item: Entry) -> str | None:
        if isinstance(item.value, dict):
            raise self._wrong_kind(Entry(entry.key, item.value, item.line))
        if item.value is None or item.value == "":
            at = Entry(entry.key, None, item.line)
            comment = self._is_comment(item.line)
            fix = "put it in quotes, or drop the #" if comment else "remove the item"
            self._find(at, "tag-empty", "an empty tag", fix, Severity.WARNING)
            return None
        if isinstance(item.value, list):
            return None
        self._tell_number(entry, item)
        return self._checked(entry, str(item.value))

    def _tell_number(self, entry: Entry, item: Entry) -> None:
        """`- 508` is a number to every other program that reads the post."""
        text = str(item.value)
        if text[:1] not in _NUMERIC or not _NUMBER.fullmatch(text):
            return
        lines = self._text.split("\n")
        line = lines[item.line - 1] if item.line <= len(lines) else ""
        if not re.search(rf"""(["'])\s*{re.escape(text)}\s*\1""", line):
            at = Entry(entry.key, None, item.line)
            message = f'{text} is a number; read as the tag "{text}"'
            self._find(at, "tag-number", message, "put it in quotes", Severity.INFO)

    def _moment(self, entry: Entry, zone: ZoneInfo) -> Moment:
        value = entry.value
        if isinstance(value, dict) and not value:  # what `{{date}}` comes to in YAML
            raise self._template(entry)
        if isinstance(value, list | dict):
            raise self._wrong_kind(entry)
        try:
            moment = (
                typed_date(value, zone)
                if isinstance(value, date | time)
                else read_date(self._checked(entry, str(value)), zone)
            )
        except DateError as bad:
            raise refuse(
                self.path, entry.line, "front-matter/date", str(bad), entry.key, bad.fix
            ) from None
        if moment.note:
            self._find(entry, "date", moment.note, "", Severity.WARNING)
        return moment

    def _check_updated(self, zone: ZoneInfo) -> None:
        """Nothing depends on these dates, so a bad one is only told."""
        for entry in self._present(UPDATED):
            try:
                if isinstance(entry.value, str):
                    read_date(entry.value, zone)
            except DateError as bad:
                self._find(entry, "date", str(bad), bad.fix, Severity.WARNING)

    def _flag(self, keys: tuple[str, ...]) -> bool:
        for entry in self._present(keys):
            text = str(entry.value).strip().lower()
            if text in TRUE:
                return True
            if text and text not in FALSE and not isinstance(entry.value, list | dict):
                fix = "write true or false"
                self._find(entry, "flag", f'"{one_line(text)}"', fix, Severity.WARNING)
        return False

    def _checked(self, entry: Entry, text: str) -> str:
        """`text`, or a refusal: an escape can bring in what the source did not show."""
        if self._escapes and (match := CONTROL.search(text)):
            raise refuse(
                self.path,
                entry.line,
                "front-matter/control",
                f"control character U+{ord(match.group()):04X}",
                entry.key,
                "retype the value",
            )
        return text

    def _wrong_kind(self, entry: Entry) -> Exception:
        return refuse(
            self.path,
            entry.line,
            "front-matter/kind",
            f"expected text, found {entry.kind}",
            entry.key,
        )

    def _template(self, entry: Entry) -> Exception:
        return refuse(
            self.path,
            entry.line,
            "front-matter/date",
            "looks like an unfilled template",
            entry.key,
            "use YYYY-MM-DD",
        )

    def _warn(self, keys: Iterable[str], check: str, message: str, fix: str) -> None:
        entry = next(iter(self._present(keys)))
        self._find(entry, check, message, fix, Severity.WARNING)

    def _find(self, entry: Entry, check: str, message: str, fix: str, severity: Severity) -> None:
        self.findings.append(
            Finding(
                self.path, entry.line, f"front-matter/{check}", severity, message, entry.key, fix
            )
        )
