"""Events have stable names that the documents explain, and hold no address and no token."""

import ast
import json
import logging
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path, PurePath
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import logs
from digest.models import Cadence
from digest.tokens import Keys, Purpose, sign

ROOT = Path(__file__).resolve().parent.parent
EVENTS = set(get_args(logs.Event))
TOKENS = st.builds(
    lambda secret, subject, lasts: sign(
        Keys((secret,)),
        Purpose.VIEW,
        subject,
        expires=None if lasts else datetime(2027, 1, 1, tzinfo=UTC),
    ),
    st.binary(min_size=16, max_size=40),
    st.integers(0, 2**63 - 1),
    st.booleans(),
)
AROUND = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.fixture
def told(capsys, monkeypatch):
    """Gives the events written since the last call."""
    logs._sink.cache_clear()
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logs._sink.cache_clear()


def used_keys() -> set[str]:
    """First arguments of every `.info`, `.warning` and `.error` with the look of an event key.

    Where the level is chosen, the method is called `say`.
    """
    found = set()
    for path in (ROOT / "digest").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and (
                    getattr(node.func, "attr", "") in {"info", "warning", "error"}
                    or getattr(node.func, "id", "") == "say"
                )
                and node.args
                and isinstance(key := getattr(node.args[0], "value", None), str)
                and re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", key)
            ):
                found.add(key)
    return found


def test_every_event_is_documented_and_every_documented_event_exists():
    table = re.findall(r"^\| `([a-z_.]+)` \| (?:info|warning|error)", _operations(), re.MULTILINE)

    assert sorted(table) == sorted(EVENTS)


def test_every_event_that_is_listed_happens_and_no_other():
    assert used_keys() == EVENTS


def test_an_event_is_one_line_of_json_with_its_key_part_level_and_moment(told):
    logs.get("scheduler").info("library.warned", issue="weekly-2026-11-19", readers=12)

    (event,) = told()
    assert list(event)[:4] == ["timestamp", "level", "event", "part"]
    assert datetime.fromisoformat(event.pop("timestamp")).utcoffset() == timedelta(0)
    assert event == {
        "event": "library.warned",
        "level": "info",
        "part": "scheduler",
        "issue": "weekly-2026-11-19",
        "readers": 12,
    }


def test_an_exception_says_its_kind_and_place_but_not_whose_it_is(told):
    try:
        raise ValueError("no mailbox <ana@example.com>\nhere")
    except ValueError as error:
        logs.get("sender").error("library.warned", failure=error)

    (event,) = told()
    assert event["failure"] == "ValueError: no mailbox [address] here"
    assert re.fullmatch(r"tests/test_logs.py:\d+ test_an_exception_\w+", event["where"][-1])


@given(before=AROUND, token=TOKENS, after=AROUND)
def test_no_token_of_ours_gets_through_in_any_text(before, token, after):
    text = f"{before}/{token}/{after}"

    assert token not in json.dumps(logs.harmless({"said": text, "list": [text], token: 1}))


@given(before=AROUND, local=st.from_regex(r"[a-z0-9.!#$&'*+/=?^_`{|}~-]{6,20}", fullmatch=True))
def test_no_address_gets_through_in_any_text(before, local):
    for at in ("@", "%40", "＠"):
        said = json.dumps(logs.harmless(f"{before} <{local}{at}example.com>: unknown user"))

        assert local not in said or local in json.dumps(before)
        assert "example.com" not in said


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('"Ana Maria"@example.com is full', "[address] is full"),
        ("postgresql://digest:hunter2@db/digest", "[address]"),
        ("Authorization: Bearer SG.abc.def-ghi", "Authorization: [key]"),
        ("key SG.aaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbb", "key [key]"),
        ("d2" * 32, "[token]"),
        ("content/2026/2026-11-19-what-we-learned-from-a-year-of-small-releases", None),
        ("weekly-2026-11-19", None),
        ("mfrggzdfmztwq2lkmfrg", None),  # a delivery id
        ("\x1b[31mred\u202e", " [31mred "),
    ],
)
def test_what_is_masked_and_what_is_not(text, masked):
    assert logs.harmless(text) == (text if masked is None else masked)


def test_facts_that_are_called_secrets_are_withheld_and_counts_of_them_are_not(told):
    facts = {"email": "x", "api_key": "short", "reply_to_address": "", "tokens": 3, "token": None}

    logs.get("web").info("library.warned", deep={"password": "hunter2"}, **facts)

    (event,) = told()
    assert event["deep"] == {"password": "[withheld]"}
    assert {name: event[name] for name in facts} == {
        "email": "[withheld]",
        "api_key": "[withheld]",
        "reply_to_address": "[withheld]",
        "tokens": 3,
        "token": None,
    }


def test_values_become_json_and_strange_ones_only_say_their_kind():
    class Strange:
        def __repr__(self):
            return "ana@example.com"

    class Plain(Enum):
        ONE = 1

    at = datetime(2026, 11, 19, 9, tzinfo=UTC)
    values = [Cadence.WEEKLY, Plain.ONE, at, timedelta(minutes=1), PurePath("a/b"), Strange()]

    assert logs.harmless(values) == [
        "weekly",
        1,
        "2026-11-19T09:00:00+00:00",
        60.0,
        "a/b",
        "<Strange>",
    ]


def test_an_endless_value_ends():
    endless: list = []
    endless.append(endless)

    assert "<list>" in json.dumps(logs.harmless(endless))
    assert len(str(logs.harmless("x " * 100_000))) < 1100


def test_what_a_library_warns_of_becomes_an_event(told):
    root = logging.getLogger()
    before = root.handlers[:]
    try:
        logs.adopt_libraries()
        logs.adopt_libraries()
        logging.getLogger("apscheduler.scheduler").warning("missed by %s for %s", 3, "a@b.example")
        logging.getLogger("apscheduler.scheduler").info("nothing to see")
    finally:
        root.handlers[:] = before

    (event,) = told()
    assert event["event"] == "library.warned"
    assert event["library"] == "apscheduler.scheduler"
    assert event["said"] == "missed by 3 for [address]"


def test_nobody_reading_is_no_reason_to_fail():
    code = "from digest import logs; logs.get('web').info('library.warned'); print('goes on')"
    command = ["sh", "-c", '"$0" -c "$1" 2>&-', sys.executable, code]

    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "goes on\n"


def test_on_a_terminal_the_line_is_for_people():
    ours, theirs = pty.openpty()
    code = "from digest import logs; logs.get('web').warning('library.warned', issue='w-1')"
    environ = {**os.environ, "NO_COLOR": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, stderr=theirs, env=environ)
    os.close(theirs)

    line = os.read(ours, 4096).decode()
    os.close(ours)
    assert re.match(r"\d\d:\d\d:\d\d \[warning\s*\] library.warned\s+issue=w-1 part=web\s*$", line)


def test_structlog_is_not_imported_before_the_first_event():
    code = "import sys; from digest import logs; logs.get('web'); print('structlog' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_first_event_does_not_load_rich_and_leaves_it_to_others():
    code = "import sys; from digest import logs; logs.get('web').info('library.warned');"
    code += "print('rich' in sys.modules); import rich.table; print(rich.table.Table)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n<class 'rich.table.Table'>\n"


def _operations() -> str:
    return (ROOT / "docs" / "operations.md").read_text()
