"""The outbox: a file per delivery, once, whole, and nowhere else."""

import errno
import os
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from digest.config import Config
from digest.errors import ConfigError, Outcome, ProviderError
from digest.providers import Batch, connect
from digest.providers import outbox as outbox_module
from digest.providers.outbox import Outbox
from tests.handmade import ANA, ISSUE, edition


def _batch(count: int = 3, start: int = 0, issue: str = ISSUE.id) -> Batch:
    readers = [replace(ANA, delivery=f"d{n:019d}") for n in range(start, start + count)]
    return Batch(issue, edition(), readers)


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def _config(tmp_path: Path, provider: str) -> Config:
    settings = SimpleNamespace(path=tmp_path / "digest.toml", provider=provider, outbox=tmp_path)
    return cast("Config", settings)


def test_every_delivery_becomes_a_file_that_a_mail_program_opens(tmp_path):
    receipts = list(Outbox(tmp_path).hand_over(_batch(1)))
    raw = (tmp_path / ISSUE.id / "0000" / "d0000000000000000000.eml").read_bytes()

    assert [(r.delivery, r.new) for r in receipts] == [("d0000000000000000000", True)]
    assert message_from_bytes(raw, policy=policy.strict)["To"] == "Ana <ana@example.org>"
    assert raw == edition().message(_batch(1).readers[0])


def test_a_second_run_writes_nothing_and_says_so(tmp_path):
    list(Outbox(tmp_path).hand_over(_batch()))
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.eml")}

    receipts = list(Outbox(tmp_path).hand_over(_batch()))

    assert [receipt.new for receipt in receipts] == [False] * 3
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.eml")} == times


def test_a_message_is_found_wherever_it_lies_under_its_issue(tmp_path):
    list(Outbox(tmp_path).hand_over(_batch(1)))
    sorted_away = tmp_path / ISSUE.id / "checked" / "by hand"
    sorted_away.mkdir(parents=True)
    (tmp_path / ISSUE.id / "0000" / "d0000000000000000000.eml").rename(
        sorted_away / "d0000000000000000000.eml"
    )

    receipts = list(Outbox(tmp_path).hand_over(_batch(1)))

    assert [receipt.new for receipt in receipts] == [False]


def test_an_existing_file_is_never_overwritten(tmp_path):
    kept = tmp_path / ISSUE.id / "0000" / "d0000000000000000000.eml"
    kept.parent.mkdir(parents=True)
    kept.write_text("edited by hand")

    list(Outbox(tmp_path).hand_over(_batch(2)))

    assert kept.read_text() == "edited by hand"


def test_a_delivery_named_twice_is_written_once(tmp_path):
    batch = _batch(1)

    receipts = list(Outbox(tmp_path).hand_over(replace(batch, readers=[*batch.readers] * 2)))

    assert [receipt.new for receipt in receipts] == [True, False]
    assert len(_files(tmp_path)) == 1


def test_folders_hold_a_thousand_messages_also_over_several_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(outbox_module, "PER_FOLDER", 3)
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"

    list(Outbox(whole).hand_over(_batch(8)))
    for count in (1, 3, 5, 8):  # as if killed after each
        list(Outbox(resumed).hand_over(_batch(count)))

    assert _files(whole / ISSUE.id) == _files(resumed / ISSUE.id)
    assert [len(_files(whole / ISSUE.id / name)) for name in ("0000", "0001", "0002")] == [3, 3, 2]


def test_what_a_killed_run_left_unfinished_is_removed(tmp_path):
    unfinished = tmp_path / ISSUE.id / "0000" / "d0000000000000000000.eml.partial"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"half a mess")

    receipts = list(Outbox(tmp_path).hand_over(_batch(1)))

    assert receipts[0].new
    assert _files(tmp_path / ISSUE.id / "0000") == ["d0000000000000000000.eml"]


def test_work_stops_when_nobody_iterates(tmp_path):
    receipts = Outbox(tmp_path).hand_over(_batch(3))
    next(receipts)

    assert len(_files(tmp_path)) == 1


@pytest.mark.parametrize(
    "name", ["", "..", ".", "../x", "a/b", "a\\b", "a\0b", "-x", "x.", "a b", "x" * 300]
)
def test_an_id_that_would_leave_its_folder_is_refused(tmp_path, name):
    outbox = Outbox(tmp_path / "outbox")
    reader = replace(ANA, delivery=name)

    with pytest.raises(ProviderError) as failure:
        list(outbox.hand_over(_batch(1, issue=name)))
    [answer] = outbox.hand_over(replace(_batch(1), readers=[reader]))

    assert failure.value.outcome is answer.outcome is Outcome.PERMANENT
    assert not list(tmp_path.rglob("*.eml"))


def test_a_reader_who_cannot_be_written_to_is_refused_for_good_without_the_address(tmp_path):
    reader = replace(ANA, address="ana@example.org\r\nBcc: all@example.org")
    batch = replace(_batch(1), readers=[reader, *_batch(1).readers])

    refusal, receipt = Outbox(tmp_path).hand_over(batch)

    assert refusal.outcome is Outcome.PERMANENT
    assert ANA.delivery in refusal.reason
    assert "example.org" not in refusal.reason
    assert receipt.new


@pytest.mark.parametrize("place", [".", ISSUE.id, f"{ISSUE.id}/0000"])
def test_a_file_where_a_folder_should_be_was_certainly_not_taken(tmp_path, place):
    obstacle = tmp_path / "outbox" / place
    obstacle.parent.mkdir(parents=True, exist_ok=True)
    obstacle.write_text("in the way")

    with pytest.raises(ProviderError) as failure:
        list(Outbox(tmp_path / "outbox").hand_over(_batch()))

    assert failure.value.outcome is Outcome.TEMPORARY
    assert failure.value.hint == "a file stands where a folder is needed: move it away"


def test_a_full_disk_is_temporary_and_leaves_no_half_message(tmp_path):
    """`/dev/full` is the disk that is always full."""
    name = f"d0000000000000000001.eml.{os.getpid()}.partial"
    partial = tmp_path / ISSUE.id / "0000" / name
    outbox = Outbox(tmp_path)
    list(outbox.hand_over(_batch(1)))
    partial.symlink_to("/dev/full")

    with pytest.raises(ProviderError, match="No space left") as failure:
        list(outbox.hand_over(_batch(2)))

    assert failure.value.outcome is Outcome.TEMPORARY
    assert failure.value.hint.startswith("the disk is full")
    assert _files(tmp_path / ISSUE.id / "0000") == ["d0000000000000000000.eml"]


def test_every_error_of_the_disk_comes_with_what_to_do():
    for code in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOTDIR, errno.EIO):
        failure = outbox_module._failure(OSError(code, "it failed", "/somewhere"))

        assert failure.outcome is Outcome.TEMPORARY
        assert failure.hint


def test_the_configured_provider_is_connected_by_name(tmp_path):
    provider = connect(_config(tmp_path, "outbox"))

    assert provider.name == "outbox"
    assert len(list(provider.hand_over(_batch(2)))) == 2
    provider.close()


def test_an_unknown_provider_is_a_configuration_error_that_lists_the_known(tmp_path):
    with pytest.raises(ConfigError, match=r"'pigeon' is not one of: outbox"):
        connect(_config(tmp_path, "pigeon"))
