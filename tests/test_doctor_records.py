"""What SPF, DKIM and DMARC records say is read as receivers read it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from digest.doctor.records import (
    DkimKey,
    is_dmarc,
    is_spf,
    key_bits,
    read_dkim,
    read_dmarc,
    read_spf,
)

ZONE = {
    "_spf.one.example": ["v=spf1 ip4:192.0.2.0/24 a:mail.one.example ~all"],
    "_spf.two.example": ["hello", "v=spf1 include:_spf.one.example mx -all"],
    "twice.example": ["v=spf1 -all", "v=spf1 ~all"],
    "circle.example": ["v=spf1 include:circle.example ~all"],
    **{f"deep{n}.example": [f"v=spf1 include:deep{n + 1}.example ~all"] for n in range(11)},
    "deep11.example": ["v=spf1 ~all"],
}


def texts(name: str) -> list[str]:
    return ZONE.get(name, [])


@pytest.mark.parametrize(
    ("record", "lookups", "end"),
    [
        ("v=spf1 -all", 0, "-all"),
        ("v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 ~all", 0, "~all"),
        ("v=spf1 a mx a:other.example/24//64 ?all", 3, "?all"),
        ("v=spf1 include:_spf.one.example ~all", 2, "~all"),
        ("v=spf1 include:_spf.two.example ~all", 4, "~all"),
        ("v=spf1 exists:%{i}._spf.example ALL", 1, "all"),
        ("v=spf1 redirect=_spf.two.example", 4, "-all"),
        ("v=spf1 exp=why.example mx", 1, ""),
    ],
)
def test_spf_counts_lookups_and_finds_the_end(record, lookups, end):
    spf = read_spf(record, texts)

    assert (spf.lookups, spf.end, spf.problems) == (lookups, end, ())


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("v=spf1 incldue:_spf.one.example ~all", "'incldue:_spf.one.example' is not SPF"),
        ("v=spf1 include:nowhere.example ~all", "nowhere.example, which has no SPF"),
        ("v=spf1 include:twice.example ~all", "twice.example, which has 2 SPF"),
        ("v=spf1 include:circle.example ~all", "circle.example in a circle"),
        ("v=spf1 include:deep0.example ~all", "more than 10 look-ups"),
        ("v=spf1 ptr ~all", "ptr is slow"),
    ],
)
def test_spf_that_receivers_cannot_use_is_named(record, problem):
    assert problem in " ".join(read_spf(record, texts).problems)


@given(st.text())
def test_no_text_makes_the_readers_of_records_fail(text):
    read_spf(f"v=spf1 {text}", texts)
    read_dmarc(text, inherited=False)
    read_dkim(text)
    is_spf(text), is_dmarc(text)


def test_what_is_a_record_and_what_only_looks_like_one():
    assert is_spf("v=spf1 -all")
    assert is_spf("V=SPF1")
    assert not is_spf("v=spf10 -all")
    assert is_dmarc("v=DMARC1; p=none")
    assert not is_dmarc("v=DMARC12; p=none")


def test_a_dmarc_policy_with_its_strictness_and_what_is_obsolete():
    policy = read_dmarc("v=DMARC1; p=Reject ; adkim=s; aspf=r; pct=50; rua=mailto:x", inherited=0)

    assert (policy.policy, policy.strict_dkim, policy.strict_spf) == ("reject", True, False)
    assert policy.obsolete == ("pct",)


def test_a_domain_below_gets_the_policy_for_subdomains():
    record = "v=DMARC1; p=reject; sp=none"

    assert read_dmarc(record, inherited=True).policy == "none"
    assert read_dmarc("v=DMARC1; p=reject", inherited=True).policy == "reject"
    assert read_dmarc("v=DMARC1; p=rejekt", inherited=False).problem == "'rejekt' is no policy"


def test_a_dkim_record_without_a_usable_key_is_named():
    assert "revoked" in read_dkim("v=DKIM1; p=").problem
    assert "no key" in read_dkim("v=DKIM1; k=rsa").problem
    assert "no key" in read_dkim("v=DKIM1; p=~~~~").problem
    assert read_dkim("k=rsa; t=s:y; p=AAAA") == DkimKey("rsa", b"\0\0\0", testing=True)


def test_only_rsa_and_ed25519_are_keys_of_dkim():
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    for key in (DkimKey("rsa", spki, False), DkimKey("ed25519", b"short", False)):
        with pytest.raises(ValueError, match=r"not an RSA key|32 bytes"):
            key_bits(key)
