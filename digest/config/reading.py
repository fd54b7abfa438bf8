"""How each table of `digest.toml` becomes its part of the `Config`, default by default."""

import re
import unicodedata
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from string import Formatter
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.addresses import normalise
from digest.config.archive import read_archive
from digest.config.cadence import CadenceConfig, check_editors, read_cadences
from digest.config.settings import (
    LABELS,
    Config,
    ContentConfig,
    Limits,
    Newsletter,
    Restraint,
    Security,
    SendgridConfig,
    SmtpConfig,
    TagConfig,
)
from digest.config.stats import read_stats
from digest.config.table import Table
from digest.config.web import read_web
from digest.models import Cadence, Preferences

POST_URL_FIELDS = {"slug", "path", "stem", "language", "year", "month", "day"}
SMTP_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
BASE_URL = "an https address of at most 38 characters, no query: https://news.example.com"
POST_URL = 'an address of a post: "https://blog.example.com/{slug}/"'
ZONES = 'an IANA time zone: "Europe/Dublin"'


def read_config(top: Table, path: Path) -> Config:
    """The whole file as a Config; problems are left in `top.findings`."""
    root = path.parent
    schedule = read_cadences(top.table("cadence"))
    newsletter = top.table("newsletter")
    editors = _editors(newsletter, schedule)
    delivery, places = top.table("delivery"), top.table("subscribers")
    templates, store = top.table("templates"), top.table("store")
    config = Config(
        path=path,
        root=root,
        newsletter=_newsletter(newsletter),
        content=_content(top.table("content"), root),
        tags=_tags(top.table("tags")),
        limits=_limits(top.table("selection")),
        schedule=schedule,
        editors=editors,
        cadence=Cadence.WEEKLY if Cadence.WEEKLY in schedule else next(iter(schedule)),
        subscribers=root / _folder(places, "path", "subscribers"),
        database=store.text("database"),
        templates=root / _folder(templates, "folder", "templates"),
        personas={name: _persona(table) for name, table in top.table("personas").tables().items()},
        provider=delivery.text("provider", "outbox"),
        outbox=root / _folder(delivery, "outbox", "outbox"),
        sendgrid=_sendgrid(top.table("sendgrid")),
        restraint=_restraint(delivery),
        workers=delivery.flag("workers", False),
        smtp=_smtp(top.table("smtp"), root),
        web=read_web(top.table("web")),
        archive=read_archive(top.table("archive")),
        stats=read_stats(top.table("stats")),
    )
    for table in (delivery, places, templates, store):
        table.close()
    return config


def _newsletter(table: Table) -> Newsletter:
    name = table.text("name", "Digest")
    sender = table.parsed("sender", "news@example.com", _address, "one address: news@example.com")
    domain = sender.rpartition("@")[2]
    list_id = f"{_ascii_words(name)}.{domain}"
    base_url = table.parsed("base_url", "https://news.example.com", _base_url, BASE_URL)
    newsletter = Newsletter(
        name=name,
        sender=sender,
        sender_name=table.text("sender_name", name),
        reply_to=table.parsed("reply_to", "", _address, "one address, or leave it out"),
        postal_address=table.text("postal_address"),
        base_url=base_url,
        list_id=table.parsed("list_id", list_id, _list_id, "dotted words: weekly.example.com"),
        language=table.parsed("language", "en", _language, 'a language code like "en" or "pl"'),
        timezone=table.parsed("timezone", ZoneInfo("UTC"), _zone, ZONES),
    )
    if not name.strip():
        table.report("name", "is empty", "expected the newsletter's name")
    table.close()
    return newsletter


def _editors(table: Table, schedule: Mapping[Cadence, CadenceConfig]) -> tuple[str, ...]:
    """Who approves issues. Not a part of `Newsletter`: a plan does not depend on them."""
    editors = []
    for text in table.strings("editors"):
        try:
            editors.append(_address(text))
        except ValueError:
            table.report("editors", f"{text!r} is not accepted", "expected addresses of editors")
    check_editors(table, tuple(editors), schedule)
    return tuple(editors)


def _content(table: Table, root: Path) -> ContentConfig:
    more = table.table("labels")
    labels = {role: builtin + more.strings(role) for role, builtin in LABELS.items()}
    more.close()
    content = ContentConfig(
        folder=root / _folder(table, "folder", "content"),
        url=table.parsed("url", "", _post_url, POST_URL),
        labels=labels,
        cache=table.flag("cache", True),
        split_words=table.flag("split_words", False),
    )
    table.close()
    return content


def _tags(table: Table) -> TagConfig:
    default = TagConfig()
    tags = TagConfig(
        aliases=table.table("aliases").texts(),
        markers=table.strings("markers", default.markers),
        languages=table.strings("languages", default.languages),
    )
    table.close()
    return tags


def _limits(table: Table) -> Limits:
    default = Limits()
    limits = Limits(
        max_stories=table.integer("max_stories", default.max_stories, least=1),
        max_html_bytes=table.integer("max_html_bytes", default.max_html_bytes, least=20_000),
    )
    table.close()
    return limits


def _restraint(table: Table) -> Restraint:
    default = Restraint()
    return Restraint(
        rate=table.integer("rate", default.rate, least=0),
        attempts=table.integer("attempts", default.attempts, least=1),
        retry_after=table.integer("retry_after", default.retry_after, least=1),
        stop_after=table.integer("stop_after", default.stop_after, least=1),
        stop_percent=table.integer("stop_percent", default.stop_percent, least=1),
    )


