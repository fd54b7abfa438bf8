"""How often somebody may ask for what costs a mail or a rendering.

Counted in this process (`limits`, moving windows): several processes allow as many times more. A
network is a /24 or a /64, because one machine of today has a whole /64 to itself.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException

RETRY_SECONDS = "600"


class Restraint:
    """The limits of one site."""

    def __init__(self, mails_an_hour: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._mails = _limits(RateLimitItemPerHour, 10, 40, mails_an_hour)
        self._renderings = _limits(RateLimitItemPerMinute, 20, 60, 240)

    def mail(self, asker: str) -> None:
        """Something that may mail somebody. HTTPException 429 when it is too much."""
        self._take("mail", self._mails, asker)

    def rendering(self, asker: str) -> None:
        """Something that takes the processor. HTTPException 429 when it is too much."""
        self._take("rendering", self._renderings, asker)

    def _take(self, what: str, limits: tuple[RateLimitItem, ...], asker: str) -> None:
        """All three or none: who is refused for one reason uses up nothing of another."""
        names = [(what, scope) for scope in (asker, network(asker), "all")]
        pairs = list(zip(limits, names, strict=True))
        if not all(self._limiter.test(limit, *name) for limit, name in pairs):
            raise HTTPException(429, headers={"Retry-After": RETRY_SECONDS})
        for limit, name in pairs:
            self._limiter.hit(limit, *name)


def network(address: str) -> str:
    """`203.0.113.0/24` of an address; the address itself when it is none."""
    try:
        place = ip_address(address)
    except ValueError:
        return address
    if isinstance(place, IPv6Address) and place.ipv4_mapped:
        place = place.ipv4_mapped
    return str(ip_network((place, 24 if place.version == 4 else 64), strict=False))


def _limits(kind: type[RateLimitItem], *numbers: int) -> tuple[RateLimitItem, ...]:
    """For one address, for its network, for everybody."""
    return tuple(kind(number) for number in numbers)
