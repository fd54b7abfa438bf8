"""A row of a list -> an entry for the store, with the evidence that the person agreed. Pure."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from digest.addresses import identity
from digest.models import NOTHING_CHOSEN, Cadence, Preferences, State
from digest.roster.evidence import read_consents
from digest.roster.reading import Row
from digest.roster.rows import BadCellError, Reader
from digest.store import Consent, Entry

_T = TypeVar("_T")


def entry_of(row: Row, reader: Reader, statement: Consent | None) -> Entry:
    """BadCellError when a cell cannot be taken; `departure_of` may know what to do with the row.

    `statement` says how everybody in the file agreed, where the row does not say.
    """
    cells = row.cells
    email = reader.email(cells)
    state, suppressed = reader.standing(cells)
    return Entry(
        line=row.line,
        email=email,
        address=identity(email),
        name=reader.name(cells),
        preferences=reader.preferences(cells),
        timezone=reader.timezone(cells),
        cadence=reader.cadence(cells).value,
        state=state,
        suppressed=suppressed,
        created=reader.moment("created", cells),
        pause_until=reader.moment("pause_until", cells),
        covered_until=reader.moment("covered_until", cells),
        consents=_consents(cells, state, reader, statement),
        chosen=reader.chosen(cells),
    )


def departure_of(row: Row, reader: Reader) -> tuple[Entry, list[BadCellError]] | None:
    """The entry of a row of which cells are bad, and all of those; None unless it says they left.

    That somebody left counts, whatever else the row holds: what cannot be taken is left empty.
    """
    cells, faults = row.cells, list[BadCellError]()

    def kept(default: _T, read: Callable[..., _T], *more: object) -> _T:
        try:
            return read(*more, cells)
        except BadCellError as bad:
            faults.append(bad)
            return default

    email = kept("", reader.email)
    state, suppressed = reader.departure(cells)
    if not email or not (state is State.UNSUBSCRIBED or suppressed):
        return None
    kept(None, reader.standing)  # for its fault
    entry = Entry(
        line=row.line,
        email=email,
        address=identity(email),
        name=kept("", reader.name),
        preferences=kept(Preferences(), reader.preferences),
        timezone=kept("", reader.timezone),
        cadence=kept(Cadence.WEEKLY, reader.cadence).value,
        state=state,
        suppressed=suppressed,
        created=kept(None, reader.moment, "created"),
        pause_until=kept(None, reader.moment, "pause_until"),
        covered_until=kept(None, reader.moment, "covered_until"),
        consents=kept((), _own_consents, reader),
        chosen=kept(NOTHING_CHOSEN, reader.chosen),
    )
    return entry, faults


def _own_consents(reader: Reader, cells: Sequence[str]) -> tuple[Consent, ...]:
    return reader.read("consent", cells, read_consents) if reader.has("consent") else ()


def _consents(
    cells: Sequence[str], state: State, reader: Reader, statement: Consent | None
) -> tuple[Consent, ...]:
    """The row's own evidence, else the statement for the whole file; who left needs none."""
    if reader.has("consent"):
        own = reader.read("consent", cells, read_consents)
        if own or state is State.UNSUBSCRIBED:
            return own
    if state is State.UNSUBSCRIBED:
        return ()
    if statement is None:
        raise BadCellError("consent", "no evidence that they agreed; see --consent")
    at = reader.moment("consent_at", cells)
    if at is None:
        return (statement,)
    return (Consent(at, statement.how, statement.text, statement.version, statement.source),)
