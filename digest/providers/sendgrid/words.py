"""SendGrid's words made fit to be kept and shown: no address, no key, no control, not too long."""

import re

_LONGEST = 300  # characters
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ADDRESS = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"'(),;]+")
_QUOTED_ADDRESS = re.compile(r'"[^"]*"@[^\s<>"\'(),;]+')
_KEY = re.compile(r"(?i)\bSG\.[\w.-]+|bearer\s+\S+")


def scrubbed(text: str) -> str:
    """One line that names nobody: SendGrid and readers' servers repeat addresses in errors."""
    plain = _SURROGATE.sub("?", _UNPRINTABLE.sub(" ", text[: 4 * _LONGEST]))
    nameless = _ADDRESS.sub("<address>", _QUOTED_ADDRESS.sub("<address>", plain))
    return " ".join(_KEY.sub("<key>", nameless).split())[:_LONGEST].rstrip()
