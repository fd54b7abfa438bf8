"""Whatever happens, in whatever order: who left or is suppressed is never due."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.errors import DigestError
from digest.models import Cadence
from digest.preferences import everything, follow, mute
from digest.store import OnConflict, State, Store, SuppressionReason
from tests.store.conftest import CONSENT, NOW
from tests.store.lists import csv_of, take_in
from tests.store.people import due_emails

EMAILS = ("ana@example.com", "Bo@example.com", "żółw@example.com")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "add pending", "import", "import export", "tag", "mute", "everything", "pause",
             "resume", "unsubscribe", "erase", "suppress", "merge tags", "cover"]
        ),
        st.sampled_from(EMAILS),
        st.sampled_from(list(OnConflict)),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


class Life:
    """Does steps to a store, and remembers in a plain set who must never be due again."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.barred: set[str] = set()
        self.exports = [csv_of(store)]

    def step(self, name: str, email: str, policy: OnConflict) -> None:
        found = self.store.subscriptions.find(email)
        person = found.subscriber.id if found else 0
        try:
            self._do(name, email, policy, person)
        except DigestError:
            return  # refused: nobody there, there already, or suppressed
        if name in ("unsubscribe", "erase", "suppress"):
            self.barred.add(email)
            self.exports.append(csv_of(self.store))

    def _do(self, name: str, email: str, policy: OnConflict, person: int) -> None:
        people = self.store.subscriptions
        match name:
            case "add":
                people.add(email, CONSENT, NOW)
                self.exports.append(csv_of(self.store))
            case "add pending":
                people.add(email, CONSENT, NOW, state=State.PENDING)
            case "import":
                take_in(self.store, f"email,tags\n{email.upper()},ai go\n", on_conflict=policy)
            case "import export":
                take_in(self.store, self.exports[len(self.exports) // 2], on_conflict=policy)
            case "tag" | "mute" | "everything":
                edit = {"tag": follow(["ai"]), "mute": mute(["go"]), "everything": everything()}
                people.change(person, NOW, edit[name])
            case "pause":
                people.pause(person, NOW + timedelta(days=1), NOW)
            case "resume":
                people.resume(person, NOW)
            case "unsubscribe":
                people.unsubscribe(person, NOW, "test")
            case "erase":
                people.erase(person, NOW, "test")
            case "suppress":
                self.store.suppressions.add(email, SuppressionReason.MANUAL, NOW, "test")
            case "merge tags":
                self.store.tags.merge("go", "ai", NOW)
            case "cover":
                people.cover([person], NOW)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_who_left_is_never_due_again(
    store: Store, steps: list[tuple[str, str, OnConflict]]
) -> None:
    empty(store)
    life = Life(store)
    for name, email, policy in steps:
        life.step(name, email, policy)

        later = NOW + timedelta(days=2)
        due = due_emails(store, at=later)
        assert {one.casefold() for one in due} & {one.casefold() for one in life.barred} == set()
        assert not list(store.audience.stream_due(Cadence.DAILY, later, {}))


def empty(store: Store) -> None:
    """Forget everything of the example before."""
    with store.database.writing() as connection:
        for table in ("subscriber", "tag", "suppression"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
