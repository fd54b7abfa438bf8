"""What an import leaves out, and what it leaves behind, as a person sees it."""

import csv
from collections.abc import Callable
from types import SimpleNamespace

from tests.project import Project

Run = Callable[..., SimpleNamespace]
CONSENT = ("--consent", "sample")


def test_a_dry_run_without_a_store_makes_nothing(project: Project, run: Run) -> None:
    before = sorted(project.root.rglob("*"))

    done = run("subscribers", "import", "subscribers/list.csv", *CONSENT, "--dry-run")

    assert done.code == 0
    assert sorted(project.root.rglob("*")) == before


def test_rejects_of_rejects_have_the_same_columns(project: Project, run: Run) -> None:
    (project.root / "bad.csv").write_text("email,name\nbad,Bad\n")

    run("subscribers", "import", "bad.csv", *CONSENT)
    run("subscribers", "import", "bad.csv.rejects.csv", *CONSENT)

    first, second = (
        list(csv.reader((project.root / name).read_text().splitlines()))
        for name in ("bad.csv.rejects.csv", "bad.csv.rejects.csv.rejects.csv")
    )
    assert first[0] == second[0]
    assert first[1][3:] == second[1][3:] == ["bad", "Bad"]


def test_a_blank_statement_of_consent_adds_nobody(project: Project, run: Run) -> None:
    assert run("subscribers", "add", "new@example.com", "--consent", "  ").code == 2
