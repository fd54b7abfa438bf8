"""What a command says while it changes things, when nobody reads it any more: `digest send | head`.

Whoever only reads a newsletter ends then. A command that has begun to send goes on to its end.
"""

import os
import sys
from typing import Any, TextIO


def go_on_unheard() -> None:
    """From now on a closed pipe behind stdout or stderr stops nothing."""
    sys.stdout, sys.stderr = _Unheard(sys.stdout), _Unheard(sys.stderr)


class _Unheard:
    """A text stream whose pipe is led into nothing once its reader has gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._lead_away()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._lead_away()

    def _lead_away(self) -> None:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)
