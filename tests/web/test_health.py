"""Machines ask how the service is: alive, ready, and in numbers for those who may know."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from digest.errors import StoreError
from digest.models import SuppressionReason
from digest.scheduler import Pulse
from digest.store.ledger.records import DeliveryState, IssueState
from digest.web import application
from digest.web.metrics import StoreNumbers
from tests.store.sending import Carrier, draft_of, frozen, readers, send

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
LOCAL = "http://127.0.0.1:8000"
TOKEN = "a token of the tests, of the length"


def asked(pages, client="127.0.0.1", base_url=LOCAL, **site):
    """A client at an address, by whatever name it knows the site."""
    app = application(replace(pages.site, **site))
    return TestClient(app, base_url=base_url, client=(client, 1), raise_server_exceptions=False)


def numbers(answer):
    """Metrics by name, or by name and labels."""
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(value for _, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


# Alive and ready


def test_alive_whatever_is_behind_it(quick_pages):
    quick_pages.store.close()
    with quick_pages.store.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    answer = asked(quick_pages).get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert answer.headers["cache-control"] == "no-store"


def test_ready_when_the_database_is_at_head(pages):
    answer = asked(pages).get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "database": "ok", "scheduler": "none here"}


def test_not_ready_at_another_revision(pages):
    with pages.store.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    answer = asked(pages).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "schema is newer"


def test_not_ready_without_a_database(quick_pages):
    file = quick_pages.store.database.file
    quick_pages.store.close()
    file.write_bytes(b"this was a database" * 100)

    answer = asked(quick_pages).get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": "unreachable", "scheduler": "none here"}
    assert str(file) not in answer.text


def test_not_ready_when_the_schedule_is_stuck(quick_pages):
    pulse = Pulse(quick_pages.clock)
    client = asked(quick_pages, pulse=pulse)
    pulse.beat()
    assert client.get("/readyz").json()["scheduler"] == "ok"

    quick_pages.clock.pass_(minutes=4)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["scheduler"]) == (503, "stuck")


def test_what_is_asked_every_few_seconds_is_in_the_log_only_when_it_is_wrong(quick_pages, capfd):
    pulse = Pulse(quick_pages.clock)
    client = asked(quick_pages, pulse=pulse)
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)
    assert capfd.readouterr().err == ""

    pulse.beat()
    quick_pages.clock.pass_(hours=1)
    client.get("/readyz")
    assert json.loads(capfd.readouterr().err)["status"] == 503


# Metrics


def test_the_store_in_numbers(pages):
    readers(pages.store, 10)
    pages.store.suppressions.add("x@example.com", SuppressionReason.MANUAL, pages.clock(), "test")
    draft = draft_of(pages.config.root)
    frozen(pages.store, draft)
    send(pages.store, draft, Carrier(), pages.config.root)

    seen = numbers(asked(pages).get("/metrics"))

    assert seen["digest_deliveries{carrier,submitted}"] == 10
    assert seen["digest_deliveries{carrier,unknown}"] == 0
    assert seen["digest_issues{done}"] == 1
    assert seen["digest_schedule_lag_seconds{weekly}"] == 0
    assert seen["digest_suppressions{manual}"] == 1
    assert seen["digest_subscribers{confirmed}"] == 10
    assert seen["digest_senders"] == 0
    assert seen["digest_store_up"] == 1
    assert "example.com" not in str(seen)


def test_what_this_process_did_in_numbers(quick_pages):
    meters = quick_pages.site.meters
    meters.batch("smtp", 250, 0.5)
    meters.batch("smtp", 10, 40.0)
    pulse = Pulse(quick_pages.clock)
    pulse.beat()

    seen = numbers(asked(quick_pages, pulse=pulse).get("/metrics"))

    assert seen["digest_batch_seconds_count{smtp}"] == 2
    assert seen["digest_batch_seconds_sum{smtp}"] == 40.5
    assert seen["digest_batch_seconds_bucket{1.0,smtp}"] == 1
    assert seen["digest_batch_deliveries_total{smtp}"] == 260
    last = quick_pages.clock().timestamp()
    assert seen["digest_schedule_last_tick_timestamp_seconds"] == last
    assert seen["process_resident_memory_bytes"] > 0


def test_a_new_application_keeps_what_was_counted(quick_pages):
    """As after SIGHUP."""
    quick_pages.site.meters.batch("smtp", 1, 1.0)
    application(quick_pages.site)

    text = asked(quick_pages).get("/metrics").text
    assert numbers(asked(quick_pages).get("/metrics"))["digest_batch_seconds_count{smtp}"] == 1
    assert text.count("# TYPE digest_store_up") == 1


def test_a_database_that_is_away_is_a_number_too(quick_pages):
    file = quick_pages.store.database.file
    quick_pages.store.close()
    file.write_bytes(b"this was a database" * 100)

    answer = asked(quick_pages).get("/metrics")
    assert answer.status_code == 200
    assert numbers(answer)["digest_store_up"] == 0


def test_the_store_is_asked_again_only_when_its_numbers_are_old(quick_pages):
    now, looks = [100.0], []

    def look():
        looks.append(now[0])
        now[0] += 2.0  # it is slow
        raise StoreError("away")

    store = StoreNumbers(look, quick_pages.site, clock=lambda: now[0])
    for moment in (100.0, 107.0, 141.0, 142.0, 143.0):
        now[0] = max(now[0], moment)
        list(store.collect())

    assert looks == [100.0, 142.0]  # twenty times as long as it took


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
def test_both_formats_are_spoken(quick_pages, accept):
    answer = asked(quick_pages).get("/metrics", headers={"accept": accept})

    assert answer.status_code == 200
    assert ("# EOF" in answer.text) == bool(accept)


# Who may read them


@pytest.mark.parametrize(
    ("client", "base_url", "headers", "status"),
    [
        ("127.0.0.1", LOCAL, {}, 200),
        ("::1", "http://[::1]:8000", {}, 200),
        ("192.0.2.9", LOCAL, {}, 403),
        ("127.0.0.1", LOCAL, {"x-forwarded-for": "127.0.0.1"}, 403),  # a proxy nobody told us of
        ("127.0.0.1", LOCAL, {"via": "1.1 proxy"}, 403),
        ("127.0.0.1", "https://news.example.com", {}, 403),
        ("192.0.2.9", "https://news.example.com", {"authorization": f"Bearer {TOKEN}"}, 200),
        ("192.0.2.9", LOCAL, {"authorization": f"Bearer {TOKEN}x"}, 403),
        ("192.0.2.9", LOCAL, {"authorization": "Bearer "}, 403),
        ("192.0.2.9", LOCAL, {"authorization": "Bearer ü"}, 403),
    ],
)
def test_only_the_operator_reads_numbers(
    quick_pages, monkeypatch, client, base_url, headers, status
):
    monkeypatch.setenv("DIGEST_METRICS_TOKEN", TOKEN)
    raw = {name: value.encode("latin-1") for name, value in headers.items()}

    answer = asked(quick_pages, client, base_url).get("/metrics", headers=raw)
    assert answer.status_code == status
    if status == 403:
        assert "digest_" not in answer.text


def test_without_a_token_none_opens(quick_pages):
    answer = asked(quick_pages, "192.0.2.9").get("/metrics", headers={"authorization": "Bearer "})

    assert answer.status_code == 403


def test_a_network_of_the_operator_and_a_proxy_that_is_known(quick_pages):
    pages = quick_pages.configured(
        metrics=(ip_network("10.1.0.0/16"),), trusted_proxies=(ip_network("10.0.0.1"),)
    )

    for client, forwarded, status in (
        ("10.1.2.3", "", 200),
        ("10.2.2.3", "", 403),
        ("10.0.0.1", "10.1.2.3", 200),
        ("10.0.0.1", "203.0.113.7", 403),
        ("10.0.0.1", "", 403),
    ):
        headers = {"x-forwarded-for": forwarded} if forwarded else {}
        answer = asked(pages, client).get("/metrics", headers=headers)
        assert answer.status_code == status, (client, forwarded)


def test_looking_makes_nothing_go_out_by_itself(quick_pages):
    asked(quick_pages).get("/metrics")
    quick_pages.clock.at += timedelta(days=30)

    asked(quick_pages).get("/metrics")
    assert all(
        quick_pages.store.schedule.standing(cadence) is None
        for cadence in quick_pages.config.schedule
    )


def test_every_metric_is_documented_and_every_documented_one_exists(quick_pages):
    readers(quick_pages.store, 1)
    quick_pages.store.suppressions.add(
        "x@example.com", SuppressionReason.MANUAL, quick_pages.clock(), "test"
    )
    frozen(quick_pages.store, draft_of(quick_pages.config.root))
    pulse = Pulse(quick_pages.clock)
    pulse.beat()
    quick_pages.site.meters.batch("smtp", 1, 1.0)
    text = asked(quick_pages, pulse=pulse).get("/metrics").text

    documented = re.findall(r"^\| `(digest_\w+)` \|", OPERATIONS.read_text(), re.MULTILINE)
    told = re.findall(r"^# TYPE (digest_\w+) \w+", text, re.MULTILINE)
    assert sorted(documented) == sorted(name for name in told if not name.endswith("_created"))


def test_the_alerts_are_about_metrics_and_states_that_exist():
    text = OPERATIONS.read_text()
    documented = set(re.findall(r"^\| `(digest_\w+)` \|", text, re.MULTILINE))
    (rules,) = re.findall(r"```yaml\n(groups:.*?)```", text, re.DOTALL)
    alerts = yaml.safe_load(rules)["groups"][0]["rules"]

    assert len(alerts) >= 5
    for alert in alerts:
        assert set(re.findall(r"digest_\w+", alert["expr"])) <= documented
        for state in re.findall(r'state!?="(\w+)"', alert["expr"]):
            assert state in {*DeliveryState, *IssueState}
        assert f"`{alert['alert']}`" in text  # what to do when it rings
