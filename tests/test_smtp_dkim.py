"""Signatures that an implementation which is not ours verifies."""

import re
from dataclasses import replace
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from digest import config
from digest.config import Secret, Security
from digest.errors import ConfigError
from digest.providers import Batch
from digest.providers.smtp import Effort, Envelopes, Server, Smtp, connect
from digest.providers.smtp.dkim import Signer, relaxed_body, signer
from tests.handmade import ANA, ISSUE, edition
from tests.mailservers import Keeper, real_server

RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()


def pem(key, password: bytes = b"") -> bytes:
    protection = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )


def made(key) -> Signer:
    return signer(pem(key), selector="digest", domain="example.com")


def record(key) -> bytes:
    """What the publisher puts into DNS."""
    import base64

    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(key.public_key().public_bytes_raw())


def verified(message: bytes, key) -> bool:
    names = []

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        names.append(name)
        return record(key)

    result = dkim.verify(message, dnsfunc=look_up)
    assert set(names) <= {b"digest._domainkey.example.com."}
    return result


def message() -> bytes:
    return edition().message(ANA)


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_a_signed_message_verifies_and_a_changed_one_does_not(key):
    signed = made(key).sign(message()) + message()

    assert verified(signed, key)
    for was, becomes in [
        (b"Subject: ", b"Subject: Re: "),
        (b"\r\n\r\n", b"\r\n\r\nx"),
        (b"List-Unsubscribe: <https://news", b"List-Unsubscribe: <https://evil"),
        (b"List-Unsubscribe-Post: List", b"List-Unsubscribe-Post: list"),
        (b"Feedback-ID: weekly", b"Feedback-ID: daily"),
        (b"From: ", b"From: eve@example.com\r\nFrom: "),
    ]:
        assert was in signed
        assert not verified(signed.replace(was, becomes, 1), key), was


def test_what_mail_programs_act_on_is_signed_and_from_once_more():
    signature = made(RSA).sign(message()).decode().replace("\r\n ", "")
    names = re.search(r"h=([^;]+);", signature)[1].split(":")

    assert names.count("From") == 2
    assert {
        "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To",
        "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
    } <= set(names)  # fmt: skip


def test_a_field_that_is_not_there_is_not_signed_so_that_a_relay_may_add_it():
    head, between, body = message().partition(b"Feedback-ID: ")

    signed = made(RSA).sign(head + body.partition(b"\r\n")[2])

    assert between
    assert b"Feedback-ID" not in signed


def test_the_same_message_gets_the_same_signature():
    assert made(ED25519).sign(message()) == made(ED25519).sign(message())


def test_the_field_keeps_to_78_columns():
    lines = made(RSA).sign(message()).split(b"\r\n")

    assert max(map(len, lines)) <= 78
    assert all(line.startswith(b" ") for line in lines[1:-1])


@given(
    st.lists(st.sampled_from([b"a", b" ", b"\t", b"  ", b"\r\n", b"\r\n\r\n", b".", b"=20"])),
)
def test_bodies_are_canonical_as_the_reference_has_them(pieces):
    body = b"".join(pieces)

    assert relaxed_body(body) == Relaxed.canonicalize_body(body)


def test_what_arrives_through_a_server_verifies(tmp_path):
    (tmp_path / "dkim.pem").write_bytes(pem(RSA))
    keeper = Keeper()
    with real_server(keeper) as port:
        text = f"""
            [newsletter]
            sender = "news@example.com"
            [smtp]
            host = "127.0.0.1"
            port = {port}
            security = "none"
            dkim_selector = "digest"
            dkim_key = "dkim.pem"
        """
        provider = connect(config.parse(text, tmp_path / "digest.toml", {}))
        list(provider.hand_over(Batch(ISSUE.id, edition(), [ANA])))
        provider.close()

    assert keeper.messages[0].endswith(edition().message(ANA))
    assert verified(keeper.messages[0], RSA)


@pytest.mark.parametrize(
    "key",
    [
        b"no key",
        pem(RSA, b"password"),
        pem(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["garbage", "locked", "another kind"],
)
def test_a_key_that_cannot_sign_is_a_configuration_error_that_does_not_show_it(key):
    with pytest.raises(ConfigError, match=r"smtp\.dkim_key") as error:
        signer(key, selector="digest", domain="example.com")

    assert "BEGIN" not in str(error.value)


def test_a_key_file_that_is_not_there_is_a_configuration_error():
    text = '[smtp]\nhost = "localhost"\ndkim_selector = "digest"\ndkim_key = "missing.pem"'

    with pytest.raises(ConfigError, match=r"missing\.pem: No such file"):
        connect(config.parse(text, Path("/newsletter/digest.toml"), {}))


def test_neither_key_nor_password_is_in_any_repr():
    server = Server("localhost", 25, Security.NONE, user="ana", password=Secret("horse"))
    provider = Smtp(server, Envelopes("news@example.com", signer=made(RSA)), Effort())

    shown = f"{server}{server!r}{provider!r}{vars(provider)!r}{provider._mailroom._compose!r}"
    provider.close()
    assert "horse" not in shown
    assert "PRIVATE" not in shown


def test_a_wide_header_can_be_signed():
    reader = replace(ANA, address="żaneta@example.org")
    wide = edition().message(reader)

    assert verified(made(RSA).sign(wide) + wide, RSA)
