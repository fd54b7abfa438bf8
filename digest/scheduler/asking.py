"""What editors read of a plan, by mail and on its page, in the language of the newsletter.

Why a plan waits is kept in English, as the command line says it. Reasons that are known here are
said in their language; what names checks, posts or settings stays as it is.
"""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from digest.config import Config
from digest.store.ledger.records import IssueState
from digest.translations import Translations, languages, translations

_CHANGED = "changed since you were asked: "


def editors_words(config: Config) -> Translations:
    """Those of the newsletter; its editors have no language of their own."""
    own = config.newsletter.language
    return translations(own if own in languages() else "en")


def moment(at: datetime, zone: tzinfo, tr: Translations) -> str:
    """`Thursday, 1 January 2026, 09:00 GMT`."""
    local = at.astimezone(zone)
    return f"{tr.weekday(local.weekday())}, {tr.format_date(local, zone)}, {local:%H:%M %Z}"


def numbers(readers: int, editions: int, tr: Translations) -> str:
    """`4,031 readers, 1 different edition`."""
    who = tr.ngettext("%(number)s reader", "%(number)s readers", readers)
    what = tr.ngettext("%(number)s different edition", "%(number)s different editions", editions)
    counted = (who, readers), (what, editions)
    return ", ".join(text % {"number": tr.format_number(number)} for text, number in counted)


def left_out(why: str, number: int, tr: Translations) -> str:
    """`1,200 skipped: paused`."""
    known = {
        "nothing new for their tags": tr.gettext("nothing new for their tags"),
        "covered by an earlier issue": tr.gettext("covered by an earlier issue"),
        "pending": tr.gettext("pending"),
        "unsubscribed": tr.gettext("unsubscribed"),
        "suppressed": tr.gettext("suppressed"),
        "paused": tr.gettext("paused"),
        "daily, not due": tr.gettext("daily, not due"),
        "weekly, not due": tr.gettext("weekly, not due"),
        "monthly, not due": tr.gettext("monthly, not due"),
    }
    named = {"number": tr.format_number(number), "why": known.get(why, why)}
    return tr.gettext("%(number)s skipped: %(why)s") % named


def because(reason: str, tr: Translations) -> str:
    """Why it takes a yes; several reasons have a semicolon between."""
    return "; ".join(_parts(reason, tr))


def closed(state: IssueState, tr: Translations) -> str:
    """Why there is nothing to decide, of an issue that is planned no more."""
    match state:
        case IssueState.SENDING:
            return tr.gettext("It is going out: there is nothing to decide any more.")
        case IssueState.PAUSED:
            return tr.gettext("It is paused on its way: there is nothing to decide any more.")
        case IssueState.CANCELLED:
            return tr.gettext("It is cancelled: there is nothing to decide any more.")
    return tr.gettext("It is done: there is nothing to decide any more.")


def _parts(reason: str, tr: Translations) -> Iterator[str]:
    known = {
        "approve is set": tr.gettext("approve is set"),
        "an editor's word": tr.gettext("an editor's word"),
    }
    for part in reason.split("; "):
        if part.startswith(_CHANGED):
            what = part.removeprefix(_CHANGED)
            yield tr.gettext("changed since you were asked: %(what)s") % {"what": what}
        else:
            yield known.get(part, part)
