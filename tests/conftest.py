"""Fixtures that several test modules share, and the rule that CI skips nothing."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

from digest.chromium import find
from digest.cli import main
from tests.project import make_project

# A busy machine is no failure, and what CI finds must be found again.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

ROOT = Path(__file__).resolve().parent.parent
NO_CORPUS = "no corpus beside this checkout"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real posts to read, where this checkout has them beside it."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip(NO_CORPUS)
    return folder


@pytest.fixture(scope="module")
def chromium():
    """A real browser. No longer than a module: it holds the event loop of the thread."""
    if find() is None:
        pytest.skip("no Chromium on PATH")
    from tests.browsing import started

    with started() as browser:
        yield browser


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRET_KEY", "a secret key for tests".replace(" ", "-"))
    return make_project(tmp_path)


@pytest.fixture
def run(monkeypatch, capsysbinary):
    """Runs one command; gives its exit code and what it printed."""

    def run(*args: str):
        monkeypatch.setattr(sys, "argv", ["digest", *args])
        with pytest.raises(SystemExit) as exited:
            main()
        captured = capsysbinary.readouterr()
        return SimpleNamespace(
            code=exited.value.code, out=captured.out.decode(), err=captured.err.decode()
        )

    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failed one: everything it needs is installed there."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI") and NO_CORPUS not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
