"""The `digest.toml` that `digest init` writes beside posts that exist already."""

import json
from urllib.parse import urlsplit

from digest.addresses import normalise
from digest.scaffold.sites import Site

# One invented reader who follows everything: the first `digest send` has somebody to write to.
SUBSCRIBERS = """\
email,name,tags,muted,cadence,language,timezone
reader@example.com,Robin Reader,*,,weekly,,
"""

_TEMPLATE = """\
# {found}.
# Each key may also come from the environment: DIGEST_NEWSLETTER__NAME="Another name".

[newsletter]
name = {name}
sender = {sender}  # the From address; guessed, like base_url
# reply_to = {reply_to}  # a person who reads the answers
postal_address = ""  # laws ask for one in every mail: fill it in before real mail leaves
base_url = {base_url}  # where "change tags", "pause" and "unsubscribe" lead
language = {language}  # of posts that name none
timezone = {timezone}  # a date without a time begins at midnight here

[content]
folder = {folder}
{url}

[tags]
languages = {languages}  # a hashtag that says which language a post is in
# markers = ["generated", "sponsored"]  # facts about a post, never shown as topics

# [tags.aliases]  # upper case and hyphens need no alias
# k8s = "kubernetes"

[selection]
max_stories = 12  # the rest is listed under "More for your tags"

[cadence.weekly]
at = "thu 09:00"

# [cadence.daily]
# at = "07:30"

[subscribers]
path = {subscribers}  # CSV files; people's addresses: think before you commit them

[templates]
folder = {templates}  # a file here replaces the built-in one of the same name

[delivery]
provider = "outbox"  # writes .eml files that any mail program opens; nothing leaves this machine
outbox = {outbox}

# Readers to look through: digest render --as everything
[personas.everything]
everything = true

# [personas.ana]
# tags = ["databases", "python"]
"""


def settings_folder(site: Site) -> str:
    """What the names of our folders begin with. Jekyll publishes what does not begin with `_`."""
    return "_" if site.generator == "Jekyll" else ""


def render_settings(site: Site, name: str, zone: str) -> str:
    """The text of the file. `name` and `zone` serve where the site names none."""
    facts, prefix = site.facts, settings_folder(site)
    host = _mail_host(facts.base_url)
    language = facts.language or "en"
    return _TEMPLATE.format(
        found=_printable(str(site)),
        name=_toml(facts.title or name or "Digest"),
        sender=_toml(f"news@{host}"),
        reply_to=_toml(f"team@{host}"),
        base_url=_toml(f"https://news.{host}"),
        language=_toml(language),
        timezone=_toml(facts.timezone or zone),
        folder=_toml(site.posts.folder),
        url=_url(site),
        languages=json.dumps(sorted({"en", "pl", language})),
        subscribers=_toml(f"{prefix}subscribers"),
        templates=_toml(f"{prefix}digest-templates" if prefix else "templates"),
        outbox=_toml(f"{prefix}outbox"),
    )


def _mail_host(base_url: str) -> str:
    """The site's domain if mail can come from it; `localhost` and numbers cannot send any."""
    host = (urlsplit(base_url).hostname or "").removeprefix("www.")
    try:
        normalise(f"news@{host}")
    except ValueError:
        return "example.com"
    return host if host.isascii() else "example.com"


def _url(site: Site) -> str:
    if site.path and site.facts.base_url:
        pattern = site.facts.base_url + site.path
        return f"url = {_toml(pattern)}  # the page of a post: compare it with one of yours"
    example = f"https://blog.example.com{site.path or '/{slug}/'}"
    return f"# url = {_toml(example)}  # the page of a post, for the link to it"


def _toml(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's. What cannot be printed is left out."""
    return json.dumps(_printable(text), ensure_ascii=False)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
