"""An address as a page may show it: enough for its owner, not for who was forwarded the mail."""


def masked(address: str) -> str:
    """`a•••@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
