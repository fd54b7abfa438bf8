"""Our account at SendGrid: what the key may do, by the official client, and who signs the mail."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from digest.config import Config
from digest.errors import Outcome, ProviderError
from digest.providers import Identity, Standing
from digest.providers.sendgrid import official_client
from digest.providers.sendgrid.line import distrust
from digest.providers.sendgrid.words import scrubbed

_TIMEOUT = 15.0  # seconds
_NEEDED = "mail.send"
_SELECTORS = ("s1", "s2")  # unless others were chosen when the domain was authenticated
_NOTE = (
    "authenticate the domain at SendGrid (Settings, Sender Authentication) and add the records that"
    " it shows; if you chose other DKIM selectors there than s1 and s2, this is no fault"
)
_HINTS = {
    401: "make a key with the permission Mail Send, and put it into DIGEST_SENDGRID_API_KEY",
    403: "the key, or your address if access is limited by IP, is not allowed to ask",
}


@dataclass(frozen=True, slots=True)
class SendgridAccount:
    """As `Account`."""

    config: Config
    secret: str = "SENDGRID_API_KEY"  # noqa: S105 - the name of a variable

    def identity(self) -> Identity:
        domain = self.config.newsletter.sender.rpartition("@")[2]
        return Identity("", domain, _SELECTORS, note=_NOTE)

    def ask(self) -> Standing:
        from python_http_client.exceptions import HTTPError

        client = official_client(self.config)
        try:
            response = client.scopes.get(timeout=_TIMEOUT)
        except HTTPError as error:
            raise ProviderError(
                f"SendGrid answers {error.status_code} {scrubbed(str(error.reason))}",
                outcome=Outcome.PERMANENT,
                hint=_HINTS.get(error.status_code, "look at status.sendgrid.com, and try again"),
            ) from None
        except OSError as error:
            reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
            if stop := distrust(reason):
                permanent = Outcome.PERMANENT
                raise ProviderError(stop.reason, outcome=permanent, hint=stop.hint) from None
            raise ProviderError(
                f"SendGrid cannot be reached: {scrubbed(str(reason))}",
                outcome=Outcome.TEMPORARY,
                hint="check sendgrid.host and the network, and try again",
            ) from None
        return _standing(response.body, response.headers)


def _standing(body: bytes, headers: Mapping[str, str]) -> Standing:
    try:
        scopes = set(json.loads(body)["scopes"])
    except (ValueError, KeyError, TypeError):
        raise ProviderError(
            "this is no answer of SendGrid's", outcome=Outcome.PERMANENT, hint="check sendgrid.host"
        ) from None
    try:
        clock = parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        clock = None
    lacks = "" if _NEEDED in scopes else "the key may not send: it lacks Mail Send"
    more = len(scopes - {_NEEDED, "2fa_required", "sender_verification_eligible"})
    others = f", and has {more} other permissions that it does not need" if more else ""
    return Standing(f"the key may send{others}", lacks, clock)


def account(config: Config) -> SendgridAccount:
    """Nobody is called yet."""
    return SendgridAccount(config)
