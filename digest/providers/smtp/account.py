"""Our account at the mail server: whether it lets us in, and as whom mail goes out."""

from collections.abc import Mapping
from dataclasses import dataclass

from digest.composer.headers import wire_address
from digest.config import Config
from digest.errors import ConfigError
from digest.providers import Identity, Standing
from digest.providers.smtp import Effort, connect, envelopes
from digest.providers.smtp.dkim import published_key
from digest.providers.smtp.login import Phase

_PATIENCE: Mapping[Phase, float] = dict.fromkeys(Phase, 15.0)  # seconds: a person waits
_UNSIGNED = "the mail server signs, or nobody does: digest has no smtp.dkim_key"


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """As `Account`."""

    config: Config

    @property
    def secret(self) -> str:
        return "SMTP_PASSWORD" if self.config.smtp.user else ""

    def identity(self) -> Identity:
        chosen, newsletter = self.config.smtp, self.config.newsletter
        return_domain = envelopes(chosen, newsletter).return_path.rpartition("@")[2]
        if chosen.dkim_key is None:
            return Identity(return_domain, note=_UNSIGNED)
        kind, key = published_key(chosen.dkim_key.read_bytes())
        domain = chosen.dkim_domain or wire_address(newsletter.sender).rpartition("@")[2]
        return Identity(return_domain, domain, (chosen.dkim_selector,), kind, key)

    def ask(self) -> Standing:
        chosen = self.config.smtp
        provider = connect(self.config, Effort(connections=1, patience=_PATIENCE))
        try:
            provider.greet()
        finally:
            provider.close()
        whom = f", as {chosen.user}" if chosen.user and "@" not in chosen.user else ""
        return Standing(f"{chosen.host}:{chosen.port} takes mail{whom} ({chosen.security.value})")


def account(config: Config) -> SmtpAccount:
    """ConfigError when no server is named."""
    if not config.smtp.host:
        raise ConfigError(f"{config.path.name}: smtp.host: expected the name of your mail server")
    return SmtpAccount(config)
