"""Metrics that `serinus serve` reads from its metric source, and what `/metrics` says of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from api.meters import Count, Level, Meters

if TYPE_CHECKING:
    from api.settings import Settings
    from pipelines.flows.pulling import Pulling
    from pipelines.ingest.doors import Doors
    from pipelines.sources.open import Source

__all__ = ["open_pulling", "show_pulling"]


def open_pulling(settings: Settings, source: Source, doors: Doors) -> Pulling:
    """What is pulled by the settings. The source is its own: no verdict waits for its answers."""
    from pipelines.flows.pulling import Pulling
    from pipelines.ingest.pull import Pull

    own = settings.stream.pull
    pull = Pull(
        source,
        source,
        doors,
        own.native(),
        first_s=own.first_s,
        settle_s=own.settle_s,
        tenant=own.tenant,
    )
    closing = getattr(source, "close", lambda: None)
    return Pulling(pull, every_s=own.interval_s, timeout_s=own.timeout_s, closing=closing)


def show_pulling(registry: CollectorRegistry, pulling: Pulling) -> None:
    """Put how it goes into `/metrics`."""
    meters = pulling.meters
    shown = (
        Count("readings", "Readings whose samples were taken.", lambda: meters.readings),
        Count("samples", "Samples of them.", lambda: meters.samples),
        Count("failures", "Readings of which nothing was taken.", lambda: meters.failures),
        Count("doubtful", "Answers from which series may be missing.", lambda: pulling.doubtful),
        Level("read_to_seconds", "Up to when all was read.", lambda: meters.read_to),
        Level("is_failing", "1 where the last reading failed.", lambda: bool(meters.failing)),
    )
    registry.register(Meters("pull", shown))
