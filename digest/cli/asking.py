"""Asking before what cannot be undone."""

import sys

import click


def confirmed(name: str, given: str | None, question: str) -> bool:
    """True when the name of what is at stake was typed, or given by `--confirm`.

    Nobody to ask and nothing given is a no.
    """
    if given is None and sys.stdin.isatty():
        given = click.prompt(question, default="", show_default=False, err=True)
    return given is not None and given.strip().casefold() == name.casefold()
