"""An export, imported elsewhere, gives the same subscribers: a property of any store."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.models import Cadence, Preferences
from digest.store import Consent, State, Store, SuppressionReason
from tests.store.conftest import NOW
from tests.store.lists import csv_of, ndjson_of, take_in
from tests.store.test_store_invariant import empty

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
_NAMES = (_TEXT | st.from_regex(r"'*[=+\-@]cmd\|'", fullmatch=True)).map(
    lambda t: " ".join(t.split())
)
_TAGS = st.from_regex(r"[a-zż=@,;\"'] ?[a-z,]{1,5}", fullmatch=True)
_TIMES = st.timedeltas(timedelta(days=-9999), timedelta(days=9999)).map(lambda gap: NOW + gap)
_PEOPLE = st.fixed_dictionaries(
    {
        "name": _NAMES,
        "preferences": st.builds(
            Preferences,
            tags=st.lists(_TAGS, max_size=3).map(tuple),
            everything=st.booleans(),
            muted=st.lists(_TAGS, max_size=2).map(tuple),
            languages=st.lists(st.sampled_from(["en", "pl", "de"]), unique=True).map(tuple),
        ),
        "cadence": st.sampled_from(list(Cadence)),
        "timezone": st.sampled_from(["", "Europe/Warsaw", "Pacific/Auckland"]),
        "state": st.sampled_from([State.PENDING, State.CONFIRMED]),
    }
)


def _settle(store: Store, person: int, fate: str, at: datetime) -> None:
    match fate:
        case "unsubscribed":
            store.subscriptions.unsubscribe(person, NOW, "test")
        case "paused":
            store.subscriptions.pause(person, at, NOW)
        case "covered":
            store.subscriptions.cover([person], at)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    people=st.lists(
        st.tuples(
            _PEOPLE, st.sampled_from(["", "unsubscribed", "paused", "covered"]), _TIMES, _TEXT
        ),
        min_size=1,
        max_size=4,
    ),
    suppressed=st.sets(st.sampled_from(list(SuppressionReason))),
)
def test_an_export_imports_back_without_loss(
    store: Store,
    people: list[tuple[dict[str, object], str, datetime, str]],
    suppressed: set[SuppressionReason],
) -> None:
    empty(store)
    for number, (person, fate, at, text) in enumerate(people):
        consent = Consent(at, "form", text, "v1", "=source")
        added = store.subscriptions.add(f"+a{number}@example.com", consent, at, **person)  # type: ignore[arg-type]
        _settle(store, added.subscriber.id, fate, at)
    for reason in suppressed:
        store.suppressions.add("+a0@example.com", reason, NOW, "test")
    as_csv, as_ndjson = csv_of(store), ndjson_of(store)

    for exported in (as_csv, as_ndjson):
        empty(store)
        _, rejects = take_in(store, exported, consent="")
        assert rejects == []
        assert csv_of(store) == as_csv
        assert ndjson_of(store) == as_ndjson


def test_no_cell_of_an_export_runs_in_a_spreadsheet(store: Store) -> None:
    store.subscriptions.add("=1+1@example.com", Consent(NOW, "form", "yes"), NOW, name="@SUM(A1)")

    _, line = csv_of(store).splitlines()

    assert line.startswith("'=1+1@example.com,'@SUM(A1),")
