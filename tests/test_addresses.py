"""What an address is. Syntax is the library's; how long one may be before the @ is ours."""

import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from digest.addresses import identity, identity_of, normalise, recognised
from digest.roster.screening import screened

TOO_LONG = ["a" * 65, "ż" * 33]  # 65 and 66 bytes; 65 and 33 letters


@pytest.mark.parametrize("local", ["a" * 64, "ż" * 32])
@pytest.mark.parametrize("check", [normalise, screened])
def test_64_bytes_before_the_at_sign_are_an_address(check, local):
    assert check(f"{local}@example.com") == f"{local}@example.com"


@pytest.mark.parametrize("local", TOO_LONG)
@pytest.mark.parametrize("check", [normalise, screened])
def test_more_than_64_bytes_before_the_at_sign_are_none(check, local):
    with pytest.raises(ValueError, match="too long before the @-sign"):
        check(f"{local}@example.com")


@pytest.mark.parametrize("local", TOO_LONG)
def test_a_longer_one_from_before_is_still_found(local):
    assert recognised(f" {local}@Example.com") == f"{local}@example.com"
    assert identity_of(f"{local}@Example.com") == f"{local}@example.com"


# Letters that casefolding takes for others, and what it takes them for: ß ss, ς σ, ſ s, ŉ ʼn, ﬁ fi
LETTERS = "asßſςσfﬁʼnŉıiİJ\u030cǰéÉżŻѐЀ"
WORDS = st.text(LETTERS, min_size=1, max_size=4).map(lambda word: f"a{word}z")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana@straße.example", "ana@strasse.example"),
        ("ana@σίσυφος.example", "ana@σίσυφοσ.example"),
        ("ſam@example.com", "sam@example.com"),
        ("ß@example.com", "ss@example.com"),
    ],
)
def test_addresses_that_look_alike_are_two_mailboxes(one, other):
    assert identity_of(one) != identity_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana@Example.COM", "ana@example.com"),
        ("ŻANETA@example.com", "żaneta@example.com"),
        ("ana@BÜCHER.example", "ana@bücher.example"),
        ("ana@straße.example", "ana@xn--strae-oqa.example"),
        ("ana@straße.example", "ana@XN--STRAE-OQA.Example"),
        ("J\u030c@example.com", "ǰ@example.com"),
    ],
)
def test_spellings_of_one_mailbox_are_one_person(one, other):
    assert identity_of(one) == identity_of(other) == identity(normalise(one))


@given(WORDS, WORDS)
def test_two_domains_are_one_where_name_servers_take_them_for_one(one, other):
    try:
        names = [
            validate_email(f"ana@{name}.example", check_deliverability=False).ascii_domain
            for name in (one, other)
        ]
    except ValueError:
        return  # no domain
    same = identity_of(f"ana@{one}.example") == identity_of(f"ana@{other}.example")

    assert same == (names[0] == names[1])


@given(WORDS, WORDS)
def test_two_local_parts_are_one_where_case_alone_tells_them_apart(one, other):
    first, second = (normalise(f"{name}@example.com") for name in (one, other))

    assert (identity(first) == identity(second)) == (lower(first) == lower(second))
    assert identity(identity(first)) == identity(first) == identity_of(identity(first))


def lower(address):
    return recognised(address.lower())
