"""`/metrics` for Prometheus: how things stand in the store, and what this process did.

Numbers only, and still nobody's business but the operator's: this machine, the networks that
`web.metrics` names, or whoever knows DIGEST_METRICS_TOKEN.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import ip_address

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from digest.config import optional_secret
from digest.config.web import Network
from digest.errors import StoreError
from digest.scheduler import Survey, survey
from digest.web.site import Site
from digest.web.visits import Visit, route

_FRESH = 5.0  # seconds; and twenty times as long as it took, so that watching costs 5 % at most
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


def routes(site: Site) -> list[BaseRoute]:
    """ConfigError when the token's file cannot be read."""
    token = optional_secret("METRICS_TOKEN")
    store = StoreNumbers(lambda: survey(site.config, site.store, site.now()), site)
    everything = _Everything(site.meters.registry, store)

    def metrics(visit: Visit) -> Response:
        if not _may_read(visit, token.value if token else ""):
            return PlainTextResponse("not for you\n", status_code=403)
        encode, kind = choose_encoder(visit.request.headers.get("accept", ""))
        return Response(encode(everything), media_type=kind)

    return [route(site, "/metrics", metrics)]


def _may_read(visit: Visit, token: str) -> bool:
    given = visit.request.headers.get("authorization", "")
    if token and compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    request, web = visit.request, visit.site.config.web
    peer = request.client.host if request.client else ""
    if not _within(peer, web.trusted_proxies):
        # behind a proxy that nobody told us of, every stranger comes from this machine
        through = any(name in request.headers for name in _FORWARDED)
        public = (request.url.hostname or "") == visit.site.host
        if through or (public and not _within(visit.site.host, web.metrics)):
            return False
    return _within(request.scope["digest.asker"], web.metrics)


def _within(address: str, networks: Iterable[Network]) -> bool:
    try:
        place = ip_address(address)
    except ValueError:
        return False
    return any(place in network for network in networks)


@dataclass(frozen=True, slots=True)
class _Everything:
    """What an encoder asks for metrics, as it asks a registry."""

    process: CollectorRegistry
    store: "StoreNumbers"

    def collect(self) -> Iterator[Metric]:
        yield from self.process.collect()
        yield from self.store.collect()


class StoreNumbers:
    """The store's numbers, looked up when somebody asks and the last ones are old."""

    def __init__(
        self, look: Callable[[], Survey], site: Site, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look, self._site, self._clock = look, site, clock
        self._lock = threading.Lock()
        self._known: tuple[Survey | None, float] = (None, 0.0)  # and the seconds it took
        self._until = float("-inf")

    def collect(self) -> Iterator[Metric]:
        found, took = self._surveyed()
        yield _gauge("digest_store_up", "1 when the database answered.", found is not None)
        yield _gauge("digest_store_seconds", "What the last look at the database took.", took)
        pulse = self._site.pulse
        if pulse is not None and pulse.last is not None:
            text = "When the schedule of this process last did anything."
            last = pulse.last.timestamp()
            yield _gauge("digest_schedule_last_tick_timestamp_seconds", text, last)
        if found is not None:
            yield from _of_store(found)

    def _surveyed(self) -> tuple[Survey | None, float]:
        with self._lock:  # the second to ask waits for the answer to the first
            began = self._clock()
            if began >= self._until:
                try:
                    found = self._look()
                except StoreError:
                    found = None
                took = self._clock() - began
                self._known = (found, took)
                self._until = began + took + max(_FRESH, 20 * took)
            return self._known


def _of_store(found: Survey) -> Iterable[Metric]:
    deliveries = GaugeMetricFamily(
        "digest_deliveries",
        "Deliveries of the issues that are not over and of each cadence's last one.",
        labels=["provider", "state"],
    )
    counted: dict[tuple[str, str], int] = {}
    for one in found.issues:
        for state, number in one.progress.states.items():
            label = (one.issue.provider, state.value)
            counted[label] = counted.get(label, 0) + number
    for label, number in counted.items():
        deliveries.add_metric(label, number)
    yield deliveries
    yield _counts(
        "digest_issues",
        "Those issues by state.",
        "state",
        [(one.issue.state.value, 1) for one in found.issues],
    )
    yield _counts(
        "digest_schedule_lag_seconds",
        "Since when an issue should be out that is not.",
        "cadence",
        [(one.cadence.value, one.behind.total_seconds()) for one in found.rhythms],
    )
    yield _gauge("digest_senders", "Senders with deliveries in hand.", found.senders)
    every = "Addresses that are never mailed."
    yield _counts("digest_suppressions", every, "reason", found.suppressions.items())
    yield _counts("digest_subscribers", "Subscribers.", "state", found.subscribers.items())


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _counts(name: str, text: str, label: str, counts: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    sums: dict[str, float] = {}
    for value, number in counts:
        sums[value] = sums.get(value, 0) + number
    for value, number in sums.items():
        family.add_metric([value], number)
    return family
