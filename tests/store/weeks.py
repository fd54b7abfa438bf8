"""One week of a newsletter, killed at every commit in turn: `python -m tests.store.weeks URL ROOT`.

A process of its own, because it forks: each child lives through the week up to its kill, as a
machine would that goes away just before a commit (or now and then just after one). Another child,
which knows nothing but the store, goes on. Prints one JSON object a kill: what was taken how often.
"""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from digest import providers
from digest.scheduler import Scheduler
from digest.store import Store, url_of
from digest.store.database import Database
from tests.store.conftest import SECRETS
from tests.store.killed import Recording
from tests.store.scheduled import HOUR, THURSDAY, WEEKLY, newsletter, scheduler
from tests.store.sending import Clock

LONGEST = 200  # commits of a week; it has some dozens
KILLED = 9


class Killing:
    """Ends the process right before or right after one commit of the database."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.seen = at, after, 0
        self._writing = Database.writing

    def install(self) -> None:
        """From now on, in this process."""
        killing = self

        @contextmanager
        def writing(database: Database) -> Iterator[sa.Connection]:
            with killing._writing(database) as connection:
                yield connection
                killing.count(after=False)
            killing.count(after=True)

        Database.writing = writing  # type: ignore[method-assign, assignment]

    def count(self, *, after: bool) -> None:
        """Another commit is about to be made, or was made."""
        self.seen += not after
        if (self.seen, after) == (self.at, self.after):
            os._exit(KILLED)


def in_child(work: Callable[[], None]) -> int:
    """The exit code of a child that does it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def week(root: Path) -> None:
    """A fresh process lives through the days around the due moment."""
    providers._MODULES["carrier"] = __name__
    with Store.open(url_of("", root), SECRETS) as store:
        clock = Clock(THURSDAY - HOUR)
        one: Scheduler = scheduler(newsletter(root), store, clock)
        for hours in (0, 1, 2):
            clock.now = THURSDAY - HOUR + hours * HOUR
            one.tick(WEEKLY)


def connect(configured) -> Recording:  # type: ignore[no-untyped-def]
    """The carrier: it notes what it took in a file, whatever becomes of us."""
    return Recording(configured.root / "taken.log")


def state(root: Path) -> tuple[str, int]:
    """Of the issue in the end, and how many deliveries are unknown."""
    with Store.open(url_of("", root), SECRETS) as store:
        (issue,) = store.ledger.issues()
        return issue.state.value, store.ledger.totals(issue.number).states["unknown"]  # type: ignore[index]


def main(origin: Path, folder: Path) -> None:
    """Every commit of the week, killed before and after."""
    for at in range(1, LONGEST):
        # after one commit is before the next, but for what is done between the two
        for after in {False, at % 4 == 0}:
            root = folder / f"{at}-{after}"
            shutil.copytree(origin, root)

            def killed(root: Path = root, at: int = at, after: bool = after) -> None:
                Killing(at, after=after).install()
                week(root)

            code = in_child(killed)
            if code == 0:
                return  # the week has no such commit
            assert code == KILLED, code
            assert in_child(lambda root=root: week(root)) == 0
            log = root / "taken.log"
            taken = Counter(log.read_text().split() if log.exists() else [])
            ended, unknown = state(root)
            told = {"at": at, "after": after, "state": ended, "unknown": unknown}
            print(json.dumps({**told, "taken": sorted(taken.values())}), flush=True)
            shutil.rmtree(root)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
