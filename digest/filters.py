"""A small boolean language over tags: `ai and (llm or agents) and not crypto`. Pure."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from digest.errors import FilterError
from digest.hashtags import fold

MAX_DEPTH = 50  # of parentheses; deeper is a mistake, and would end in RecursionError


@dataclass(frozen=True, slots=True)
class Tag:
    """A filter that wants one tag."""

    name: str  # as typed
    key: str  # what is looked for

    def matches(self, keys: Collection[str]) -> bool:
        """True when the tag is among `keys`."""
        return self.key in keys

    def __str__(self) -> str:
        plain = _PLAIN.fullmatch(self.name) and self.name.lower() not in _OPERATORS
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return self.name if plain else f'"{quoted}"'


@dataclass(frozen=True, slots=True)
class Not:
    """A filter that wants its part not to match."""

    part: "Filter"

    def matches(self, keys: Collection[str]) -> bool:
        """True when the part does not match `keys`."""
        return not self.part.matches(keys)

    def __str__(self) -> str:
        return f"not {_enclosed(self.part, And, Or)}"


@dataclass(frozen=True, slots=True)
class And:
    """A filter that wants every part to match."""

    parts: tuple["Filter", ...]

    def matches(self, keys: Collection[str]) -> bool:
        """True when every part matches `keys`."""
        return all(part.matches(keys) for part in self.parts)

    def __str__(self) -> str:
        return " and ".join(_enclosed(part, And, Or) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """A filter that wants at least one part to match."""

    parts: tuple["Filter", ...]

    def matches(self, keys: Collection[str]) -> bool:
        """True when a part matches `keys`."""
        return any(part.matches(keys) for part in self.parts)

    def __str__(self) -> str:
        return " or ".join(_enclosed(part, Or) for part in self.parts)


Filter = Tag | Not | And | Or

_OPERATORS = frozenset({"and", "or", "not"})
_PLAIN = re.compile(r"[^\s()\"'#\\][^\s()\"'\\]*")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<paren>[()])
      | \#?(?P<quote>["'])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)
      | (?P<open>\#?["'])
      | (?P<word>[^\s()"']+)
    )""",
    re.VERBOSE | re.DOTALL,
)


def _enclosed(part: Filter, *kinds: type) -> str:
    return f"({part})" if isinstance(part, kinds) else str(part)


def parse(text: str, key: Callable[[str], str] = fold) -> Filter:
    """`ai and (llm or agents) and not crypto`: `not` binds before `and` before `or`.

    A tag may have a `#` and is quoted when it has spaces or is an operator's name. `key` says
    what a tag is known by: `Vocabulary.key` follows the aliases. Raises FilterError with the
    position of the first word that cannot be where it is.
    """
    return _Parser(text, key).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # `tag`, `and`, `or`, `not`, `(`, `)` or `end`
    text: str
    position: int


def _tokens(text: str) -> list[_Token]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        assert match is not None  # every character but white space begins some group
        tokens.append(_token(match))
        position = match.end()
    return [*tokens, _Token("end", "", end)]


def _token(match: re.Match[str]) -> _Token:
    start = match.start() + len(match.group()) - len(match.group().lstrip())
    if paren := match["paren"]:
        return _Token(paren, paren, start)
    if match["open"]:
        raise FilterError(
            "a quote is never closed", position=start, hint="put a quote after the tag's last word"
        )
    word = match["word"]
    if word and word.lower() in _OPERATORS:
        return _Token(word.lower(), word, start)
    name = word if word is not None else re.sub(r"\\(.)", r"\1", match["quoted"], flags=re.DOTALL)
    name = name.removeprefix("#") if word is not None else name
    if not fold(name):
        raise FilterError(
            f"`{match.group().strip()}` names no tag", position=start, hint="write a tag like #ai"
        )
    return _Token("tag", name, start)


class _Parser:
    """Recursive descent over tokens; one method a level of precedence."""

    def __init__(self, text: str, key: Callable[[str], str]) -> None:
        self._tokens = _tokens(text)
        self._key = key
        self._next = 0
        self._depth = 0

    def whole(self) -> Filter:
        if self._peek().kind == "end":
            raise FilterError("the filter is empty", hint="write tags, like `ai and not crypto`")
        found = self._or()
        token = self._peek()
        if token.kind == ")":
            raise FilterError(
                "`)` closes nothing", position=token.position, hint="remove it, or open with `(`"
            )
        if token.kind != "end":
            raise FilterError(
                f"`{token.text}` follows without an operator",
                position=token.position,
                hint='write `and`, `or` or `and not` before it, or quote a tag with spaces: "a b"',
            )
        return found

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, kind: str) -> bool:
        taken = self._peek().kind == kind
        self._next += taken
        return taken

    def _or(self) -> Filter:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Filter:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Filter:
        if not self._take("not"):
            return self._operand()
        return Not(self._deeper(self._not))

    def _operand(self) -> Filter:
        token = self._peek()
        if self._take("tag"):
            return Tag(token.text, self._key(token.text))
        if not self._take("("):
            seen = f"`{token.text}`" if token.text else "the end"
            raise FilterError(
                f"a tag is missing before {seen}",
                position=token.position,
                hint="a tag, `not` or `(` can stand here",
            )
        found = self._deeper(self._or)
        if not self._take(")"):
            raise FilterError("`(` is never closed", position=token.position, hint="add `)`")
        return found

    def _deeper(self, rule: Callable[[], Filter]) -> Filter:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(
                f"more than {MAX_DEPTH} levels deep",
                position=self._peek().position,
                hint="write a flatter expression",
            )
        found = rule()
        self._depth -= 1
        return found
