"""The table `[smtp]`: safe as it comes, and strict about what would not be."""

from pathlib import Path

import pytest

from digest import config
from digest.config import Security, SmtpConfig
from digest.errors import ConfigError

FILE = Path("/newsletter/digest.toml")


def read(text: str = "") -> SmtpConfig:
    return config.parse(f"[smtp]\n{text}", FILE, {}).smtp


def test_mail_is_protected_unless_somebody_says_otherwise():
    assert (read().security, read().port) == (Security.STARTTLS, 587)


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_from_the_protection(security, port):
    assert read(f'security = "{security}"').port == port


def test_every_setting_has_its_place():
    smtp = read("""
        host = "smtp.example.com"
        port = 2525
        user = "apikey"
        ca_file = "authority.pem"
        connections = 8
        messages_per_connection = 5000
        return_path = "bounces@example.com"
        verp = true
        dkim_selector = "digest"
        dkim_key = "/etc/dkim/digest.pem"
        dkim_domain = "example.com"
    """)

    assert (smtp.host, smtp.port, smtp.user) == ("smtp.example.com", 2525, "apikey")
    assert smtp.ca_file == Path("/newsletter/authority.pem")
    assert (smtp.connections, smtp.messages_per_connection) == (8, 5000)
    assert (smtp.return_path, smtp.verp) == ("bounces@example.com", True)
    assert (smtp.dkim_selector, smtp.dkim_domain) == ("digest", "example.com")
    assert smtp.dkim_key == Path("/etc/dkim/digest.pem")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_this_machine_may_be_reached_in_the_clear(host):
    assert read(f'host = "{host}"\nsecurity = "none"').security is Security.NONE


def test_another_machine_is_reached_in_the_clear_only_when_the_file_says_insecure():
    clear = 'host = "mail.example.com"\nsecurity = "none"\n'

    with pytest.raises(ConfigError, match=r"toml:3: smtp.security: mail.example.com is another"):
        read(clear)
    assert read(clear + "insecure = true").security is Security.NONE


def test_a_password_is_never_sent_in_the_clear():
    with pytest.raises(ConfigError, match=r"smtp.user: a password never goes in the clear"):
        read('host = "localhost"\nsecurity = "none"\nuser = "ana"')


@pytest.mark.parametrize("line", ['dkim_selector = "digest"', 'dkim_key = "digest.pem"'])
def test_half_of_what_signing_needs_is_a_mistake(line):
    with pytest.raises(ConfigError, match="dkim_selector and dkim_key go together"):
        read(line)


@pytest.mark.parametrize(
    "line",
    [
        'host = "smtp://example.com"',
        "port = 70000",
        "port = 0",
        'security = "ssl"',
        'user = "a b"',
        "connections = 65",
        "messages_per_connection = 0",
        'return_path = "bounces"',
        'verp = "maybe"',
        'dkim_domain = "example..com"',
        'password = "secret"',
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_its_line(line):
    with pytest.raises(ConfigError, match=rf"^digest.toml:2: smtp.{line.split()[0]}: ") as error:
        read(line)

    assert "secret" not in str(error.value)
