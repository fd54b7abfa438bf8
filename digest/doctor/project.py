"""What lies in the project's own folder and environment: settings, secrets, posts, room."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from digest.config import Config, Secret, secret, secret_file, secret_keys
from digest.doctor.results import Result, failure, ok, skipped, warning
from digest.errors import ConfigError, NoConfigError
from digest.models import Severity
from digest.providers import Account
from digest.sender import JOURNALS
from digest.store.database import FILE

_MAKE_KEY = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
_GOOD_LENGTH = 32  # characters of a secret
_LITTLE, _NONE = 1 << 30, 100 << 20  # bytes that are free


def examine_settings(config: Config) -> Iterator[Result]:
    """What a newsletter needs that no default can give."""
    leaves = config.provider != "outbox"
    yield ok("config.file", f"{config.path.name} has no mistake")
    domain = config.newsletter.sender.rpartition("@")[2]
    if leaves and _of_nobody(domain):
        fix = "set newsletter.sender in digest.toml to an address of yours"
        yield failure("config.sender", f"mail would come from {domain}", fix)
    else:
        yield ok("config.sender", f"mail comes from {domain}")
    site = config.newsletter.base_url
    if leaves and _of_nobody(urlsplit(site).hostname or ""):
        fix = "set newsletter.base_url in digest.toml to where your readers reach `digest serve`"
        yield failure("config.base_url", f"unsubscribe links would lead to {site}", fix)
    else:
        yield ok("config.base_url", f"links lead to {site}")
    if config.newsletter.postal_address:
        yield ok("config.postal_address", "is set")
    else:
        fix = "set newsletter.postal_address: law in many countries asks for it in each mail"
        yield warning("config.postal_address", "is empty", fix)
    yield _clicks(config)


def _clicks(config: Config) -> Result:
    if not config.stats.clicks:
        return ok("config.clicks", "clicks are not counted")
    if not config.database and not (config.root / FILE).exists():
        fix = "make a store: digest subscribers import FILE --consent 'how they agreed'"
        return warning("config.clicks", "clicks are counted in a store, and there is none yet", fix)
    if not config.web.trusted_proxies:
        fix = "set web.trusted_proxies to the address of the proxy before `digest serve`"
        return warning("config.clicks", "behind a proxy all readers are counted as one", fix)
    site = config.newsletter.base_url
    return ok("config.clicks", f"clicks are counted; links of mails lead through {site}/g/")


def _of_nobody(domain: str) -> bool:
    """One that is kept for examples (RFC 2606), as in our samples and defaults."""
    return domain.removesuffix(".").endswith(("example.com", "example.org", "example.net"))


def examine_secrets(config: Config, account: Account | None) -> Iterator[Result]:
    """They are there, long enough, and nobody else may read their files. None is ever shown."""
    yield _key(config)
    yield _provider_secret(account)


def _key(config: Config) -> Result:
    try:
        keys = secret_keys(config, lasting=False)
    except ConfigError as error:
        return failure("config.secret_key", str(error), _MAKE_KEY)
    file = secret_file("SECRET_KEY") or config.root / ".digest" / "secret-key"
    if open_to_others(file):
        fix = f"chmod 600 {file.name}, and renew it if others use this machine"
        return warning("config.secret_key", f"{file.name} can be read by others", fix)
    shortest = min(map(len, keys))
    if shortest < _GOOD_LENGTH:
        return warning("config.secret_key", f"{shortest} characters are few", _MAKE_KEY)
    number = f"{len(keys)} keys of" if len(keys) > 1 else "a key of"
    return ok("config.secret_key", f"{number} {shortest} characters or more")


def _provider_secret(account: Account | None) -> Result:
    name = account.secret if account else ""
    if not name:
        return ok("config.provider_secret", "none is needed")
    try:
        found: Secret = secret(name)
    except ConfigError as error:
        return failure("config.provider_secret", "it is missing or no good", str(error))
    file = secret_file(name)
    if file and open_to_others(file):
        return warning(
            "config.provider_secret", f"{file.name} can be read by others", f"chmod 600 {file.name}"
        )
    return ok("config.provider_secret", f"DIGEST_{name}, {len(found.value)} characters")


def open_to_others(path: Path) -> bool:
    """Its mode lets more than its owner and group read it."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def examine_webhook(config: Config) -> Result:
    """Bounces and complaints are believed when they are signed by a key that we know."""
    if config.provider != "sendgrid":
        return ok("config.webhook_keys", f"{config.provider} has no event webhook")
    from digest.providers.sendgrid import public_keys

    if not config.sendgrid.webhook_keys:
        return warning(
            "config.webhook_keys",
            "there is none: no bounce and no complaint is heard of",
            "turn on the signed Event Webhook, and put its key into sendgrid.webhook_keys",
        )
    number = len(public_keys(config.sendgrid.webhook_keys))
    return ok("config.webhook_keys", f"{number} in use")


def examine_content(config: Config) -> Result:
    """The posts can be read."""
    from digest.content import read_content

    content = read_content(config)
    errors = sum(finding.severity is Severity.ERROR for finding in content.findings)
    if errors:
        seen = f"{errors} {'mistake leaves' if errors == 1 else 'mistakes leave'} posts out"
        return warning("content.posts", seen, "digest check names them")
    if not content.stories:
        return warning("content.posts", "there are none", f"write some to {config.content.folder}")
    return ok("content.posts", f"{len(content.stories):,} stories")


def examine_disk(config: Config) -> Result:
    """Room for the store, its log and the journal of deliveries; without it sending stops."""
    free = shutil.disk_usage(config.root).free
    seen = f"{free / (1 << 30):,.1f} GB free"
    if free < _NONE:
        return failure("machine.disk", seen, "make room: nothing is sent that cannot be noted")
    if free < _LITTLE:
        return warning("machine.disk", seen, "make room before the next issue")
    return ok("machine.disk", seen)


def examine_files(config: Config) -> Result:
    """What is written while an issue goes out can be written by whoever asks."""
    state, store = config.root / JOURNALS, config.root / FILE
    places = [next(place for place in (state, *state.parents) if place.exists())]
    if not config.database and store.exists():
        places += [store, store.parent]
    shut = sorted({place.name for place in places if not os.access(place, os.W_OK)})
    if shut:
        fix = "give them to the user of the service: chown -R, and run commands as that user"
        return failure("machine.files", f"cannot be written to: {', '.join(shut)}", fix)
    return ok("machine.files", "the store and .digest can be written to")


def without_config(error: ConfigError) -> Iterator[Result]:
    """`digest.toml` cannot be used, and so nothing else can be looked at."""
    fix = "mend digest.toml (docs/config.md), and run this again"
    if isinstance(error, NoConfigError):
        fix = "digest init, or run this where digest.toml is"
    yield failure("config.file", str(error), fix)
    yield skipped("content.posts", "needs a digest.toml")
