"""What an exception means to the person at the terminal: a message, a hint, an exit code."""

import json
import os
import sys

import click

from digest.cli.exits import Exit
from digest.errors import ConfigError, DigestError, StaleError


def exit_code(error: BaseException) -> int:  # noqa: PLR0911 - one line per kind
    """Print what `error` says and give its exit code; an unexpected error is raised again."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.Abort() | KeyboardInterrupt():
            print("\nstopped", file=sys.stderr)
            return Exit.INTERRUPTED
        case click.ClickException():
            error.show()
            return error.exit_code
        case BrokenPipeError():  # `digest stories | head`: nobody listens, nothing is wrong
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return Exit.DONE
        case StaleError():
            _show(error)
            return Exit.STALE
        case ConfigError() | DigestError():
            _show(error)
            return Exit.FAILED
        case OSError():
            _show(DigestError(f"{error.filename or 'system'}: {error.strerror or error}"))
            return Exit.FAILED
        case SystemExit():
            return error.code if isinstance(error.code, int) else Exit.FAILED
    raise error


def _show(error: ConfigError | DigestError) -> None:
    """On stderr: a line for a person, or one JSON object when `--json` was asked for."""
    hint = getattr(error, "hint", "")
    if "--json" in sys.argv:
        problem = {"code": type(error).__name__, "message": str(error), "hint": hint}
        print(json.dumps({"error": problem}, ensure_ascii=False), file=sys.stderr)
        return
    print(click.style("error: ", fg="red", bold=True) + str(error), file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)
