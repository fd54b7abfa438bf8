"""Whether a word is another one with a slip of the fingers in it. Pure, and fast over thousands.

Two words are near by deletions that they share (SymSpell's way), so that a tag costs a few
look-ups instead of a comparison with each other tag. What is near is then judged: people slip in
certain ways, and `reach` is no slip of `react`.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

SHORTEST = 5  # letters: below, every other word is one slip away
TWO_SLIPS = 9  # letters from which two slips are looked for
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_VOWELS = frozenset("aeiouy")


def _neighbours() -> frozenset[tuple[str, str]]:
    """Keys that touch on a keyboard: beside each other, or one above the other."""
    found = set()
    for row, keys in enumerate(_ROWS):
        for column, key in enumerate(keys):
            below = _ROWS[row + 1] if row + 1 < len(_ROWS) else ""
            near = [*keys[column + 1 : column + 2], *below[max(column - 1, 0) : column + 1]]
            found |= {pair for other in near for pair in ((key, other), (other, key))}
    return frozenset(found)


_TOUCHING = _neighbours()


class Nearest:
    """Known words, to be asked for the one that another was meant to be."""

    def __init__(self, words: Mapping[str, int]) -> None:
        """`words` with how often each is used: of several the most used is meant."""
        self._uses = words
        self._places: dict[str, list[str]] = {}
        for word in words:
            for shorter in _shorter(word):
                self._places.setdefault(shorter, []).append(word)

    def of(self, word: str) -> str:
        """The known word that `word` is a slip of; empty when there is none."""
        near = {known for shorter in _shorter(word) for known in self._places.get(shorter, ())}
        meant = [known for known in near if known != word and is_slip(word, known)]
        return min(meant, key=lambda known: (-self._uses[known], known), default="")


def _shorter(word: str) -> Iterator[str]:
    """The word without its accents, and that less one letter; less two where it is long."""
    if len(word) < SHORTEST - 1:
        return
    bare = without_accents(word)
    yield bare
    once = {bare[:at] + bare[at + 1 :] for at in range(len(bare))}
    yield from once
    if len(bare) >= TWO_SLIPS - 1:
        yield from {one[:at] + one[at + 1 :] for one in once for at in range(len(one))}


@lru_cache(maxsize=16_384)
def without_accents(word: str) -> str:
    """`wydajność` as `wydajnosc`."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word.replace("ł", "l").replace("ß", "ss"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def is_slip(word: str, meant: str) -> bool:
    """Whether `word` looks like `meant` typed badly, and not like another word."""
    one, other = without_accents(word), without_accents(meant)
    if one == other:
        return word != meant
    shorter = min(len(one), len(other))
    if shorter < SHORTEST - 1 or len(other) < SHORTEST or _digits(one) != _digits(other):
        return False
    if plural(one, other) or (one[0] != other[0] and sorted(one) != sorted(other)):
        return False
    slips = distance(one, other)
    if slips == 1:
        return _one_slip(one, other)
    # `contain` and `container`, `scale` and `scaling` share a stem; they are two words
    stem = one[: shorter - 2] == other[: shorter - 2]
    # letters out of order or forgotten, and none put for another: `interaction`, `integration`
    short, long = sorted((one, other), key=len)
    alike = len(long) - len(short) < 2 and one[-1] == other[-1] and not stem
    alike = alike and Counter(short) <= Counter(long)
    return slips == 2 and shorter >= TWO_SLIPS - 1 and alike


def plural(one: str, other: str) -> bool:
    """Whether the words differ by their number alone: `agent` and `agents`."""
    shorter, longer = sorted((one, other), key=len)
    ends = (f"{shorter}s", f"{shorter}es")
    return longer in ends or (shorter[-1:] == "y" and longer == f"{shorter[:-1]}ies")


def _digits(word: str) -> str:
    return "".join(letter for letter in word if letter.isdigit())


def _one_slip(one: str, other: str) -> bool:
    if len(one) == len(other):
        pair = next((a, b) for a, b in zip(one, other, strict=True) if a != b)
        if sorted(one) == sorted(other):
            return True  # two letters changed places
        likely = pair in _TOUCHING or (pair[0] in _VOWELS and pair[1] in _VOWELS)
        return likely and len(other) >= SHORTEST + 2
    shorter, longer = sorted((one, other), key=len)
    if longer[:-1] == shorter:  # a word and a longer one, unless it is long: `typescrip`
        return len(longer) >= TWO_SLIPS
    doubled = any(
        longer[:at] + longer[at + 1 :] == shorter and longer[at] == longer[at - 1]
        for at in range(1, len(longer))
    )
    return doubled or len(longer) >= SHORTEST + 1


def distance(one: str, other: str) -> int:
    """Letters to add, drop, change or swap with their neighbour to make one word of the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        last, before, row = before, row, [at]
        for to, target in enumerate(other, start=1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != target))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == target:
                cost = min(cost, last[to - 2] + 1)
            row.append(cost)
    return row[-1]


def pairs(uses: Mapping[str, int], rare: int, frequent: int) -> Iterable[tuple[str, str]]:
    """(slip, word that was meant) among words: used at most `rare` times near much used ones."""
    known = Nearest({word: n for word, n in uses.items() if n >= frequent})
    for word, number in uses.items():
        if number <= rare and (meant := known.of(word)) and uses[meant] >= frequent * number:
            yield word, meant
