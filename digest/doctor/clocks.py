"""Whether a clock agrees with ours: due moments, expiring links and signed events go by it."""

from datetime import datetime, timedelta

from digest.doctor.results import Id, Result, failure, ok, warning

_NOTICED = timedelta(seconds=5)  # a Date header has whole seconds, and an answer takes its time
_TOO_FAR = timedelta(minutes=2)
_FIX = "set both clocks by NTP (timedatectl set-ntp true)"


def clock_result(name: Id, whose: str, clock: datetime, now: datetime) -> Result:
    """`clock` and `now` were read at the same time, as far as that goes."""
    apart = abs(clock - now)
    if apart <= _NOTICED:
        return ok(name, f"{whose} agrees with ours")
    way = "ahead of" if clock > now else "behind"
    seen = f"{whose} is {apart.total_seconds():,.0f} s {way} ours"
    return (failure if apart > _TOO_FAR else warning)(name, seen, _FIX)
