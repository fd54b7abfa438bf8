"""The provider `smtp`: complete messages to a mail server, one round trip each.

`carrier` runs a few connections; a `connection` is a `wire`, the dialogue that opens it (`login`),
and the `conversation` about letters, which come from the `mailroom`.
"""

import ssl

from digest.composer.headers import wire_address
from digest.config import Config, Newsletter, Secret, Security, SmtpConfig, secret
from digest.errors import ConfigError
from digest.providers.smtp.carrier import Effort, Smtp
from digest.providers.smtp.dkim import Signer, signer
from digest.providers.smtp.login import Server
from digest.providers.smtp.mailroom import Envelopes

__all__ = ["Effort", "Envelopes", "Server", "Smtp", "connect"]


def connect(config: Config, effort: Effort | None = None) -> Smtp:
    """The provider as it is configured. ConfigError when something is missing; nobody is called."""
    chosen = config.smtp
    if not chosen.host:
        raise ConfigError(f"{config.path.name}: smtp.host: expected the name of your mail server")
    server = Server(
        host=chosen.host,
        port=chosen.port,
        security=chosen.security,
        tls=None if chosen.security is Security.NONE else _trust(chosen),
        user=chosen.user,
        password=secret("SMTP_PASSWORD") if chosen.user else Secret(""),
    )
    effort = effort or Effort(chosen.connections, chosen.messages_per_connection)
    return Smtp(server, envelopes(chosen, config.newsletter), effort)


def envelopes(chosen: SmtpConfig, newsletter: Newsletter) -> Envelopes:
    """Where bounces go and who signs, as the configuration says it."""
    _, _, domain = newsletter.sender.rpartition("@")
    bounces = f"bounces@{domain}" if chosen.verp else newsletter.sender
    return Envelopes(
        return_path=wire_address(chosen.return_path or bounces),
        verp=chosen.verp,
        signer=_signer(chosen, domain),
    )


def _trust(chosen: SmtpConfig) -> ssl.SSLContext:
    """Certificates and names are checked; `ca_file` takes the place of the system's authorities."""
    try:
        return ssl.create_default_context(cafile=chosen.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"smtp.ca_file: {chosen.ca_file}: {error.strerror or 'no certificates in PEM'}"
        ) from error


def _signer(chosen: SmtpConfig, domain: str) -> Signer | None:
    if chosen.dkim_key is None:
        return None
    try:
        pem = chosen.dkim_key.read_bytes()
    except OSError as error:
        raise ConfigError(f"smtp.dkim_key: {chosen.dkim_key}: {error.strerror}") from error
    return signer(pem, selector=chosen.dkim_selector, domain=chosen.dkim_domain or domain)
