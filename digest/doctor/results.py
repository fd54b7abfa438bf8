"""What an examination found: a stable id, a verdict, what was seen, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

# Every examination there is, in the order of the report. Scripts and runbooks go by these names,
# so they stay; docs/operations.md says what each looks at, and a test holds the two together.
Id = Literal[
    "config.file",
    "config.sender",
    "config.base_url",
    "config.postal_address",
    "config.clicks",
    "config.secret_key",
    "config.provider_secret",
    "config.webhook_keys",
    "config.dkim_key",
    "content.posts",
    "machine.disk",
    "machine.files",
    "database.reachable",
    "database.schema",
    "database.key",
    "database.clock",
    "provider.account",
    "provider.clock",
    "dns.spf",
    "dns.dkim",
    "dns.dmarc",
    "dns.alignment",
    "dns.mx",
    "web.reachable",
    "web.certificate",
    "web.clock",
    "web.one_click_page",
    "web.one_click_post",
]


class Verdict(StrEnum):
    """What an examination says; only a failure makes the command fail."""

    OK = "ok"
    WARNING = "warning"  # mail goes out, and something is not as it should be
    FAILURE = "failure"  # mail will not go out, not arrive, or not be answerable
    SKIPPED = "skipped"  # not looked at; `seen` says why


@dataclass(frozen=True, slots=True)
class Result:
    """One examination. `fix` is what to do, empty when there is nothing to do. Holds no secret."""

    id: Id
    verdict: Verdict
    seen: str
    fix: str = ""

    @property
    def section(self) -> str:
        """`dns` of `dns.spf`."""
        return self.id.partition(".")[0]


def ok(name: Id, seen: str) -> Result:
    return Result(name, Verdict.OK, seen)


def warning(name: Id, seen: str, fix: str) -> Result:
    return Result(name, Verdict.WARNING, seen, fix)


def failure(name: Id, seen: str, fix: str) -> Result:
    return Result(name, Verdict.FAILURE, seen, fix)


def skipped(name: Id, seen: str) -> Result:
    return Result(name, Verdict.SKIPPED, seen)
