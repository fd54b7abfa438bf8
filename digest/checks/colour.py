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
    red, green, blue = (_linear(channel / 255) for channel in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def inverted(rgb: Colour) -> Colour:
    """What programs that make mail dark by themselves do, roughly.

    A light colour gets a CIE lightness of 50 - (L - 50) * 0.75, a dark one likewise, both four
    fifths of their chroma: react-email's and Maizzle's emulation of Outlook and the Gmail app.
    """
    lightness, a, b = _to_lab(rgb)
    return _from_lab((50 - (lightness - 50) * 0.75, a * 0.8, b * 0.8))


_Triple = tuple[float, float, float]
_D65: _Triple = (0.95047, 1.0, 1.08883)


def _to_lab(rgb: Colour) -> _Triple:
    red, green, blue = (_linear(channel / 255) for channel in rgb)
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / _D65[0]
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / _D65[2]
    fx, fy, fz = (
        value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116
        for value in (x, y, z)
    )
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _from_lab(lab: _Triple) -> Colour:
    fy = (lab[0] + 16) / 116
    x, y, z = (
        white * (value**3 if value**3 > 216 / 24389 else (116 * value - 16) * 27 / 24389)
        for white, value in zip(_D65, (fy + lab[1] / 500, fy, fy - lab[2] / 200), strict=True)
    )
    linear = (
        3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
        -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
        0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
    )
    red, green, blue = (round(255 * _gamma(min(max(value, 0.0), 1.0))) for value in linear)
    return red, green, blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _gamma(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
