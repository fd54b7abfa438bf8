"""`digest doctor`: will mail go out, arrive, and be answerable?"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from digest.cli.exits import Exit
from digest.cli.session import Session, project_command
from digest.cli.tables import counted, safe
from digest.errors import ConfigError

if TYPE_CHECKING:
    from digest.doctor import Result

_LOOKS = {
    "ok": ("ok", "green"),
    "warning": ("warn", "yellow"),
    "failure": ("FAIL", "red"),
    "skipped": ("-", "blue"),
}


@project_command(name="doctor", example="digest doctor --offline")
@click.option("--offline", is_flag=True, help="Ask no other machine.")
@click.option(
    "--nameserver",
    default="",
    metavar="ADDRESS",
    help="Ask this name server instead of the system's: 9.9.9.9, or 127.0.0.1:5353.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON (docs/json.md).")
def command(session: Session, offline: bool, nameserver: str, as_json: bool) -> int:
    """Look at everything a send depends on, and say how to mend what is wrong. Sends nothing."""
    results = []
    for result in _results(session, offline, nameserver):
        results.append(result)
        if not as_json:
            _tell(session, result)
    failures = sum(result.verdict.value == "failure" for result in results)
    warnings = sum(result.verdict.value == "warning" for result in results)
    if as_json:
        shape = {
            "schema": "digest/doctor@1",
            "failures": failures,
            "warnings": warnings,
            "results": [asdict(result) for result in results],
        }
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
    session.say(f"{counted(failures, 'failure')}, {counted(warnings, 'warning')}")
    return Exit.FAILED if failures else Exit.DONE


def _results(session: Session, offline: bool, nameserver: str) -> "Iterator[Result]":
    from digest.doctor import Patient, examine
    from digest.doctor.project import without_config

    try:
        config = session.config
    except ConfigError as error:
        yield from without_config(error)
        return
    yield from examine(Patient(config, offline=offline, nameserver=nameserver))


def _tell(session: Session, result: "Result") -> None:
    """A line, and under it the way out."""
    word, colour = _LOOKS[result.verdict.value]
    if session.quiet and word == "ok":
        return
    click.secho(f"{word:<5}", fg=colour, bold=word == "FAIL", nl=False)
    for number, line in enumerate(result.seen.splitlines() or [""]):
        click.echo(
            f"{result.id if not number else '':<24}{'' if not number else '     '}{safe(line)}"
        )
    if result.fix:
        click.echo(f"{'':<29}→ {safe(result.fix)}")
