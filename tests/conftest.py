"""Fixtures that several test modules share, and the rule that CI skips nothing."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NO_CORPUS = "no corpus beside this checkout"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real posts to read, where this checkout has them beside it."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip(NO_CORPUS)
    return folder


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failed one: everything it needs is installed there."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI") and NO_CORPUS not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
