"""What an exception means to the person at the terminal: a message, a hint, an exit code."""

import json
import sys

import click

from digest.cli.exits import Exit
from digest.config import plain_terminal
from digest.errors import ConfigError, DigestError, FilterError, StaleError


def exit_code(error: BaseException) -> int:  # noqa: PLR0911 - one line per kind
    """Print what `error` says and give its exit code; an unexpected error is raised again."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.Abort() | KeyboardInterrupt():
            print("\nstopped", file=sys.stderr)
            return Exit.INTERRUPTED
        case click.ClickException():
            _show_usage(error)
            return error.exit_code
        case SystemExit():
            # `digest stories | head`: nobody listens, nothing is wrong. click has closed its ears
            # and exits; our commands return, so nothing else ends this way.
            return Exit.DONE
        case StaleError():
            _show(error)
            return Exit.STALE
        case FilterError():
            _show(error)
            return Exit.USAGE
        case ConfigError() | DigestError():
            _show(error)
            return Exit.FAILED
        case OSError():
            _show(DigestError(f"{error.filename or 'system'}: {error.strerror or error}"))
            return Exit.FAILED
    raise error


def _show_usage(error: click.ClickException) -> None:
    if "--json" in sys.argv:
        _show(DigestError(error.format_message()))
    else:
        error.show()


def _show(error: ConfigError | DigestError) -> None:
    """On stderr: a line for a person, or one JSON object when `--json` was asked for."""
    hint = getattr(error, "hint", "")
    if "--json" in sys.argv:
        problem = {"code": type(error).__name__, "message": _placed(error), "hint": hint}
        print(json.dumps({"error": problem}, ensure_ascii=False), file=sys.stderr)
        return
    colour = False if plain_terminal() or "--no-color" in sys.argv else None
    click.secho("error: ", fg="red", bold=True, err=True, nl=False, color=colour)
    click.echo(_placed(error), err=True, color=colour)
    if hint:
        click.echo(f"  {hint}", err=True, color=colour)


def _placed(error: ConfigError | DigestError) -> str:
    """The message, after the file and line where there are any."""
    path, line = getattr(error, "path", ""), getattr(error, "line", 0)
    place = f"{path}:{line}" if path and line else path
    return f"{place}: {error}" if place else str(error)
