"""Whose columns mean what. A service is known by the columns that only its exports have.

Column names are compared without case and outer space. To add one: its row here, a test, a line in
docs/subscribers.md. Sources: the exports themselves, as people publish them in their tests.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from digest.errors import SubscribersError
from digest.models import State, SuppressionReason

IGNORE = "ignore"

# What a column can be. `--map COLUMN=FIELD` takes these names.
FIELDS: Mapping[str, str] = {
    "email": "the address",
    "name": "the whole name",
    "first_name": "used when there is no name",
    "last_name": "used when there is no name",
    "tags": "followed tags; * is everything, - is none",
    "muted": "muted tags",
    "cadence": "daily, weekly or monthly",
    "language": "codes in order of preference",
    "timezone": "an IANA name",
    "day": "chosen: of the week (mon, or 0 for Monday) or of the month",
    "hour": "chosen: 0 to 23",
    "state": "subscribed, unsubscribed, pending, bounced and the like",
    "receives": "no means unsubscribed",
    "disabled": "yes means unsubscribed",
    "left_at": "any time means unsubscribed",
    "bounced_at": "any time means bounced",
    "created": "when they joined",
    "consent_at": "when they agreed",
    "pause_until": "nothing is due before",
    "covered_until": "the end of the last issue they got",
    "suppressed": "why we never mail them",
    "consent": "evidence, as our own export writes it",
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """A service, the columns that give its exports away, and what its columns mean."""

    name: str
    signs: frozenset[str]
    columns: Mapping[str, str]


_OURS = Vendor(
    "digest",
    frozenset(),
    {
        **{name: name for name in FIELDS},
        "e-mail": "email",
        "email address": "email",
        "first name": "first_name",
        "last name": "last_name",
        "languages": "language",
        "time zone": "timezone",
        "status": "state",
    },
)

VENDORS = (
    Vendor(
        "Mailchimp",
        frozenset({"email address", "member_rating"}),
        {
            "email address": "email",
            "first name": "first_name",
            "last name": "last_name",
            "tags": "tags",
            "status": "state",
            "timezone": "timezone",
            "optin_time": "created",
            "confirm_time": "consent_at",
            "unsub_time": "left_at",
            "clean_time": "bounced_at",
        },
    ),
    Vendor(
        "Substack",
        frozenset({"email", "active_subscription"}),  # which is about paying, not about mail
        {
            "email": "email",
            "name": "name",
            "email_disabled": "disabled",
            "created_at": "created",
        },
    ),
    Vendor(
        "Buttondown",
        frozenset({"email", "creation_date"}),
        {
            "email": "email",
            "tags": "tags",
            "type": "state",
            "subscriber_type": "state",
            "creation_date": "created",
            "unsubscription_date": "left_at",
        },
    ),
    Vendor(
        "Ghost",
        frozenset({"email", "subscribed_to_emails"}),
        {
            "email": "email",
            "name": "name",
            "labels": "tags",
            "subscribed_to_emails": "receives",
            "created_at": "created",
            "deleted_at": "left_at",
        },
    ),
    Vendor(
        "listmonk",
        frozenset({"uuid", "email", "status"}),
        {"email": "email", "name": "name", "status": "state", "created_at": "created"},
    ),
)

# Every word that a service has for where a subscription stands.
STATES: Mapping[str, tuple[State, SuppressionReason | None]] = {
    **dict.fromkeys(
        ("", "confirmed", "subscribed", "enabled", "active", "regular", "free", "paid", "premium",
         "gifted", "trialed", "churning", "past_due", "comped"),
        (State.CONFIRMED, None),
    ),
    **dict.fromkeys(("pending", "unconfirmed", "unactivated"), (State.PENDING, None)),
    **dict.fromkeys(
        ("unsubscribed", "disabled", "removed", "churned", "archived", "inactive"),
        (State.UNSUBSCRIBED, SuppressionReason.UNSUBSCRIBED),
    ),
    **dict.fromkeys(
        ("bounced", "cleaned", "undeliverable"), (State.CONFIRMED, SuppressionReason.BOUNCED)
    ),
    **dict.fromkeys(
        ("complained", "spammed"), (State.UNSUBSCRIBED, SuppressionReason.COMPLAINED)
    ),
    **dict.fromkeys(
        ("blocklisted", "blocked", "malicious", "spammy"),
        (State.UNSUBSCRIBED, SuppressionReason.MANUAL),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a row."""

    vendor: str
    header: tuple[str, ...]
    places: Mapping[str, int]  # field -> 0-based place
    ignored: tuple[str, ...]  # columns that mean nothing to us
    named: int  # how many of the header the first line names; others may come in later lines

    def given(self, names: Collection[str] | None = None) -> frozenset[str]:
        """The fields of a row that has the columns of these names; of the first line for None."""
        if names is None:
            return frozenset(one for one, place in self.places.items() if place < self.named)
        return frozenset(one for one, place in self.places.items() if self.header[place] in names)


def recognise(
    header: Sequence[str], asked: Mapping[str, str], file: str, named: int | None = None
) -> Columns:
    """What the columns mean: as `--map` says, else as the service that wrote them means it.

    `named` of the columns are those of the file's first line; the others mean what is left to mean.
    SubscribersError when there is no address, or when two columns would be the same field.
    """
    names = [cell.strip().lower() for cell in header]
    named = len(names) if named is None else named
    vendor = next((one for one in VENDORS if one.signs <= set(names[:named])), _OURS)
    wanted = _asked(names, asked, file)
    usual = {name: one for name, one in vendor.columns.items() if one not in wanted.values()}
    meanings = {**usual, **wanted}
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        meaning = meanings.get(name, IGNORE)
        if meaning in places:
            if place >= named:
                continue
            raise SubscribersError(
                f"the columns {header[places[meaning]]!r} and {header[place]!r} are both {meaning}",
                path=file,
                line=1,
                hint=f"rename one of them; an import takes --map '{header[place]}={IGNORE}' too",
            )
        if meaning != IGNORE:
            places[meaning] = place
    if places.get("email", named) >= named:
        raise SubscribersError(
            f"no column holds addresses (found: {_listed(header[:named])})",
            path=file,
            line=1,
            hint="this line is no header: put one above it, like: email,name,tags"
            if any("@" in cell for cell in header[:named])
            else "name it email in the first line; an import takes --map 'COLUMN=email' too",
        )
    known = set(places.values())
    ignored = tuple(cell for place, cell in enumerate(header[:named]) if place not in known)
    return Columns(vendor.name, tuple(header), places, ignored, named)


def _asked(names: Sequence[str], asked: Mapping[str, str], file: str) -> dict[str, str]:
    """What `--map` says, checked against the header."""
    wanted = {}
    for column, meaning in asked.items():
        name = column.strip().lower()
        if name not in names:
            raise SubscribersError(
                f"--map names a column {column!r} that is not there",
                path=file,
                line=1,
                hint=_nearest(name, names, f"the columns are: {', '.join(names)}"),
            )
        if meaning not in FIELDS and meaning != IGNORE:
            known = [*FIELDS, IGNORE]
            raise SubscribersError(
                f"--map {column}={meaning}: there is no field {meaning!r}",
                hint=_nearest(meaning, known, f"the fields are: {', '.join(known)}"),
            )
        wanted[name] = meaning
    return wanted


def _listed(header: Sequence[str]) -> str:
    """The columns for a message; a file that is no list may begin with a very long line."""
    return ", ".join(filter(None, header))[:200] or "nothing"


def _nearest(name: str, known: Sequence[str], otherwise: str) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else otherwise
