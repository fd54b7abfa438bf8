"""Colours of CSS, and whether one can be read on another. Pure."""

import re
from functools import lru_cache

Colour = tuple[int, int, int]

_NAMED: dict[str, Colour] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211),
    "navy": (0, 0, 128),
    "orange": (255, 165, 0),
    "yellow": (255, 255, 0),
}


@lru_cache(maxsize=1024)
def colour(text: str) -> Colour | None:
    """`#abc`, `#aabbcc`, `rgb(1,2,3)` or a common name; None for anything else."""
    text = text.strip().lower()
    if re.fullmatch("#[0-9a-f]{3}", text):
        text = "#" + "".join(digit * 2 for digit in text[1:])
    if re.fullmatch("#[0-9a-f]{6}", text):
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    if match := re.fullmatch(r"rgb\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*\)", text):
        return int(match[1]), int(match[2]), int(match[3])
    return _NAMED.get(text)


def contrast(one: Colour, other: Colour) -> float:
    """The ratio of WCAG 2.2, 1.4.3: from 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(rgb: Colour) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in rgb)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
