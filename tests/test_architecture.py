"""The shape of the code: imports point down, and the core touches nothing outside."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "digest"

# Pure: decisions and words, no reading or writing.
DECISIONS = {
    "hashtags", "filters", "selector", "cadence", "composer", "events", "wording", "inline",
    "columns", "preferences", "tokens", "pace", "checks", "listing", "snapshot", "mailboxes",
    "clicks", "dues",
}  # fmt: skip
WORDS = [{"addresses", "layout"}, {"models"}, {"errors"}]

# Each row may import the rows below it and, within a row, its neighbours (but never in a circle).
ROWS = [
    {"cli", "__main__"},
    {"web", "studio", "doctor"},
    {"scheduler", "workers"},
    {"gallery", "report", "matrix"},
    {"planning", "freshness", "proofs", "desk", "impact"},
    {"issues", "notices", "sender"},
    {"readership"},
    {
        "content", "renderer", "translations", "subscribers", "roster", "scaffold", "store",
        "providers", "logs", "bounces", "clients", "chromium", "online",
        "changes",
    },
    DECISIONS,
    {"config"},
    *WORDS,
]  # fmt: skip
CORE = DECISIONS.union(*WORDS)

# What the pure core may use of the standard library and of others: nothing that reads or writes.
IMPURE = {
    "os", "io", "sys", "pathlib", "shutil", "tempfile", "socket", "ssl", "http", "urllib.request",
    "subprocess", "threading", "multiprocessing", "asyncio", "sqlite3", "time", "random", "secrets",
    "logging", "jinja2", "mjml", "frontmatter", "yaml", "sqlalchemy", "apscheduler", "sendgrid",
    "click", "rich", "babel", "structlog", "starlette", "uvicorn", "watchfiles", "procrastinate",
    "dns", "prometheus_client", "limits",
}  # fmt: skip

MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The product's part a file belongs to: `content/dates.py` -> `content`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file, but not for type checking alone."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found.add(node.module or "")
    return found


def parts_imported(path: Path) -> set[str]:
    names = {name.split(".")[1] for name in imports(path) if name.startswith("digest.")}
    return names - {part_of(path)}


def row_of(part: str) -> int:
    return next(number for number, row in enumerate(ROWS) if part in row)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_has_a_row_and_imports_point_down(path):
    part = part_of(path)
    if part == "__init__":
        return
    assert any(part in row for row in ROWS), (
        f"give {part} a row in ROWS and in docs/architecture.md"
    )

    above = {name for name in parts_imported(path) if row_of(name) < row_of(part)}
    assert not above, f"{path.name} imports {above}, which stand above it"


def test_no_two_parts_import_each_other_in_a_circle():
    graph = {part_of(path): set() for path in MODULES}
    for path in MODULES:
        graph[part_of(path)] |= parts_imported(path)

    done: set[str] = set()
    while ready := {part for part in graph if part not in done and graph[part] <= done}:
        done |= ready
    assert not graph.keys() - done, f"a circle among {graph.keys() - done}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if part_of(p) in CORE], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_the_core_imports_nothing_that_reads_or_writes(path):
    touched = {name for name in imports(path) if name in IMPURE or name.split(".")[0] in IMPURE}

    assert not touched


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_is_longer_than_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_function_is_longer_than_60_lines(path):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, functions):
            assert node.end_lineno - node.lineno < 60, node.name


def test_only_the_configuration_reads_the_environment():
    readers = {part_of(p) for p in MODULES if "os.environ" in p.read_text()}

    assert readers <= {"config"}


def test_sql_is_written_in_the_store_alone():
    writers = {part_of(p) for p in MODULES if {"sqlalchemy", "sqlite3"} & imports(p)}

    assert writers <= {"store"}
