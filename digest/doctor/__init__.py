"""Will mail go out, arrive, and be answerable? Everything that can be looked at without sending.

One module looks at one thing. An examination that breaks is a failure of its own and stops no
other. Nothing is changed anywhere, and no secret is in any result.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from digest.config import Config, secret_keys
from digest.doctor.names import Names
from digest.doctor.results import Id, Result, Verdict, failure, ok, skipped
from digest.errors import ConfigError, DigestError
from digest.providers import Account, account
from digest.tokens import Keys

__all__ = ["Id", "Patient", "Result", "Verdict", "examine"]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Patient:
    """What to look at, and how far to go for it."""

    config: Config
    offline: bool = False  # nothing that leaves this machine
    nameserver: str = ""  # instead of the system's
    now: Callable[[], datetime] = utc_now


def examine(patient: Patient) -> Iterator[Result]:
    """Every examination, each as soon as it is known."""
    from digest.doctor import project
    from digest.doctor.database import examine_database

    config = patient.config
    yield from project.examine_settings(config)
    ours = _account(config)
    yield from project.examine_secrets(config, None if isinstance(ours, Result) else ours)
    yield from _guarded("config.webhook_keys", lambda: project.examine_webhook(config))
    yield from _guarded("content.posts", lambda: project.examine_content(config))
    yield from _guarded("machine.disk", lambda: project.examine_disk(config))
    yield from _guarded("machine.files", lambda: project.examine_files(config))
    yield from _guarded(
        "database.reachable",
        lambda: examine_database(config, patient.now, offline=patient.offline),
    )
    yield from _beyond(patient, ours)


def _account(config: Config) -> Account | Result | None:
    try:
        return account(config)
    except ConfigError as error:
        return failure("provider.account", str(error), "mend that, and run this again")


def _beyond(patient: Patient, ours: Account | Result | None) -> Iterator[Result]:
    """What other machines have to say."""
    if patient.offline:
        for name in ("provider.account", "dns.spf", "dns.dkim", "dns.dmarc", "web.reachable"):
            yield skipped(name, "offline")
        return
    config = patient.config
    if isinstance(ours, Result):
        yield ours
    elif ours is None:
        yield ok("provider.account", f"the {config.provider} needs none")
        yield skipped(
            "dns.spf", "nothing leaves this machine, so SPF, DKIM and DMARC do not matter"
        )
    else:
        from digest.doctor.provider import examine_provider

        yield from _guarded("provider.account", lambda: examine_provider(ours, patient.now))
        yield from _domain(patient, ours)
    yield from _guarded("web.reachable", lambda: _website(patient))


def _website(patient: Patient) -> Iterator[Result]:
    from digest.doctor.website import examine_website

    keys = Keys(secret_keys(patient.config, lasting=False))
    yield from examine_website(patient.config, keys, patient.now)


def _domain(patient: Patient, ours: Account) -> Iterator[Result]:
    from digest.doctor import mail_domain

    config = patient.config
    try:
        names, identity = Names.asking(patient.nameserver), ours.identity()
    except (ConfigError, DigestError, OSError) as error:
        yield failure("config.dkim_key", str(error), "mend smtp.dkim_key, and run this again")
        return
    examinations: dict[Id, Callable[[], Result]] = {
        "dns.spf": lambda: mail_domain.examine_spf(config, identity, names),
        "dns.dkim": lambda: mail_domain.examine_dkim(config, identity, names),
        "dns.dmarc": lambda: mail_domain.examine_dmarc(config, names),
        "dns.alignment": lambda: mail_domain.examine_alignment(config, identity, names),
        "dns.mx": lambda: mail_domain.examine_mx(config, identity, names),
    }
    for name, examination in examinations.items():
        yield from _guarded(name, examination)


def _guarded(name: Id, examination: Callable[[], Result | Iterator[Result]]) -> Iterator[Result]:
    """What it found; what broke it is a failure under `name`."""
    try:
        found = examination()
        yield from [found] if isinstance(found, Result) else found
    except (DigestError, ConfigError) as error:
        yield failure(
            name, str(error), getattr(error, "hint", "") or "mend that, and run this again"
        )
    except Exception as error:  # the others are still to be looked at
        seen = f"could not be looked at: {type(error).__name__}"
        yield failure(name, seen, "this is a fault of digest's; please report it")
