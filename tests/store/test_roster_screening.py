"""The quick check of addresses says what the library says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.addresses import normalise
from digest.roster.screening import screened


def verdict(check: object, text: str) -> str | None:
    try:
        return check(text)  # type: ignore[operator, no-any-return]
    except ValueError:
        return None


_LETTERS = st.text(st.sampled_from("aZ09._-+'@! ż\"\\xn"), max_size=12)
_DOMAINS = st.sampled_from(
    ["example.com", "Example.COM", "a.test", "localhost", "x", "xn--w-uga1v8h.pl", "żółw.pl",
     "a_b.com", "-a.com", "a..com", "1.2.3.4", "b" * 63 + ".com", "b" * 64 + ".com", "ab--c.com",
     ".".join(["abcdefghi"] * 25) + ".com", ""]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(local=_LETTERS | st.text(st.just("a"), min_size=60, max_size=70), domain=_DOMAINS | _LETTERS)
def test_the_quick_check_equals_the_librarys(local: str, domain: str) -> None:
    address = f"{local}@{domain}"

    assert verdict(screened, address) == verdict(normalise, address)


@pytest.mark.parametrize("address", ["POSTMASTER@example.com", "Info@example.com", "a@b@c.com", ""])
def test_special_addresses_are_judged_alike(address: str) -> None:
    assert verdict(screened, address) == verdict(normalise, address)
