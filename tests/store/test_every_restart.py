"""A week in which the process is killed at every point where anything is written."""

import json
import subprocess
import sys
from pathlib import Path

from digest.store import Store
from tests.store.conftest import SECRETS
from tests.store.scheduled import THURSDAY, WEEK, newsletter, posts
from tests.store.sending import readers

ROOT = Path(__file__).parents[2]


def test_a_restart_at_any_point_of_a_week_gives_every_reader_the_issue_once(
    sqlite_template: Path, tmp_path: Path
) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    newsletter(origin)
    posts(origin, THURSDAY - 2 * WEEK, 4)
    (origin / "digest.sqlite3").write_bytes(sqlite_template.read_bytes())
    with Store.open(f"sqlite:///{origin / 'digest.sqlite3'}", SECRETS) as store:
        readers(store, 5)

    command = [sys.executable, "-m", "tests.store.weeks", str(origin), str(tmp_path / "weeks")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(kills) > 12  # commits of a week: planning, claiming, closing
    assert {kill["state"] for kill in kills} == {"done"}
    for kill in kills:
        assert set(kill["taken"]) <= {1}, kill
        assert 4 - kill["unknown"] <= len(kill["taken"]) <= 4, kill
    assert sum(kill["unknown"] for kill in kills) == 0  # no kill was between bytes and answer
