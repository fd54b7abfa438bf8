"""The header fields exactly as they would leave, each with what the checks say of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from email.utils import parseaddr

from digest.checks import Settings, find
from digest.checks.editions import check_subject
from digest.checks.headers import check_message, check_settings
from digest.config import Newsletter
from digest.layout import Slot
from digest.models import Finding, Severity
from digest.studio.workshop import Shot

# Where a setting shows. The postal address is in no field.
_SHOWN = {
    "newsletter.sender": "from",
    "newsletter.sender_name": "from",
    "newsletter.reply_to": "reply-to",
    "newsletter.base_url": "list-unsubscribe",
}
_NAMES = {"message-id": "Message-ID", "mime-version": "MIME-Version"}
_GOOD = {
    "reply-to": "a person can answer",
    "list-unsubscribe": "https, in angle brackets",
    "list-unsubscribe-post": "one click, no page",
    "list-id": "readers can filter by it",
    "message-id": "the same in every attempt",
    "date": "when the issue is due",
}


def headers(shot: Shot) -> list[dict[str, object]]:
    """Each field in its order; at the end those that are missing and should not be."""
    if shot.composition is None:
        return []
    raw = shot.composition.message.message(shot.draft.reader(shot.subscriber))
    parsed = message_from_bytes(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", policy=policy.default)
    return told(
        [(name, " ".join(str(value).split())) for name, value in parsed.items()],
        raw,
        shot.draft.config.newsletter,
    )


def told(
    fields: Sequence[tuple[str, str]], raw: bytes, newsletter: Newsletter
) -> list[dict[str, object]]:
    """The fields of a message with what the checks say of each."""
    found = _by_field(_findings(dict(fields), raw, newsletter))
    shown = [_line(name, value, found.pop(name.lower(), [])) for name, value in fields]
    return [*shown, *(_line(_name(key), "", missing) for key, missing in found.items())]


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


def _findings(values: Mapping[str, str], raw: bytes, newsletter: Newsletter) -> Iterator[Finding]:
    yield from check_message(raw, "message")
    yield from check_settings(newsletter, Settings())
    yield from check_subject("message", values.get("Subject", ""))


def _by_field(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """By the lower-case name of the field that each is about; those about none are left out."""
    found: dict[str, list[Finding]] = {}
    for one in findings:
        field = _SHOWN.get(one.key, "" if "." in one.key else one.key)
        if field:
            found.setdefault(field, []).append(one)
    return found


def _line(name: str, value: str, found: Sequence[Finding]) -> dict[str, object]:
    if found:
        wrong = any(one.severity is Severity.ERROR for one in found)
        verdict, note = "wrong" if wrong else "look", " ".join(map(_why, found))
    else:
        verdict, note = "ok", _good(name.lower(), value)
    return {"name": name, "value": value, "verdict": verdict if note else "", "note": note}


def _why(one: Finding) -> str:
    rule = find(one.check)
    return f"{one.message}. {rule.why if rule else ''}"


def _good(name: str, value: str) -> str:
    """What there is to know of a field that is right; empty: nothing."""
    if name == "from":
        domain = parseaddr(value)[1].rpartition("@")[2].lower()
        return f"of {domain}; digest doctor looks at its SPF, DKIM and DMARC"
    if name == "subject":
        phone = "" if len(value) <= 40 else "; phones cut at about 40"
        return f"{len(value)} characters{phone}"
    return _GOOD.get(name, "")


def _name(key: str) -> str:
    return _NAMES.get(key, key.title())
