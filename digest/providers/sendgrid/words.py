"""SendGrid's words made fit to be kept and shown: no address, no key, no control, not too long."""

import re

_LONGEST = 300  # characters
_ADDRESS = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"'(),;]+")
_QUOTED_ADDRESS = re.compile(r'"[^"]*"@[^\s<>"\'(),;]+')
_KEY = re.compile(r"(?i)\bSG\.[\w.-]+|bearer\s+\S+")


def scrubbed(text: str) -> str:
    """One line that names nobody: SendGrid and readers' servers repeat addresses in errors."""
    plain = text[: 4 * _LONGEST]
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else " " for c in plain)
    if "@" not in plain:
        return " ".join(_KEY.sub("<key>", plain).split())[:_LONGEST].rstrip()
    nameless = _ADDRESS.sub("<address>", _QUOTED_ADDRESS.sub("<address>", plain))
    return " ".join(_KEY.sub("<key>", nameless).split())[:_LONGEST].rstrip()
