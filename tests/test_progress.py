"""The bar of long work says how much is done, and for what it waits while nothing goes on."""

import sys

import click

from digest.cli.session import Session


def shown(capsys, monkeypatch, *told):
    """What a terminal gets while somebody tells so."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    command = click.Context(click.Command("send"), color=False)
    with command, Session().progress("Sending") as advance:
        for one in told:
            advance(*one)
    return capsys.readouterr().err


def test_a_bar_says_for_what_it_waits_until_it_goes_on(capsys, monkeypatch):
    wait = "Waiting until 07:00:31, for smtp: [/errno] no route"
    waited = shown(capsys, monkeypatch, (3, 40), (3, 40, wait))
    gone_on = shown(capsys, monkeypatch, (3, 40, f"{wait} to it" * 9), (4, 40))

    assert wait in waited
    assert gone_on.rfind("Sending") > gone_on.rfind("Waiting")


def test_where_nobody_watches_nothing_is_said(capsys):
    with Session().progress("Sending") as advance:
        advance(3, 40, "Waiting")

    assert capsys.readouterr().err == ""