def _sendgrid(table: Table) -> SendgridConfig:
    default = SendgridConfig()
    most, lines = partial(_whole, most=1000), partial(_whole, most=64)
    sendgrid = SendgridConfig(
        region=table.parsed("region", default.region, _region, '"global" or "eu"'),
        subuser=table.parsed("subuser", "", _header_word, "the name of a subuser, without spaces"),
        personalizations=table.parsed(
            "personalizations", default.personalizations, most, "a whole number from 1 to 1000"
        ),
        connections=table.parsed(
            "connections", default.connections, lines, "a whole number from 1 to 64"
        ),
        sandbox=table.flag("sandbox", default.sandbox),
        host=table.parsed("host", "", _host, "an https address without a path"),
        webhook_keys=table.strings("webhook_keys"),
    )
    table.close()
    return sendgrid


def _smtp(table: Table, root: Path) -> SmtpConfig:
    default = SmtpConfig()
    most = partial(_whole, most=100_000)
    security = table.parsed(
        "security", default.security, Security, " or ".join(f'"{way}"' for way in Security)
    )
    smtp = SmtpConfig(
        host=table.parsed("host", "", _mail_host, 'a name or an IP address: "smtp.example.com"'),
        port=table.parsed(
            "port", SMTP_PORTS[security], partial(_whole, most=65_535), "a port from 1 to 65535"
        ),
        security=security,
        user=table.parsed("user", "", _header_word, "the name of an account, without spaces"),
        ca_file=_file(table, "ca_file", root),
        connections=table.parsed(
            "connections", default.connections, partial(_whole, most=64), "a number from 1 to 64"
        ),
        messages_per_connection=table.parsed(
            "messages_per_connection", default.messages_per_connection, most, "1 to 100000"
        ),
        return_path=table.parsed("return_path", "", _address, "one address: bounces@example.com"),
        verp=table.flag("verp", default.verp),
        dkim_selector=table.parsed("dkim_selector", "", _dns_name, 'a DNS name: "digest2026"'),
        dkim_domain=table.parsed("dkim_domain", "", _dns_name, 'a domain: "example.com"'),
        dkim_key=_file(table, "dkim_key", root),
    )
    _check_smtp(table, smtp, insecure=table.flag("insecure", False))
    table.close()
    return smtp


def _check_smtp(table: Table, smtp: SmtpConfig, *, insecure: bool) -> None:
    if smtp.security is Security.NONE and smtp.host and not (insecure or _loopback(smtp.host)):
        fix = 'set security = "starttls" or "tls"; only insecure = true sends readers in the clear'
        table.report("security", f"{smtp.host} is another machine", fix)
    if smtp.security is Security.NONE and smtp.user:
        table.report("user", "a password never goes in the clear", 'expected another "security"')
    if bool(smtp.dkim_selector) != bool(smtp.dkim_key):
        table.report("dkim_key", "dkim_selector and dkim_key go together", "set both or neither")


def _folder(table: Table, key: str, default: str) -> str:
    """A path that is not empty: an empty one would be the project's own folder."""
    path = table.text(key, default)
    if not path.strip():
        table.report(key, "is empty", f'expected a path, like "{default}"')
    return path


def _persona(table: Table) -> Preferences:
    persona = Preferences(
        tags=table.strings("tags"),
        everything=table.flag("everything", False),
        muted=table.strings("muted"),
        languages=table.strings("languages"),
    )
    table.close()
    return persona


def _address(text: str) -> str:
    return normalise(text)


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    loopback = parts.hostname in {"localhost", "127.0.0.1"}
    if parts.scheme not in {"https", *({"http"} if loopback else ())} or not parts.hostname:
        raise ValueError(text)
    if parts.query or parts.fragment or not text.isascii() or len(text.rstrip("/")) > 38:
        raise ValueError(text)  # List-Unsubscribe would not fit its 77 bytes (docs/messages.md)
    return text.rstrip("/")


def _host(text: str) -> str:
    url = _base_url(text)
    if urlsplit(url).path or urlsplit(url).username is not None:
        raise ValueError(text)
    return url


def _region(text: str) -> str:
    if text not in {"global", "eu"}:
        raise ValueError(text)
    return text


def _header_word(text: str) -> str:
    if not re.fullmatch(r"[!-~]{0,320}", text):
        raise ValueError(text)
    return text


def _whole(text: str, *, most: int) -> int:
    if not 1 <= (number := int(text)) <= most:
        raise ValueError(text)
    return number


def _post_url(text: str) -> str:
    fields = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    if fields - POST_URL_FIELDS or urlsplit(text).scheme not in {"https", "http"}:
        raise ValueError(text)
    return text


def _mail_host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:-]{0,253}", text):
        raise ValueError(text)
    return text


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _dns_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", text) or len(text) > 200:
        raise ValueError(text)
    return text


def _file(table: Table, key: str, root: Path) -> Path | None:
    name = table.text(key)
    return root / name if name else None


def _list_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text) or len(text) > 200:
        raise ValueError(text)
    return text


def _language(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}", text):
        raise ValueError(text)
    return text.lower()


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError) as error:  # a folder name is an OSError
        raise ValueError(text) from error


def _ascii_words(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower())) or "newsletter"
