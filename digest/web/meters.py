"""What this process counts and times, in a registry of its own."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector

from digest import __version__

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600)


@dataclass(frozen=True, slots=True)
class Meters:
    """What happened since the process began. Any thread may note."""

    registry: CollectorRegistry
    batches: Histogram
    answered: Counter

    @classmethod
    def made(cls) -> "Meters":
        """With nothing noted yet."""
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("digest_build", "Which digest runs.", registry=registry).info({"version": __version__})
        return cls(
            registry,
            Histogram(
                "digest_batch_seconds",
                "From handing a batch to the provider to its last answer, in this process.",
                ["provider"],
                buckets=_SECONDS,
                registry=registry,
            ),
            Counter(
                "digest_batch_deliveries",
                "Deliveries of those batches, whatever was answered.",
                ["provider"],
                registry=registry,
            ),
        )

    def batch(self, provider: str, deliveries: int, seconds: float) -> None:
        """Note one that was answered."""
        self.batches.labels(provider).observe(seconds)
        self.answered.labels(provider).inc(deliveries)
