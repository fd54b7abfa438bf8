"""A row of a list -> an entry for the store, with the evidence that the person agreed. Pure."""

from collections.abc import Sequence

from digest.addresses import identity
from digest.models import State
from digest.roster.evidence import read_consents
from digest.roster.reading import Row
from digest.roster.rows import BadCellError, Reader
from digest.store import Consent, Entry


def entry_of(row: Row, reader: Reader, statement: Consent | None) -> Entry:
    """BadCellError when a cell cannot be taken.

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
    )


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
