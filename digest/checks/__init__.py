"""What must hold of a story, an edition and a message; whatever does not is a finding. Pure.

    stories, their posts' texts   →  content, links, tags
    one proof per language        →  rendering, accessibility, privacy, headers
    the editions and the settings →  editions, headers, tags

`rule` says what a check is and `registry` lists them all. `digest.proofs` gathers what they need.
"""

from digest.checks.places import Places
from digest.checks.proof import Before, Copy, Proof, Settings
from digest.checks.registry import RULES, find, nearest
from digest.checks.rule import Rule
from digest.checks.run import check_issue, check_proof, check_stories, check_texts, in_order
from digest.checks.tags import check_stories as check_tags

__all__ = [
    "RULES",
    "Before",
    "Copy",
    "Places",
    "Proof",
    "Rule",
    "Settings",
    "check_issue",
    "check_proof",
    "check_stories",
    "check_tags",
    "check_texts",
    "find",
    "in_order",
    "nearest",
]
