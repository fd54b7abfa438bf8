"""The header fields exactly as they would leave, each with what it must hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import parseaddr

from digest.layout import Slot
from digest.studio.workshop import Shot

_FREE_MAIL = frozenset({"gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "aol.com"})
SUBJECT = range(10, 79)
Verdict = tuple[str, str]  # ok, look or wrong; and why


@dataclass(frozen=True, slots=True)
class _Facts:
    values: Mapping[str, str]  # by lower-case name
    address: str  # of the sender


def headers(shot: Shot) -> list[dict[str, object]]:
    """Each field in its order; missing ones that a mailbox provider asks for at the end."""
    if shot.composition is None:
        return []
    raw = shot.composition.message.message(shot.draft.reader(shot.subscriber))
    parsed = message_from_bytes(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", policy=policy.default)
    fields = [(name, " ".join(str(value).split())) for name, value in parsed.items()]
    sender = parseaddr(dict(fields).get("From", ""))[1]
    facts = _Facts({name.lower(): value for name, value in fields}, sender)
    shown = [_line(name, value, facts) for name, value in fields]
    return [*shown, *_missing(facts)]


def summary(shot: Shot) -> dict[str, object] | None:
    """What a list of messages shows; None when there is no message."""
    if shot.composition is None:
        return None
    values, newsletter = shot.composition.message.values, shot.draft.config.newsletter
    return {
        "from": newsletter.sender_name or newsletter.name,
        "address": newsletter.sender,
        "subject": values[Slot.SUBJECT],
        "preheader": values[Slot.PREHEADER],
    }


def _line(name: str, value: str, facts: _Facts) -> dict[str, object]:
    verdict, note = _RULES.get(name.lower(), _free)(value, facts)
    return {"name": name, "value": value, "verdict": verdict, "note": note}


def _missing(facts: _Facts) -> Iterator[dict[str, object]]:
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Message-ID", "Date"):
        if name.lower() not in facts.values:
            note = "Gmail and Yahoo ask for it of everybody who mails many"
            yield {"name": name, "value": "", "verdict": "wrong", "note": note}


def _free(value: str, facts: _Facts) -> Verdict:
    return "", ""


def _from(value: str, facts: _Facts) -> Verdict:
    name, address = parseaddr(value)
    domain = address.rpartition("@")[2].lower()
    if domain in _FREE_MAIL:
        return "wrong", f"{domain} lets nobody else send in its name: DMARC will fail"
    return (
        ("ok", f"of {domain}; digest doctor looks at its SPF, DKIM and DMARC")
        if name
        else ("look", "no display name")
    )


def _subject(value: str, facts: _Facts) -> Verdict:
    if len(value) not in SUBJECT:
        return "look", f"{len(value)} characters; 10 to 78 are shown whole in most lists"
    phone = "" if len(value) <= 40 else "; phones cut at about 40"
    return "ok", f"{len(value)} characters{phone}"


def _reply_to(value: str, facts: _Facts) -> Verdict:
    if re.search(r"no[-_.]?reply", value, re.IGNORECASE):
        return "look", "replies are read by mailbox providers as interest: let people answer"
    return "ok", "a person can answer"


def _unsubscribe(value: str, facts: _Facts) -> Verdict:
    if not re.fullmatch(r"<https://[^<>\s]+>(, ?<mailto:[^<>\s]+>)?", value):
        return "wrong", "RFC 8058 wants one <https://…> link"
    return "ok", "https, in angle brackets"


def _one_click(value: str, facts: _Facts) -> Verdict:
    right = value == "List-Unsubscribe=One-Click"
    return (
        ("ok", "one click, no page") if right else ("wrong", "must be List-Unsubscribe=One-Click")
    )


def _list_id(value: str, facts: _Facts) -> Verdict:
    right = re.search(r"<[^<>@\s]+\.[^<>@\s]+>$", value)
    return (
        ("ok", "readers can filter by it") if right else ("wrong", "RFC 2919 wants <name.domain>")
    )


def _message_id(value: str, facts: _Facts) -> Verdict:
    domain = facts.address.rpartition("@")[2]
    if value.endswith(f"@{domain}>"):
        return "ok", "the sender's domain; the same in every attempt"
    return "look", f"not of {domain}"


def _date(value: str, facts: _Facts) -> Verdict:
    return "ok", "when the issue is due"


_RULES: Mapping[str, Callable[[str, _Facts], Verdict]] = {
    "from": _from,
    "subject": _subject,
    "reply-to": _reply_to,
    "list-unsubscribe": _unsubscribe,
    "list-unsubscribe-post": _one_click,
    "list-id": _list_id,
    "message-id": _message_id,
    "date": _date,
}
