"""The provider `sendgrid`: mail to its API, and back the events of its webhook.

The official package owns the key, the hosts, the subuser and the headers. It is imported when a
connection is asked for: it costs 150 ms and 30 MB.
"""

import logging
import ssl
from typing import Any

from digest.config import Config, secret
from digest.providers.sendgrid.carrier import Sendgrid, Way
from digest.providers.sendgrid.webhook import parse, public_keys, verify

__all__ = ["Sendgrid", "connect", "official_client", "parse", "public_keys", "verify"]


def connect(config: Config) -> Sendgrid:
    """The provider as it is configured. ConfigError without a key; nobody is called yet."""
    chosen, client = config.sendgrid, official_client(config)
    url = client.mail.send._build_url(None)
    headers = {**client.request_headers, "Content-Type": "application/json"}
    tls = ssl.create_default_context() if url.startswith("https:") else None
    way = Way(url, headers, chosen.personalizations, chosen.connections, tls)
    return Sendgrid(way, config.newsletter, sandbox=chosen.sandbox)


def official_client(config: Config) -> Any:
    """The official package's client, with our key, host and subuser. ConfigError without a key."""
    from sendgrid import SendGridAPIClient

    # At DEBUG it would log every request with its addresses, and the key.
    logging.getLogger("python_http_client").setLevel(logging.WARNING)
    chosen = config.sendgrid
    key = secret("SENDGRID_API_KEY").value
    made = SendGridAPIClient(key, impersonate_subuser=chosen.subuser or None)
    made.set_sendgrid_data_residency(chosen.region)
    if chosen.host:
        made.client.host = chosen.host
    return made.client
