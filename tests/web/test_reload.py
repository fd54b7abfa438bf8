"""SIGHUP takes a new configuration; one with a mistake in it changes nothing, and is in the log."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from digest.cli.serving import Service
from digest.web.meters import Meters

GOOD = Path("digest.toml")


@pytest.fixture
def service(quick_pages, monkeypatch):
    """The pages of a service, as they are between two signals."""
    monkeypatch.chdir(quick_pages.config.root)
    site = quick_pages.site
    made = Service(site.config, site.store, site.keys, site.now, None, None, Meters.made())
    yield made
    made._site.close()


def shown(service) -> str:
    base = service.config.newsletter.base_url
    return TestClient(service._pages, base_url=base).get("/").text


def events(capfd) -> list[dict]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_a_new_configuration_is_what_the_next_reader_sees(service, capfd):
    service.meters.batch("smtp", 1, 1.0)
    GOOD.write_text(GOOD.read_text().replace("Platform Weekly", "Another Name"))

    assert service.reload()

    assert [event["event"] for event in events(capfd)] == ["config.reloaded"]
    assert "Another Name" in shown(service)
    assert service._site.meters is service.meters  # what was counted goes on


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text + "bad = [", "this is not TOML"),
        (lambda text: text.replace("sender =", "sendr ="), "unknown key"),
        (lambda text: text + '[delivery]\nprovider = "smpt"\n', "'smpt' is not one of"),
        (lambda text: text + '[delivery]\nprovider = "smtp"\n', "smtp.host"),
        (lambda text: text + '[delivery]\nprovider = "sendgrid"\n', "DIGEST_SENDGRID_API_KEY"),
    ],
)
def test_a_mistake_changes_nothing_and_is_told_with_its_place(service, capfd, change, told):
    before = service.config
    GOOD.write_text(change(GOOD.read_text()))

    assert not service.reload()

    (event,) = events(capfd)
    assert (event["event"], event["level"]) == ("config.refused", "error")
    assert told in event["failure"]
    assert service.config is before
    assert "Platform Weekly" in shown(service)


def test_a_file_that_is_gone_or_cannot_be_read_changes_nothing(service, capfd):
    text = GOOD.read_text()
    GOOD.unlink()
    assert not service.reload()
    GOOD.write_bytes(b"\xff\xfe")
    assert not service.reload()

    GOOD.write_text(text)
    assert service.reload()
    assert [event["event"] for event in events(capfd)] == [
        "config.refused",
        "config.refused",
        "config.reloaded",
    ]


def test_a_secret_that_is_gone_changes_nothing(service, capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("DIGEST_METRICS_TOKEN_FILE", str(tmp_path / "gone"))

    assert not service.reload()
    assert "gone: No such file" in events(capfd)[0]["failure"]


def test_what_needs_a_restart_is_kept_and_told(service, capfd):
    GOOD.write_text(GOOD.read_text() + "[web]\nport = 9999\n")

    assert service.reload()
    assert [event["event"] for event in events(capfd)] == ["config.kept", "config.reloaded"]
