"""Pictures as they are behind their addresses: how heavy, how wide, how dark. Pure.

`digest.online` fetches them; here is what their first bytes and their pixels say.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from digest.checks.answers import GONE, Answer
from digest.checks.colour import Colour, contrast
from digest.checks.png import SIGNATURE, pixels
from digest.checks.proof import Proof
from digest.checks.rule import ERROR, WARNING, Rule
from digest.models import Finding

HEAVY_BYTES, HEAVIEST = 200_000, 1_000_000
WIDEST = 1200  # pixels: 600 on a screen of double density
DECODED = 250_000  # pixels that are looked at one by one; a logo has fewer
LOST = 0.6  # of what shows; half of a black arrow with a white outline is black, and it is seen
_NIGHT: Colour = (18, 18, 18)  # what programs make of white
_UNSEEN = 1.6  # contrast under which a shape is lost

DEAD = Rule(
    "image/dead",
    ERROR,
    "Every picture answers (with --online).",
    "Readers see a broken frame in its place.",
    "Put the file back, or take the picture out.",
    "RFC 9110 15.5",
)
HEAVY = Rule(
    "image/heavy",
    WARNING,
    f"No picture has more than {HEAVY_BYTES:,} bytes (with --online).",
    f"Each reader fetches it at each opening, on the road too. Above {HEAVIEST:,} it is an error.",
    "Save it smaller: at most 1,200 pixels wide, as JPEG if it is a photograph.",
    "react-email's and Buttondown's checks",
)
WIDE = Rule(
    "image/wide",
    WARNING,
    f"No picture is wider than {WIDEST:,} pixels (with --online).",
    "A mail is 600 wide: more than twice that is fetched and never seen.",
    f"Save it {WIDEST:,} pixels wide.",
    "Buttondown's check before sending",
)
DARK = Rule(
    "image/dark",
    WARNING,
    "No picture is dark on a transparent ground (with --online).",
    "It is lost where a mail is dark: a black logo on a black page.",
    "Give it a light ground or an outline, or set background-color on the <img>.",
    "guides to dark mode of Litmus and Email on Acid",
)

RULES = (DEAD, HEAVY, WIDE, DARK)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a site gave for the address of a picture."""

    answer: Answer
    size: int = 0  # bytes in all
    data: bytes = b""  # what was read of them


def addresses(proof: Proof) -> list[str]:
    """The pictures of a message, each once."""
    sources = (one.attributes.get("src", "") for _, one in proof.document.named("img"))
    return list(dict.fromkeys(one for one in sources if one.startswith(("http://", "https://"))))


def check_pictures(proof: Proof, pictures: Mapping[str, Picture]) -> Iterator[Finding]:
    """Findings at the `<img>` of each picture that was asked for."""
    for _, element in proof.document.named("img"):
        picture = pictures.get(element.attributes.get("src", ""))
        if picture is None:
            continue
        backed = any("background" in name for name in element.style)
        for rule, message in _judged(picture, backed=backed):
            severity = ERROR if rule is HEAVY and picture.size > HEAVIEST else None
            severity = WARNING if rule is DEAD and picture.answer.status not in GONE else severity
            yield rule.at(*proof.sources.place(element), message, severity=severity)


def _judged(picture: Picture, *, backed: bool) -> Iterator[tuple[Rule, str]]:
    answer = picture.answer
    shown = answer.address.partition("?")[0][:200]
    if answer.private:
        yield DEAD, f"{shown} is in a private network; it was not asked"
    elif answer.problem or answer.status >= 400:
        yield DEAD, f"{shown}: {answer.problem or f'answers {answer.status}'}"
    else:
        if picture.size > HEAVY_BYTES:
            yield HEAVY, f"{shown} has {picture.size:,} bytes"
        if (width := width_of(picture.data)) > WIDEST:
            yield WIDE, f"{shown} is {width:,} pixels wide"
        if not backed and is_dark_on_nothing(picture.data):
            yield DARK, shown


def width_of(data: bytes) -> int:
    """Pixels across, of a PNG, GIF or JPEG; 0 where that cannot be told."""
    if data.startswith(SIGNATURE) and data[12:16] == b"IHDR":
        return int.from_bytes(data[16:20], "big")
    if data[:4] == b"GIF8":
        return int.from_bytes(data[6:8], "little")
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0


def is_dark_on_nothing(data: bytes) -> bool:
    """Whether most of what a PNG shows is lost on a dark page, where a tenth of it lets it through.

    Of small ones; photographs and large ones are left alone.
    """
    found = list(pixels(data, DECODED))
    shown = Counter(rgb for rgb, opaque in found if opaque)
    if not shown or len(found) - shown.total() < len(found) / 10:
        return False
    lost = sum(number for rgb, number in shown.items() if contrast(rgb, _NIGHT) < _UNSEEN)
    return lost > shown.total() * LOST


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
