"""What `serinus serve` reads from its metric source and a Loki, and what `/metrics` says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from api.meters import Count, Level, Meters

if TYPE_CHECKING:
    from api.settings import Settings
    from pipelines.flows.pulling import Pulling
    from pipelines.ingest.doors import Doors
    from pipelines.ingest.log_doors import LogDoors
    from pipelines.sources.open import Source

__all__ = ["open_line_pulling", "open_pulling", "show_line_pulling", "show_pulling"]


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


def open_line_pulling(settings: Settings, doors: LogDoors) -> Pulling:
    """What is pulled from a Loki by the settings."""
    from pipelines.flows.pulling import Pulling
    from pipelines.ingest.log_pull import LogPull, LogPulls
    from pipelines.sources.loki import Loki

    own = settings.logs.loki
    loki = Loki(own.native())
    pulls = [
        LogPull(
            loki,
            doors,
            selector,
            first_s=own.first_s,
            settle_s=own.settle_s,
            tenant=own.tenant,
            page_lines=own.page_lines,
        )
        for selector in own.selectors
    ]
    steps = LogPulls(pulls)
    return Pulling(steps, every_s=own.interval_s, timeout_s=own.timeout_s, closing=loki.close)


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


def show_line_pulling(registry: CollectorRegistry, pulling: Pulling) -> None:
    """Put how the reading of lines goes into `/metrics`."""
    meters = pulling.meters
    left = "Moments of which lines were left out: more in one nanosecond than a page holds."
    shown = (
        Count("pages", "Pages whose lines were taken.", lambda: meters.readings),
        Count("lines", "Lines of them.", lambda: meters.samples),
        Count("failures", "Pages of which nothing was taken.", lambda: meters.failures),
        Count("doubtful", left, lambda: pulling.doubtful),
        Level("read_to_seconds", "Up to when all was read.", lambda: meters.read_to),
        Level("is_failing", "1 where the last page failed.", lambda: bool(meters.failing)),
    )
    registry.register(Meters("loki", shown))
