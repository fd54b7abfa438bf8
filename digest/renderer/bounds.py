"""What a template may make at one stroke: a slip of some zeros must not hold up every save.

Jinja's sandbox compiles operators and calls to methods of the environment. This takes its place:
templates are their author's own, so nothing is forbidden, and only sizes are looked at.
"""

import operator
import re
from collections.abc import Callable, Sized
from functools import wraps
from typing import Any

from jinja2 import Environment
from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import Context
from jinja2.utils import generate_lorem_ipsum

MOST = 100_000  # characters, entries or a width: Gmail shows as much of a whole mail
_BITS = 4096  # of a number
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "*": operator.mul,
    "**": operator.pow,
    "%": operator.mod,
}
_WIDTH = re.compile(r"\d{6,}")  # in a format: as many digits as MOST
_FILTERS = ("batch", "center", "format", "indent", "round", "slice", "tojson")


class Bounded(Environment):
    """An environment whose templates make nothing that is too large to be meant."""

    sandboxed = True  # for the compiler; see above
    intercepted_binops = frozenset(_OPERATORS)
    intercepted_unops: frozenset[str] = frozenset()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filters |= {name: _bounded(name, self.filters[name]) for name in _FILTERS}
        self.globals["lipsum"] = _bounded("lipsum", generate_lorem_ipsum)

    def call_binop(self, _context: Context, sign: str, left: Any, right: Any) -> Any:
        """`left * right`, `left ** right` or `left % right`."""
        if sign == "%":
            _look_at("%", left if isinstance(left, str) else "", right)
        elif _size(sign, left, right) > MOST:
            raise TemplateRuntimeError(f"`{sign}` would make more than {MOST:,} characters")
        return _OPERATORS[sign](left, right)

    def call(self, context: Context, called: Any, /, *args: Any, **named: Any) -> Any:
        """A call in a template; what the methods of a text are given is looked at."""
        if isinstance(text := getattr(called, "__self__", None), str):
            _look_at(called.__name__, text, *args, *named.values())
        return context.call(called, *args, **named)


def _size(sign: str, left: Any, right: Any) -> int:
    """What it would make: characters or entries, or as many for a number that is too long."""
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if sign == "**" else left.bit_length() + right.bit_length()
        return MOST + 1 if bits > _BITS else 0
    for many, one in ((left, right), (right, left)):
        if isinstance(many, int) and isinstance(one, Sized):
            return many * len(one)
    return 0


def _look_at(name: str, *values: object) -> None:
    """No number is larger than `MOST`, and no format has such a width."""
    formats = name in ("%", "format", "format_map")
    for value in values:
        if isinstance(value, tuple):
            _look_at(name, *value)
        elif type(value) is int and value > MOST and not formats:
            raise TemplateRuntimeError(f"{name}: {value} is more than {MOST:,}")
        elif formats and isinstance(value, str) and _WIDTH.search(value):
            raise TemplateRuntimeError(f"{name}: a width may be {MOST - 1:,} at most")


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def looking(*args: Any, **named: Any) -> Any:
        _look_at(name, *args, *named.values())
        return function(*args, **named)

    return looking
