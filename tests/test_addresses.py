"""What an address is. Syntax is the library's; how long one may be before the @ is ours."""

import pytest

from digest.addresses import identity_of, normalise, recognised
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
