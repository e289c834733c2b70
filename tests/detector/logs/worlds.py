"""Logs that are written down: which template had how many lines in which bin, and what followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from detector.logs.counted import LogCounts, Template
from detector.logs.lines import Level, Origin
from detector.logs.operator import step
from detector.logs.settings import LogSettings
from detector.logs.snapshot import restored, taken
from detector.logs.state import LogState
from detector.stream.anomaly import Happened
from detector.stream.scoring import Arrays
from detector.stream.suppression import Window

__all__ = [
    "BIN",
    "DAY",
    "HOUR",
    "MINUTE",
    "T0",
    "Line",
    "again",
    "counts_of",
    "learned",
    "run",
    "usual",
]

BIN, MINUTE, HOUR, DAY = 15_000, 60_000, 3_600_000, 86_400_000
T0 = 1_790_000_000_000 - 1_790_000_000_000 % DAY


@dataclass(frozen=True, slots=True)
class Line:
    """Lines of one template; `at` in milliseconds after T0."""

    at: int
    text: str = "order placed"
    count: int = 1
    level: Level = Level.INFO
    service: str = "checkout"
    version: str = "v1"
    sample: str = ""


def counts_of(lines: Sequence[Line]) -> LogCounts:
    """As the flow counts them."""
    texts, origins = list({one.text: one for one in lines}), list({_origin(one) for one in lines})
    origins.sort(key=lambda one: (one.service, one.version))
    samples = {one.text: one.sample or one.text for one in lines}
    return LogCounts(
        step_ms=BIN,
        at=np.array([T0 + one.at - one.at % BIN for one in lines], np.int64),
        template=np.array([texts.index(one.text) for one in lines], np.int32),
        origin=np.array([origins.index(_origin(one)) for one in lines], np.int32),
        level=np.array([one.level for one in lines], np.uint8),
        count=np.array([one.count for one in lines], np.int64),
        templates=tuple(Template(id=f"lt_{one}", text=one, sample=samples[one]) for one in texts),
        origins=tuple(origins),
    )


def _origin(line: Line) -> Origin:
    return Origin(service=line.service, namespace="shop", version=line.version)


def run(state: LogState, lines: Iterable[Line]) -> list[Happened]:
    """What happened on lines that come a minute at a time."""
    batches: dict[int, list[Line]] = {}
    for one in lines:
        batches.setdefault(one.at // MINUTE, []).append(one)
    happened: list[Happened] = []
    for minute in sorted(batches):
        happened += step(state, counts_of(batches[minute]))[1]
    return happened


def learned(
    *,
    services: tuple[str, ...] = ("checkout",),
    windows: Sequence[Window] = (),
    settings: LogSettings | None = None,
) -> LogState:
    """Services that placed an order each minute, and had a heartbeat, for a day and an hour."""
    own = settings or LogSettings()
    return restored(_learned(services, own), tenant="t", settings=own, windows=windows)


@lru_cache(maxsize=16)
def _learned(services: tuple[str, ...], settings: LogSettings) -> Arrays:
    state = LogState(tenant="t", settings=settings)
    run(state, usual(0, DAY + HOUR, services=services))
    return taken(state)


def usual(
    start: int, stop: int, *, services: Sequence[str] = ("checkout",), beat: int = MINUTE
) -> list[Line]:
    """Orders of each minute and heartbeats, without a heartbeat for `beat` 0."""
    found = [Line(at, service=name) for name in services for at in range(start, stop, MINUTE)]
    if beat:
        found += [
            replace(Line(at, "heartbeat sent"), service=name)
            for name in services
            for at in range(start, stop, beat)
        ]
    return found


def again(state: LogState, arrays: Arrays) -> LogState:
    """The state after a restart."""
    return restored(arrays, tenant=state.tenant, settings=state.settings, windows=state.windows)
