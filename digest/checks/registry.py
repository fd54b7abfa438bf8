"""Every check there is, by its id."""

from collections.abc import Mapping
from difflib import get_close_matches

from digest.checks import (
    accessibility,
    answers,
    content,
    editions,
    headers,
    links,
    pictures,
    privacy,
    reading,
    rendering,
    tags,
)
from digest.checks.rule import Rule

_GROUPS = (
    reading.RULES,
    content.RULES,
    tags.RULES,
    links.RULES,
    answers.RULES,
    editions.RULES,
    headers.RULES,
    rendering.RULES,
    pictures.RULES,
    accessibility.RULES,
    privacy.RULES,
)

RULES: Mapping[str, Rule] = {rule.id: rule for group in _GROUPS for rule in group}


def find(check: str) -> Rule | None:
    """The check with this id; that of its group where a group shares one, like `config/*`."""
    return RULES.get(check) or RULES.get(f"{check.partition('/')[0]}/*" if "/" in check else "")


def nearest(check: str) -> str:
    """The id that was probably meant; empty when none is near."""
    close = get_close_matches(check, list(RULES), 1, cutoff=0.5)
    named = [known for known in RULES if known.partition("/")[2] == check]
    return (named or close or [""])[0]
