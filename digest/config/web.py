"""`[web]`: where the readers' pages listen, whom they believe, and how long they wait for a yes."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from digest.config.table import Table

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class WebConfig:
    """How `digest serve` answers; what readers are sent to is `newsletter.base_url`."""

    host: str = "127.0.0.1"  # a reverse proxy stands before it
    port: int = 8000
    hosts: tuple[str, ...] = ()  # names it answers to besides base_url's
    trusted_proxies: tuple[Network, ...] = ()  # whose X-Forwarded-For is believed
    metrics: tuple[Network, ...] = (
        ip_network("127.0.0.0/8"),
        ip_network("::1"),
    )  # who may read them
    sign_up: bool = True  # the form at `/`
    confirm_days: int = 7  # then an unconfirmed address is forgotten
    mails_an_hour: int = 1000  # that forms may cause, in all


def read_web(table: Table) -> WebConfig:
    """The table as settings; problems are left in its findings."""
    default = WebConfig()
    web = WebConfig(
        host=table.text("host", default.host),
        port=table.parsed("port", default.port, _port, "a port from 0 to 65535"),
        hosts=tuple(name.lower() for name in table.strings("hosts")),
        trusted_proxies=_networks(table, "trusted_proxies", default.trusted_proxies),
        metrics=_networks(table, "metrics", default.metrics),
        sign_up=table.flag("sign_up", default.sign_up),
        confirm_days=table.integer("confirm_days", default.confirm_days, least=1),
        mails_an_hour=table.integer("mails_an_hour", default.mails_an_hour, least=1),
    )
    table.close()
    return web


def _networks(table: Table, key: str, default: tuple[Network, ...]) -> tuple[Network, ...]:
    found = []
    for text in table.strings(key, tuple(map(str, default))):
        try:
            found.append(ip_network(text))
        except ValueError:
            fix = 'expected addresses or networks: ["127.0.0.1", "10.0.0.0/8"]'
            table.report(key, f"{text!r} is not accepted", fix)
    return tuple(found)


def _port(text: str) -> int:
    if not 0 <= (number := int(text)) <= 65_535:
        raise ValueError(text)
    return number
