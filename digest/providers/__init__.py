"""Who carries mail: what the sender may ask of a provider, and which there are.

A provider is one module with `connect(config) -> Provider`. What it knows of its vendor stays in
that module. Adding one: write the module, name it in `_MODULES`, document its settings.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast, runtime_checkable

from digest.composer import EditionMessage, Reader
from digest.config import Config
from digest.errors import ConfigError, DigestError, Outcome, ProviderError
from digest.events import Event

# Imported when asked for: a vendor's package can cost more start-up time than all of ours.
_MODULES = {
    "outbox": "digest.providers.outbox",
    "sendgrid": "digest.providers.sendgrid",
    "smtp": "digest.providers.smtp",
}
_WEBHOOKS = {"sendgrid": "digest.providers.sendgrid.webhook"}
_ACCOUNTS = {
    "sendgrid": "digest.providers.sendgrid.account",
    "smtp": "digest.providers.smtp.account",
}


def _not_noted(*_: object) -> None:
    """Nobody wants to know: there is no ledger."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries of one edition, handed over together; one reader per delivery."""

    issue_id: str
    edition: EditionMessage
    readers: Sequence[Reader]
    # A provider calls it with the ids of deliveries right before the first bytes of them leave that
    # cannot be taken back. From any thread; what it raises stops these and the hand-over.
    starting: Callable[..., None] = _not_noted
    # And this with an answer, once it is known and before anything else starts; a provider that has
    # nothing else under way need not, as the answer comes out before it starts more.
    answered: Callable[["Answer"], None] = _not_noted

    def message(self, reader: Reader) -> bytes:
        """The complete message. A permanent ProviderError when this reader can have none."""
        try:
            return self.edition.message(reader)
        except DigestError as error:
            message = f"delivery {reader.delivery[:40]!r}: {error}"
            raise ProviderError(message, outcome=Outcome.PERMANENT, hint=error.hint) from error


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider took a delivery."""

    delivery: str
    id: str  # the provider's own name for what it took
    new: bool  # False: it had taken it before, and nothing was done


@dataclass(frozen=True, slots=True)
class Refusal:
    """The provider did not take a delivery, or did not say."""

    delivery: str
    outcome: Outcome
    reason: str  # the provider's words, without an address
    retry_after: float = 0.0  # seconds the provider asks to wait; 0: it did not say


Answer = Receipt | Refusal


class Provider(Protocol):
    """Takes batches. One that wants bytes asks `batch.edition.message(reader)`; one that fills in
    templates asks the edition once, and each reader for `values()`. One that works on many at the
    same time says in an attribute `at_once` how many readers of a batch keep it busy; one that
    hears the same answer for several readers, in `together`, for how many at most."""

    @property
    def name(self) -> str: ...

    def hand_over(self, batch: Batch) -> Iterator[Answer]:
        """Give the batch to the carrier; one answer for each delivery, as soon as it is known.

        Answers come in any order. ProviderError when the provider itself cannot go on: whatever
        has no answer by then was certainly not taken, and `outcome` says whether to try again
        (temporary) or that somebody has to mend something first (permanent). What may have been
        taken gets a Refusal with `Outcome.UNKNOWN` before that. Work stops when nobody iterates.
        """
        ...

    def close(self) -> None:
        """Let go of connections. A provider that is closed takes nothing more."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A provider that can say afterwards what it took, so that nothing stays unknown."""

    def look_up(self, issue_id: str, deliveries: Sequence[str]) -> Mapping[str, Receipt]:
        """Those of the deliveries that it took, in any run; the others it certainly did not."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom mail goes out: what SPF, DKIM and DMARC look at."""

    return_domain: str  # of the return path; empty: the provider's own choice
    signs_as: str = ""  # the domain that signs; empty: nobody here knows
    selectors: tuple[str, ...] = ()  # where its public keys are
    kind: str = "rsa"  # of the key, or "ed25519"
    public_key: bytes = b""  # as a record has it; empty: the provider has the key
    note: str = ""  # what to know or do where this cannot tell


@dataclass(frozen=True, slots=True)
class Standing:
    """What a provider said when it was asked who we are. No mail was handed over."""

    said: str
    lacks: str = ""  # what must be allowed and is not
    clock: datetime | None = None  # the provider's


class Account(Protocol):
    """What a provider's module `account` has, for whoever looks whether mail will go out."""

    secret: str  # DIGEST_<secret> that it needs; empty: none

    def identity(self) -> Identity:
        """Nobody is called. ConfigError when the key cannot be read."""
        ...

    def ask(self) -> Standing:
        """Log in and nothing else. ProviderError or ConfigError when that fails."""
        ...


def account(config: Config) -> Account | None:
    """Our account at the configured provider; None where nothing leaves this machine."""
    if config.provider not in _ACCOUNTS:
        return None
    return cast("Account", import_module(_ACCOUNTS[config.provider]).account(config))


def event_parser(name: str) -> Callable[[bytes], Iterator[Event]]:
    """Reads the body of a provider's event webhook. ConfigError when it tells no events."""
    if name not in _WEBHOOKS:
        raise ConfigError(f"the provider {name!r} tells no events; {', '.join(_WEBHOOKS)} does")
    return cast("Callable[[bytes], Iterator[Event]]", import_module(_WEBHOOKS[name]).parse)


def names() -> tuple[str, ...]:
    """The providers there are."""
    return tuple(sorted(_MODULES))


def connect(config: Config) -> Provider:
    """The provider that the configuration names. ConfigError for one we do not have."""
    if config.provider not in _MODULES:
        known = ", ".join(names())
        raise ConfigError(
            f"{config.path.name}: provider: {config.provider!r} is not one of: {known}"
        )
    return cast("Provider", import_module(_MODULES[config.provider]).connect(config))
