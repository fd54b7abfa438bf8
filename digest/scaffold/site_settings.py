"""What a site generator's configuration says about the site. A best effort: unknown is empty."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import yaml


@dataclass(frozen=True, slots=True)
class Facts:
    """What a new newsletter takes over from the site."""

    title: str = ""
    base_url: str = ""  # without trailing slash
    language: str = ""  # primary subtag
    timezone: str = ""  # IANA name


def read_settings(path: Path | None) -> dict[str, Any]:
    """The top-level keys of a configuration in lower case; none where it cannot be read."""
    if path is None:
        return {}
    text = _text(path)
    try:
        if path.suffix == ".toml":
            read: object = tomllib.loads(text)
        else:
            read = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # TOML and JSON errors are ValueErrors
        return {}
    return (
        {str(key).lower(): value for key, value in read.items()} if isinstance(read, dict) else {}
    )


def facts_of(settings: dict[str, Any]) -> Facts:
    """Hugo's and Jekyll's names for the same four things."""
    base = _words(settings.get("baseurl"))
    address = base if "://" in base else _words(settings.get("url")) + base
    languages = ("defaultcontentlanguage", "lang", "locale", "languagecode")
    return Facts(
        title=_words(settings.get("title")),
        base_url=_base_url(address),
        language=next(filter(None, (_language(settings.get(key)) for key in languages)), ""),
        timezone=_timezone(settings.get("timezone")),
    )


def script_facts(*paths: Path) -> Facts:
    """What can be seen in JavaScript without running it: the first literal of each."""
    text = "\n".join(_text(path) for path in paths if path.is_file())
    return Facts(
        title=_words(_literal(text, r"SITE_TITLE|title")),
        base_url=_base_url(_literal(text, r"site|url|website")),
        language=_language(_literal(text, r"defaultLocale|language|lang")),
        timezone=_timezone(_literal(text, r"timezone")),
    )


def script_base(path: Path) -> str:
    """The path that Astro puts before every page, without a slash at its end; usually empty."""
    base = _literal(_text(path), "base").strip("/")
    return f"/{base}" if re.fullmatch(r"[\w./~-]+", base) else ""


def machine_timezone() -> str:
    """The zone this machine is set to, where the system says so by name; else `UTC`."""
    place = Path("/etc/localtime").resolve().as_posix()  # a link into the zone database
    return _timezone(place.rpartition("/zoneinfo/")[2]) or "UTC"


def _literal(text: str, names: str) -> str:
    match = re.search(rf"""\b(?:{names})["']?\s*[:=]\s*(["'])(.+?)\1""", text)
    return match[2] if match else ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _words(value: object) -> str:
    """Text on one line; anything else is none."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    good = parts.scheme in {"http", "https"} and parts.hostname and not re.search(r"[{}\s]", value)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/") if good else ""


def _language(value: object) -> str:
    match = re.match(r"([A-Za-z]{2,3})(?:[-_]|$)", value) if isinstance(value, str) else None
    return match[1].lower() if match else ""


def _timezone(value: object) -> str:
    return value if isinstance(value, str) and value in available_timezones() else ""
