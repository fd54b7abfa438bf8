"""`digest.toml` and the environment, read once into one frozen `Config`.

Order of authority: a command line flag, `DIGEST_SECTION__KEY` in the environment, the file, the
default. The only package that reads the environment. Every problem is found in one run and named
by file, line and key; an unknown key is a problem, with the nearest known one suggested.
"""

import contextlib
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digest.config.cadence import CadenceConfig, Missed
from digest.config.reading import read_config
from digest.config.settings import (
    LABELS,
    Config,
    ContentConfig,
    Limits,
    Newsletter,
    Restraint,
    Secret,
    Security,
    SendgridConfig,
    SmtpConfig,
    TagConfig,
)
from digest.config.table import Table
from digest.config.web import WebConfig
from digest.errors import ConfigError, NoConfigError
from digest.models import Finding

__all__ = [
    "FILE",
    "LABELS",
    "STORE_FILE",
    "CadenceConfig",
    "Config",
    "ContentConfig",
    "Limits",
    "Missed",
    "Newsletter",
    "Restraint",
    "Secret",
    "Security",
    "SendgridConfig",
    "SmtpConfig",
    "TagConfig",
    "WebConfig",
    "find",
    "load",
    "optional_secret",
    "parse",
    "plain_terminal",
    "secret",
    "secret_file",
    "secret_keys",
]

FILE = "digest.toml"
_DATABASE = "DIGEST_STORE__DATABASE"
STORE_FILE = "digest.sqlite3"  # beside it, once there is a store


def find(start: Path) -> Path | None:
    """The nearest `digest.toml` in `start` or above it."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    return None


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    required: bool = True,
) -> Config:
    """Read the configuration, or raise ConfigError with every problem in it.

    `path` is what `--config` named; otherwise `DIGEST_CONFIG`, otherwise the nearest
    `digest.toml` in the working directory or above. Where there is none and none is `required`,
    the defaults, as if an empty file were in the working directory.
    """
    environ = os.environ if environ is None else environ
    if path is None and environ.get("DIGEST_CONFIG"):
        path = Path(environ["DIGEST_CONFIG"])
    path = path or find(Path.cwd())
    if path is None and not required:
        return parse("", Path.cwd() / FILE, environ)
    if path is None:
        raise NoConfigError(
            f"there is no {FILE} here or in any folder above; `digest init` writes one"
        )
    source = _read(path)
    return parse(source, path.resolve(), environ)


def parse(source: str, path: Path, environ: Mapping[str, str]) -> Config:
    """`source` is the text of the file at the absolute `path`."""
    try:
        values = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).rstrip(")").partition(" (at ")
        line = re.match(r"line (\d+)", place)
        number = int(line[1]) if line else source.count("\n") + 1
        raise ConfigError(f"{path.name}:{number}: {reason}; this is not TOML") from error
    overridden = _override(values, _with_database(environ))
    findings: list[Finding] = []
    top = Table(path.name, source, "", values, findings, overridden=overridden)
    config = read_config(top, path)
    top.close()
    if findings:
        ordered = tuple(sorted(findings))
        raise ConfigError("\n".join(str(finding) for finding in ordered), ordered)
    return config


def secret_keys(
    config: Config, environ: Mapping[str, str] | None = None, *, lasting: bool = True
) -> tuple[bytes, ...]:
    """The keys that sign links, newest first: never empty, each at least 16 bytes.

    `DIGEST_SECRET_KEY` (several, separated by spaces, to rotate) or the file that
    `DIGEST_SECRET_KEY_FILE` names; otherwise a key made once in `.digest/secret-key`. Where that
    cannot be written and nothing `lasting` is signed, a key for this run alone.
    """
    environ = os.environ if environ is None else environ
    text = environ.get("DIGEST_SECRET_KEY", "")
    if named := environ.get("DIGEST_SECRET_KEY_FILE"):
        text = _read(Path(named))
    keys = tuple(key.encode() for key in (text or _own_secret(config.root, lasting)).split())
    if not keys or min(map(len, keys)) < 16:
        raise ConfigError(
            "the secret key is shorter than 16 characters; "
            "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return keys


def secret(name: str, environ: Mapping[str, str] | None = None) -> Secret:
    """What only the environment may hold: `DIGEST_<name>`, or the file that `_FILE` names.

    ConfigError when there is neither; the message never shows a value.
    """
    environ = os.environ if environ is None else environ
    variable = f"DIGEST_{name}"
    text = environ.get(variable, "")
    if named := environ.get(f"{variable}_FILE"):
        text = _read(Path(named))
    if not (text := text.strip()):
        raise ConfigError(f"set {variable}, or {variable}_FILE to the name of a file that holds it")
    if not re.fullmatch(r"[ -~]+", text):
        raise ConfigError(f"{variable}: expected one line of printable ASCII")
    return Secret(text)


def optional_secret(name: str, environ: Mapping[str, str] | None = None) -> Secret | None:
    """The same where it may be left out; None when neither is set."""
    environ = os.environ if environ is None else environ
    variable = f"DIGEST_{name}"
    if not (environ.get(variable) or environ.get(f"{variable}_FILE")):
        return None
    return secret(name, environ)


def secret_file(name: str, environ: Mapping[str, str] | None = None) -> Path | None:
    """The file that `DIGEST_<name>_FILE` names; None when it names none."""
    environ = os.environ if environ is None else environ
    named = environ.get(f"DIGEST_{name}_FILE")
    return Path(named) if named else None


def plain_terminal() -> bool:
    """The person wants neither colours nor moving bars (no-color.org; a dumb terminal)."""
    return "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"


def _own_secret(root: Path, lasting: bool) -> str:
    path = root / ".digest" / "secret-key"
    if not path.exists():
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            if not lasting:
                return secrets.token_urlsafe(32)
            raise ConfigError(
                f"{path.parent}: {error.strerror}; set DIGEST_SECRET_KEY where it cannot be kept"
            ) from error
        made = path.with_name(f"secret-key.{secrets.token_hex(4)}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(32) + "\n")
        with contextlib.suppress(FileExistsError):  # another run was first: its key counts
            path.hardlink_to(made)
        made.unlink()
    return path.read_text()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: byte {error.start}: not UTF-8; save the file as UTF-8"
        ) from error


def _with_database(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The one setting that may hold a password, and so may come from a file as secrets do."""
    named = environ.get(f"{_DATABASE}_FILE")
    rest = {name: value for name, value in environ.items() if name != f"{_DATABASE}_FILE"}
    return {**rest, _DATABASE: _read(Path(named)).strip()} if named else environ


def _override(values: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Put `DIGEST_SECTION__KEY=value` over the file, at any depth; which name set which key."""
    overridden = {}
    for name, value in environ.items():
        if not name.startswith("DIGEST_") or "__" not in name:
            continue
        *tables, key = name.removeprefix("DIGEST_").lower().split("__")
        place = values
        for table in tables:
            place = place.setdefault(table, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{name}: {table} is not a table in {FILE}")
        place[key] = value
        overridden[".".join((*tables, key))] = name
        if tables and place.keys() == {key}:  # the whole table is the environment's
            overridden.setdefault(".".join(tables), name)
    return overridden
