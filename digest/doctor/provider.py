"""The provider lets us in, without a mail being sent."""

from collections.abc import Callable, Iterator
from datetime import datetime

from digest.doctor.clocks import clock_result
from digest.doctor.results import Result, failure, ok
from digest.errors import ConfigError, ProviderError
from digest.providers import Account


def examine_provider(account: Account, now: Callable[[], datetime]) -> Iterator[Result]:
    """Log in as the sender will."""
    try:
        standing = account.ask()
    except ProviderError as error:
        yield failure("provider.account", str(error), error.hint)
        return
    except ConfigError as error:
        yield failure("provider.account", str(error), "mend that, and run this again")
        return
    if standing.lacks:
        yield failure("provider.account", standing.lacks, "give the key that permission")
    else:
        yield ok("provider.account", standing.said)
    if standing.clock:
        yield clock_result("provider.clock", "the provider's clock", standing.clock, now())
