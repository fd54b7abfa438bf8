"""The doctor finds what would keep mail from going out or arriving, and says how to mend it.

Name servers, mail servers and web servers here are real ones on this machine.
"""

import json
import os
import re
import socket
import threading
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.cli.exits import Exit
from digest.config import load
from digest.doctor import Id, Patient, examine
from digest.doctor.names import Names, UnansweredError
from digest.providers.smtp.dkim import published_key
from digest.tokens import Keys, Purpose, verify
from tests.mailservers import PASSWORD, USER, Keeper, authority, real_server
from tests.nameserver import name_server
from tests.own_certificate import certificate

DOCS = Path(__file__).resolve().parent.parent / "docs"
SECRET = "a secret key of the tests that is long".replace(" ", "-")
SENDGRID_KEY = "SG.a-key-of-the-tests.never-shown"
GOOD_ZONE = {
    ("paper.example", "TXT"): ["v=spf1 include:_spf.mail.example ~all", "another thing"],
    ("_spf.mail.example", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
    ("_dmarc.paper.example", "TXT"): ["v=DMARC1; p=none; rua=mailto:dmarc@paper.example"],
    ("paper.example", "MX"): ["10 mx.paper.example."],
}


@pytest.fixture
def newsletter(tmp_path, monkeypatch):
    """Writes digest.toml; `smtp` is what stands in [smtp]."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRET_KEY", SECRET)
    monkeypatch.setenv("DIGEST_SMTP_PASSWORD", PASSWORD)
    monkeypatch.setenv("DIGEST_SENDGRID_API_KEY", SENDGRID_KEY)
    (tmp_path / "content").mkdir()

    def write(provider="smtp", *, smtp='host = "127.0.0.1"\nport = 1\nsecurity = "none"', **more):
        address = {
            "postal_address": "1 High Street",
            "base_url": "http://127.0.0.1:1",  # nobody is there
            **more.pop("newsletter", {}),
        }
        lines = [
            "[newsletter]",
            'sender = "news@paper.example"',
            *(f"{key} = {json.dumps(value)}" for key, value in address.items()),
            f'[delivery]\nprovider = "{provider}"',
            f"[smtp]\n{smtp}" if provider == "smtp" else "",
            *(f"[{name}]\n{text}" for name, text in more.items()),
        ]
        path = tmp_path / "digest.toml"
        path.write_text("\n".join(lines))
        return load(path)

    return write


def found(config, **wishes):
    """Results by id."""
    return {result.id: result for result in examine(Patient(config, **wishes))}


def verdicts(results):
    return {name: result.verdict.value for name, result in results.items()}


# The project


def test_every_examination_is_documented():
    table = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", (DOCS / "operations.md").read_text(), re.M)

    assert [name for name in table if name in get_args(Id)] == list(get_args(Id))


def test_a_config_that_cannot_be_read_is_one_failure_and_the_rest_waits(newsletter, run):
    newsletter()
    Path("digest.toml").write_text("[newsletter]\nsendr = 'x'\n")

    done = run("doctor", "--json")

    results = json.loads(done.out)["results"]
    assert done.code == Exit.FAILED
    assert results[0]["id"] == "config.file"
    assert "did you mean sender?" in results[0]["seen"]
    assert "mend digest.toml" in results[0]["fix"]


def test_without_a_config_the_way_out_is_to_make_one(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)

    done = run("doctor", "--json")

    assert done.code == Exit.FAILED
    (first, *_) = json.loads(done.out)["results"]
    assert first["id"] == "config.file"
    assert first["fix"] == "digest init, or run this where digest.toml is"


def test_links_that_lead_to_an_example_are_a_failure_once_mail_leaves(newsletter):
    example = {"newsletter": {"base_url": "https://news.example.com"}}

    seen = found(newsletter(**example), offline=True)["config.base_url"]
    assert seen.verdict == "failure"
    assert "https://news.example.com" in seen.seen
    assert found(newsletter("outbox", **example), offline=True)["config.base_url"].verdict == "ok"


@pytest.mark.parametrize("name", ["digest.sqlite3", "journal"])
def test_what_cannot_be_written_is_named(newsletter, monkeypatch, name):
    config = newsletter()
    assert found(config, offline=True)["machine.files"].verdict == "ok"
    (config.root / ".digest" / "journal").mkdir(parents=True)
    (config.root / "digest.sqlite3").touch()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != name)  # root may all

    shut = found(config, offline=True)["machine.files"]
    assert shut.verdict == "failure"
    assert shut.seen == f"cannot be written to: {name}"


def test_offline_nobody_is_asked(newsletter):
    config = newsletter(store='database = "postgresql://u:p@127.0.0.1:1/x"')

    seen = verdicts(found(config, offline=True))

    asking = ["provider.account", "dns.spf", "dns.dmarc", "web.reachable", "database.reachable"]
    assert {seen[name] for name in asking} == {"skipped"}
    assert seen["config.sender"] == seen["config.secret_key"] == "ok"


def test_what_no_default_can_give_is_asked_for(newsletter):
    config = newsletter(newsletter={"postal_address": "", "reply_to": "me@paper.example"})
    text = Path("digest.toml").read_text().replace("news@paper.example", "news@example.com")
    Path("digest.toml").write_text(text)

    seen = found(load(config.path), offline=True)

    assert seen["config.sender"].verdict == "failure"
    assert seen["config.postal_address"].verdict == "warning"


def test_counting_clicks_needs_a_store_and_to_know_who_asks(newsletter):
    behind = newsletter(stats="clicks = true", web='trusted_proxies = ["127.0.0.1"]')

    before = verdicts(found(behind, offline=True))
    Path("digest.sqlite3").touch()
    after = verdicts(found(behind, offline=True))
    alone = verdicts(found(newsletter(stats="clicks = true"), offline=True))

    assert (before["config.clicks"], after["config.clicks"]) == ("warning", "ok")
    assert alone["config.clicks"] == "warning"
    assert verdicts(found(newsletter(), offline=True))["config.clicks"] == "ok"


def test_short_and_readable_secrets_are_told_without_being_shown(newsletter, monkeypatch, tmp_path):
    config = newsletter(smtp='host = "localhost"\nuser = "ana"')
    file = tmp_path / "password"
    file.write_text("hunter2hunter2")
    file.chmod(0o644)
    monkeypatch.setenv("DIGEST_SECRET_KEY", "just-long-enough!")
    monkeypatch.setenv("DIGEST_SMTP_PASSWORD_FILE", str(file))

    seen = found(config, offline=True)

    assert seen["config.secret_key"].seen == "17 characters are few"
    assert seen["config.provider_secret"].seen == "password can be read by others"
    monkeypatch.setenv("DIGEST_SECRET_KEY", "too-short")
    monkeypatch.delenv("DIGEST_SMTP_PASSWORD_FILE")
    monkeypatch.delenv("DIGEST_SMTP_PASSWORD")
    seen = found(config, offline=True)
    assert seen["config.secret_key"].verdict == seen["config.provider_secret"].verdict == "failure"
    assert "DIGEST_SMTP_PASSWORD_FILE" in seen["config.provider_secret"].fix


def test_posts_that_are_left_out_are_a_warning(newsletter):
    config = newsletter()
    Path("content/bad.md").write_text("---\ntitle: [\n---\n")

    seen = found(config, offline=True)

    assert seen["content.posts"].seen == "1 mistake leaves posts out"
    assert seen["content.posts"].fix == "digest check names them"


def test_a_webhook_without_a_key_is_a_warning_and_a_broken_key_a_failure(newsletter):
    assert found(newsletter("sendgrid"), offline=True)["config.webhook_keys"].verdict == "warning"

    config = newsletter("sendgrid", sendgrid='webhook_keys = ["nonsense"]')
    assert found(config, offline=True)["config.webhook_keys"].verdict == "failure"


def test_the_outbox_needs_no_domain_and_no_account(newsletter):
    with name_server({}) as names, website() as site:
        config = newsletter("outbox", newsletter={"base_url": site.url})
        seen = found(config, nameserver=names.address)

    assert seen["provider.account"].seen == "the outbox needs none"
    assert seen["dns.spf"].verdict == "skipped"
    assert not names.asked


# The domain of the sender


def domain(config, zone, broken=()):
    """The results about the domain; provider and website are out of order."""
    with name_server(zone) as names:
        names.broken = set(broken)
        seen = found(config, nameserver=names.address)
    return {name.removeprefix("dns."): one for name, one in seen.items() if name[:3] == "dns"}


def test_a_domain_with_everything_is_all_right(newsletter):
    seen = domain(newsletter(), GOOD_ZONE)

    assert verdicts(seen) == {
        "spf": "ok",
        "dkim": "skipped",  # the server signs, or nobody does
        "dmarc": "ok",
        "alignment": "ok",
        "mx": "ok",
    }
    assert seen["spf"].seen == "paper.example, 1 of 10 look-ups, ~all"


def test_a_domain_with_nothing_is_told_which_records_to_add(newsletter):
    seen = domain(newsletter(), {})

    assert verdicts(seen) == {
        "spf": "failure",
        "dkim": "skipped",
        "dmarc": "failure",
        "alignment": "ok",
        "mx": "failure",
    }
    assert 'paper.example  TXT  "v=spf1' in seen["spf"].fix
    assert '_dmarc.paper.example  TXT  "v=DMARC1; p=none' in seen["dmarc"].fix


@pytest.mark.parametrize(
    ("name", "kind", "records", "examined", "verdict"),
    [
        ("paper.example", "TXT", ["v=spf1 -all", "v=spf1 ~all"], "spf", "failure"),
        ("paper.example", "TXT", ["v=spf1 +all"], "spf", "failure"),
        ("paper.example", "TXT", ["v=spf1 mx"], "spf", "warning"),
        ("paper.example", "TXT", ["v=spf1 include:gone.example -all"], "spf", "failure"),
        ("_dmarc.paper.example", "TXT", ["v=DMARC1; p=nun"], "dmarc", "failure"),
        ("_dmarc.paper.example", "TXT", ["v=DMARC1; p=none"] * 2, "dmarc", "failure"),
        ("_dmarc.paper.example", "TXT", ["v=DMARC1; p=none; pct=9"], "dmarc", "warning"),
        ("paper.example", "MX", ["0 ."], "mx", "failure"),
    ],
)
def test_a_record_that_is_wrong_is_told(newsletter, name, kind, records, examined, verdict):
    zone = {**GOOD_ZONE, (name, kind): list(dict.fromkeys(records)) or records}
    if len(set(records)) < len(records):
        zone[name, kind] = [records[0], records[0] + ";"]

    assert domain(newsletter(), zone)[examined].verdict == verdict


def test_a_domain_without_mx_is_reached_by_its_address_with_a_warning(newsletter):
    zone = {key: value for key, value in GOOD_ZONE.items() if key[1] != "MX"}

    seen = domain(newsletter(), {**zone, ("paper.example", "A"): ["192.0.2.7"]})
    assert seen["mx"].verdict == "warning"


def test_a_name_server_that_fails_is_no_missing_record(newsletter):
    seen = domain(newsletter(), GOOD_ZONE, broken=["_dmarc.paper.example"])

    assert seen["dmarc"].verdict == "failure"
    assert seen["dmarc"].seen.startswith("TXT of _dmarc.paper.example: ")
    assert "TXT" not in seen["dmarc"].fix


def test_the_policy_of_the_domain_above_counts(newsletter):
    config = newsletter()
    text = config.path.read_text().replace("paper.example", "mail.paper.example")
    config.path.write_text(text)
    zone = {**GOOD_ZONE, ("_dmarc.paper.example", "TXT"): ["v=DMARC1; p=reject; sp=quarantine"]}

    seen = domain(load(config.path), zone)
    assert seen["dmarc"].seen == "_dmarc.paper.example, policy quarantine"


def test_a_return_path_elsewhere_is_not_aligned_unless_the_domain_signs(newsletter):
    smtp = 'host = "127.0.0.1"\nport = 1\nsecurity = "none"\nreturn_path = "b@bounce.mail.example"'
    zone = {
        **GOOD_ZONE,
        ("bounce.mail.example", "TXT"): ["v=spf1 mx -all"],
        ("bounce.mail.example", "MX"): ["10 mx.mail.example."],
    }

    seen = domain(newsletter(smtp=smtp), zone)
    assert seen["alignment"].verdict == "warning"
    assert "sign as paper.example" in seen["alignment"].fix
    assert seen["mx"].seen == "paper.example, bounce.mail.example"

    config = newsletter(smtp=smtp.replace("bounce.mail", "bounce.paper"))
    assert domain(config, zone)["alignment"].verdict == "ok"
    strict = {("_dmarc.paper.example", "TXT"): ["v=DMARC1; p=none; aspf=s"]}
    assert domain(config, {**zone, **strict})["alignment"].verdict == "warning"


def private_key(folder: Path, kind: str) -> tuple[str, str]:
    """[smtp] with a new DKIM key, and the record that belongs to it."""
    if kind == "rsa":
        key = rsa.generate_private_key(65537, 2048)
    elif kind == "short":
        key = rsa.generate_private_key(65537, 1024)
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "dkim.pem").write_bytes(pem)
    algorithm, public = published_key(pem)
    smtp = 'host = "127.0.0.1"\nport = 1\nsecurity = "none"\n'
    smtp += 'dkim_selector = "d1"\ndkim_key = "dkim.pem"'
    return smtp, f"v=DKIM1; k={algorithm}; p={b64encode(public).decode()}"


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_the_published_key_is_that_of_the_private_key(newsletter, tmp_path, kind):
    smtp, record = private_key(tmp_path, kind)
    place = ("d1._domainkey.paper.example", "TXT")

    seen = domain(newsletter(smtp=smtp), {**GOOD_ZONE, place: [record]})
    assert (seen["dkim"].verdict, seen["dkim"].seen) == ("ok", place[0])
    assert seen["alignment"].seen == "DKIM and SPF of paper.example"

    missing = domain(newsletter(smtp=smtp), GOOD_ZONE)["dkim"]
    assert record in missing.fix
    other = private_key(tmp_path, kind)[1]
    wrong = domain(newsletter(smtp=smtp), {**GOOD_ZONE, place: [record]})["dkim"]
    assert wrong.seen == f"{place[0]} holds another key than smtp.dkim_key"
    assert other in wrong.fix


def test_short_and_tested_and_revoked_keys_are_told(newsletter, tmp_path):
    place = ("d1._domainkey.paper.example", "TXT")
    smtp, record = private_key(tmp_path, "short")
    config = newsletter(smtp=smtp)

    short = domain(config, {**GOOD_ZONE, place: [record]})["dkim"]
    assert (short.verdict, short.seen) == ("warning", f"{place[0]}: 1024 bits")
    smtp, record = private_key(tmp_path, "rsa")
    testing = domain(config, {**GOOD_ZONE, place: [f"{record}; t=y"]})["dkim"]
    assert testing.seen.endswith("is in test mode")
    revoked = domain(config, {**GOOD_ZONE, place: ["v=DKIM1; p="]})["dkim"]
    assert "revoked" in revoked.seen


def test_a_private_key_that_cannot_be_read_is_named(newsletter, tmp_path):
    smtp, _ = private_key(tmp_path, "rsa")
    (tmp_path / "dkim.pem").write_text("nonsense")

    seen = found(newsletter(smtp=smtp))
    assert "not a private key in PEM" in seen["config.dkim_key"].seen


def test_signing_for_another_domain_is_no_alignment(newsletter, tmp_path):
    smtp, _ = private_key(tmp_path, "ed25519")
    smtp += '\ndkim_domain = "mail.example"\nreturn_path = "b@mail.example"'

    seen = domain(newsletter(smtp=smtp), {**GOOD_ZONE, ("mail.example", "MX"): ["1 mx.example."]})
    assert seen["alignment"].verdict == "failure"
    assert seen["alignment"].fix.startswith("sign as paper.example")


def test_sendgrids_keys_are_looked_for_where_it_puts_them(newsletter):
    public = rsa.generate_private_key(65537, 2048)
    pem = public.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    record = f"k=rsa; t=s; p={b64encode(published_key(pem)[1]).decode()}"
    keys = {(f"s{n}._domainkey.paper.example", "TXT"): [record] for n in (1, 2)}
    config = newsletter("sendgrid", sendgrid='host = "http://127.0.0.1:1"')

    seen = domain(config, {**GOOD_ZONE, **keys})
    assert seen["dkim"].seen == "s1._domainkey.paper.example and s2._domainkey.paper.example"
    seen = domain(config, GOOD_ZONE)
    assert seen["dkim"].verdict == "warning"
    assert seen["dkim"].fix.startswith("authenticate the domain at SendGrid")


def test_a_name_server_that_is_silent_is_waited_for_once():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        names = Names.asking(f"127.0.0.1:{silent.getsockname()[1]}")
        names.resolver.lifetime = 0.05
        with pytest.raises(UnansweredError, match=r"TXT of paper\.example: no answer"):
            names.texts("paper.example")
        names.resolver.lifetime = 1000

        with pytest.raises(UnansweredError, match="not asked"):
            names.mail_servers("paper.example")


def test_a_domain_outside_ascii_is_asked_for_in_its_ascii_form():
    with name_server({("xn--bcher-kva.example", "TXT"): ["hello"]}) as server:
        assert Names.asking(server.address).texts("bücher.example") == ["hello"]


# The provider


def account(config):
    with name_server({}) as names:
        return found(config, nameserver=names.address)["provider.account"]


def test_a_mail_server_that_lets_us_in(newsletter, tmp_path):
    public, context = authority(tmp_path)
    keeper = Keeper()
    with real_server(keeper, starttls=context) as port:
        smtp = f'host = "127.0.0.1"\nport = {port}\nuser = "{USER}"\nca_file = "{public}"'
        seen = account(newsletter(smtp=smtp))

    assert (seen.verdict, seen.seen) == ("ok", f"127.0.0.1:{port} takes mail, as ana (starttls)")
    assert keeper.logins == ["PLAIN"]
    assert not keeper.messages


def test_a_wrong_password_is_told_without_being_shown(newsletter, tmp_path, monkeypatch):
    public, context = authority(tmp_path)
    with real_server(Keeper(), starttls=context) as port:
        smtp = f'host = "127.0.0.1"\nport = {port}\nuser = "{USER}"\nca_file = "{public}"'
        monkeypatch.setenv("DIGEST_SMTP_PASSWORD", "a wrong and secret one")
        seen = account(newsletter(smtp=smtp))

    assert seen.verdict == "failure"
    assert seen.fix == "check smtp.user and DIGEST_SMTP_PASSWORD"
    assert "wrong" not in seen.seen


def test_a_mail_server_that_is_not_there_or_not_trusted(newsletter, tmp_path):
    assert "Connection refused" in account(newsletter()).seen
    _, context = authority(tmp_path)
    with real_server(Keeper(), starttls=context) as port:
        assert "not trusted" in account(newsletter(smtp=f'host = "127.0.0.1"\nport = {port}')).seen
    assert "smtp.host: expected" in account(newsletter(smtp="")).seen


@pytest.mark.parametrize(
    ("status", "body", "verdict", "seen"),
    [
        (200, {"scopes": ["mail.send", "2fa_required"]}, "ok", "the key may send"),
        (200, {"scopes": ["mail.send", "alerts.read"]}, "ok", "the key may send, and has 1 other"),
        (200, {"scopes": ["alerts.read"]}, "failure", "the key may not send: it lacks Mail Send"),
        (401, {"errors": [{"message": SENDGRID_KEY}]}, "failure", "SendGrid answers 401"),
        (200, "what?", "failure", "this is no answer of SendGrid's"),
    ],
)
def test_what_sendgrids_key_may_do(newsletter, status, body, verdict, seen):
    with website() as site, name_server({}) as names:
        site.answers["/v3/scopes"] = (status, json.dumps(body).encode())
        config = newsletter("sendgrid", sendgrid=f'host = "{site.url}"')
        results = found(config, nameserver=names.address)

    assert results["provider.account"].verdict == verdict
    assert results["provider.account"].seen.startswith(seen)
    assert site.requests[0][:2] == ("GET", "/v3/scopes")
    assert SENDGRID_KEY not in str(results)


def test_a_sendgrid_that_does_not_answer(newsletter):
    seen = account(newsletter("sendgrid", sendgrid='host = "http://127.0.0.1:1"'))

    assert seen.verdict == "failure"
    assert seen.seen.startswith("SendGrid cannot be reached: ")


# The website


@dataclass
class Website:
    """Answers as `digest serve` would, unless it is told otherwise."""

    url: str
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    page: tuple[int, bytes] = (200, b'<!doctype html><form method="post"><button>x</button></form>')
    click: tuple[int, bytes] = (200, b"ok")
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    clock: timedelta = timedelta()

    def answer(self, method: str, path: str) -> tuple[int, bytes]:
        if path in self.answers:
            return self.answers[path]
        if path == "/healthz":
            return 200, b"ok"
        return self.page if method == "GET" else self.click


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        site: Website = self.server.site
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        site.requests.append((self.command, self.path, body))
        status, content = site.answer(self.command, self.path)
        self.send_response_only(status)
        self.send_header("Date", format_datetime(datetime.now(UTC) + site.clock, usegmt=True))
        headers = {"Content-Type": "text/html; charset=utf-8", **site.headers}
        for name, value in (("Content-Length", str(len(content))), *headers.items()):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_):
        """Tests look at `requests`."""


@contextmanager
def website(tls=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.site = Website(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}")
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pages(newsletter, site):
    config = newsletter("outbox", newsletter={"base_url": site.url})
    return {name: one for name, one in found(config).items() if name.startswith("web.")}


def test_a_website_that_unsubscribes_with_one_click(newsletter):
    with website() as site:
        seen = pages(newsletter, site)

    assert verdicts(seen) == {
        "web.reachable": "ok",
        "web.certificate": "skipped",  # plain http, on this machine
        "web.clock": "ok",
        "web.one_click_page": "ok",
        "web.one_click_post": "ok",
    }
    get, post = site.requests[1:]
    assert get[0] == "GET"
    assert post[::2] == ("POST", b"List-Unsubscribe=One-Click")
    token = post[1].removeprefix("/u/")
    keys = Keys((SECRET.encode(),))
    assert verify(keys, Purpose.UNSUBSCRIBE, token, now=datetime.now(UTC)) == 0  # nobody's
    assert token not in str(seen)


def test_a_certificate_that_is_trusted_and_ends_soon(newsletter, tmp_path, monkeypatch):
    import ssl

    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    with website(tls) as site:
        seen = pages(newsletter, site)

    assert seen["web.reachable"].verdict == seen["web.one_click_post"].verdict == "ok"
    assert seen["web.certificate"].verdict == "warning"  # the tests' own lasts a day


def test_without_https_no_mail_may_leave(newsletter):
    with website() as site, name_server({}) as names:
        config = newsletter("smtp", newsletter={"base_url": site.url})
        seen = found(config, nameserver=names.address)["web.certificate"]

    assert seen.verdict == "failure"
    assert "https address" in seen.fix


def test_a_certificate_that_is_not_trusted(newsletter, tmp_path):
    import ssl

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate(tmp_path))
    with website(tls) as site:
        seen = pages(newsletter, site)

    assert list(seen) == ["web.reachable"]
    assert "its certificate is not trusted" in seen["web.reachable"].seen


@pytest.mark.parametrize(
    ("change", "page", "click"),
    [
        ({"page": (302, b"")}, "failure", "ok"),
        ({"page": (403, b"are you human?")}, "failure", "ok"),
        ({"headers": {"Content-Type": "application/json"}}, "failure", "ok"),
        ({"click": (301, b"")}, "ok", "failure"),
        ({"click": (403, b"are you human?")}, "ok", "failure"),
        ({"headers": {"Set-Cookie": "a=b"}}, "ok", "failure"),
    ],
)
def test_a_website_that_one_click_does_not_work_on(newsletter, change, page, click):
    with website() as site:
        for name, value in change.items():
            setattr(site, name, value)
        seen = verdicts(pages(newsletter, site))

    assert (seen["web.one_click_page"], seen["web.one_click_post"]) == (page, click)


def test_a_redirect_is_told_without_the_token_in_it(newsletter):
    with website() as site:
        site.click, site.headers = (301, b""), {"Location": "https://other.example/u/secret"}
        seen = pages(newsletter, site)

    assert "answers 301 to other.example" in seen["web.one_click_post"].seen
    assert "secret" not in str(seen)


def test_a_website_that_nobody_serves(newsletter):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    seen = pages(newsletter, Website(closed))
    assert "Connection refused" in seen["web.reachable"].seen
    assert "digest serve" in seen["web.reachable"].fix
    with website() as site:
        site.answers["/healthz"] = (404, b"")
        assert "answers 404" in pages(newsletter, site)["web.reachable"].seen


@pytest.mark.parametrize(
    ("seconds", "verdict", "told"),
    [(30, "warning", "ahead of ours"), (-600, "failure", "behind ours")],
)
def test_a_clock_that_is_wrong_is_told(newsletter, seconds, verdict, told):
    with website() as site:
        site.clock = timedelta(seconds=seconds)
        seen = pages(newsletter, site)["web.clock"]

    assert seen.verdict == verdict
    assert seen.seen.endswith(told)


# The command


def test_the_command_tells_each_failure_with_its_fix_and_fails(newsletter, run):
    newsletter()
    with name_server({}) as names:
        done = run("doctor", "--nameserver", names.address)

    assert done.code == Exit.FAILED
    assert re.search(r"^FAIL +dns\.dmarc +paper.example has no DMARC policy", done.out, re.M)
    assert re.search(r'^ +→ add: +_dmarc\.paper\.example +TXT +"v=DMARC1', done.out, re.M)
    assert re.search(r"\d+ failures, \d+ warnings?$", done.err.strip())
    assert SECRET not in done.out + done.err


def test_a_newsletter_that_is_well_exits_with_zero(newsletter, run):
    with website() as site:
        newsletter("outbox", newsletter={"base_url": site.url})
        done = run("doctor", "--json")

    shape = json.loads(done.out)
    assert done.code == Exit.DONE
    assert shape["schema"] == "digest/doctor@1"
    assert shape["failures"] == 0
    assert shape["results"][0] == {
        "id": "config.file",
        "verdict": "ok",
        "seen": "digest.toml has no mistake",
        "fix": "",
    }


def test_quiet_tells_only_what_is_wrong(newsletter, run):
    newsletter("outbox")
    done = run("doctor", "--offline", "--quiet")

    assert not re.search(r"^ok", done.out, re.M)
    assert "content.posts" in done.out
