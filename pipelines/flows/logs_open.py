"""Lines and spans beside an open stream: all that takes them, and what is kept of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from numpy.typing import NDArray

from detector.errors import StoreError
from pipelines.flows.logs import LogFlow, LogLimits
from pipelines.flows.logs_mined import LineMiner
from pipelines.flows.logs_pace import LIFE, Pace
from pipelines.flows.logs_taking import Taking
from pipelines.flows.spans import SpanFlow
from pipelines.flows.stream import Stream
from pipelines.stores.connections import Connections
from pipelines.stores.joined_lines import JoinedOwn, JoinedTemplates
from pipelines.stores.own import SqlOwn
from pipelines.stores.templates import SqlTemplates

if TYPE_CHECKING:
    from detector.spans.opposed import Versions
    from detector.spans.shift import Arms, Measure, TimeShift
    from detector.spans.topology import Graph

__all__ = ["LogBounds", "OpenLogs", "miner_of", "open_logs"]

_HOUR_MS = 3_600_000
_FEW = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBounds:
    """Of each tenant, and how long what is kept: counters in hours, templates in days."""

    templates: int = 100_000
    counters: int = 20_000
    rates: int = 5_000
    behind_s: float = 3_600.0
    keep_hours: float = 48.0
    keep_days: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLogs:
    """What takes lines and spans; `close` before the stream."""

    lines: LogFlow
    spans: SpanFlow
    graph: Callable[[str, str | None], Graph | None]
    shifts: Callable[[str, Arms, Measure], tuple[TimeShift, ...] | None]
    versions: Callable[[str, str], Versions | None]
    taking: Taking
    templates: SqlTemplates | JoinedTemplates
    own: SqlOwn | JoinedOwn
    bounds: LogBounds
    close: Callable[[], None]

    def forget(self, now: float) -> int:
        """Delete what is old at a time (unix seconds); how many templates."""
        at = round(1000 * now)
        frames = at - round(_HOUR_MS * self.bounds.keep_hours)
        self.own.prune(frames_before=frames, series_before=frames - 24 * _HOUR_MS)
        gone = self.templates.prune(at - round(24 * _HOUR_MS * self.bounds.keep_days))
        for tenant in self.lines.miners:
            # New ones find room again where there was none left.
            gone += self.templates.shrink(tenant, most=self.bounds.templates // 2)
            self.lines.forget(tenant)
        return gone


def open_logs(
    stream: Stream,
    database: Connections,
    part: str,
    bounds: LogBounds,
    clock: Callable[[], float] = time.time,
    *,
    pace: Pace = LIFE,
) -> OpenLogs:
    """Take lines and spans into a stream, on the database that it keeps its part in.

    `pace` is that of the stream's part.
    """
    from detector.logs.redaction import redacted

    taking = Taking(
        stream,
        database,
        part,
        counters=bounds.counters,
        rates=bounds.rates,
        clock=clock,
        step_ms=pace.step_ms,
    )
    templates = SqlTemplates(database)
    lines = LogFlow(
        taking,
        partial(miner_of, bounds.templates),
        known=partial(templates.known, part),
        redact=redacted,
        kept=stream.part.held_beside,
        limits=LogLimits(templates=bounds.templates, behind_s=bounds.behind_s),
    )
    stream.part.beside = lines.arrays
    ticking = _Ticking(taking, pace.tick_s)
    return OpenLogs(
        lines=lines,
        spans=SpanFlow(taking),
        graph=stream.graph,
        shifts=stream.shifts,
        versions=stream.versions,
        taking=taking,
        templates=templates,
        own=SqlOwn(database),
        bounds=bounds,
        close=ticking.close,
    )


def miner_of(most: int, arrays: Mapping[str, NDArray[Any]] | None) -> LineMiner:
    """A tenant's miner; it is loaded, and compiled, for who has lines."""
    from models.templates.miner import Miner, Settings

    settings = Settings(templates=most)
    if not arrays:
        return Miner(settings)
    try:
        return Miner.from_arrays(arrays, settings)
    except ValueError as error:
        # Of another version: what it knew comes again with the next lines.
        structlog.get_logger("serinus.logs").warning("templates are learned anew", why=str(error))
        return Miner(settings)


def _warm() -> None:
    """Load what lines are read with: where some came before, the next ones do not wait for it."""
    miner_of(_FEW, None).add(np.frombuffer(b"ab", np.uint8), np.array([1, 2], np.int64))


class _Ticking:
    """Tells the stream what time it is, until it is closed."""

    def __init__(self, taking: Taking, every_s: float) -> None:
        self._taking, self._every, self._stopped = taking, every_s, threading.Event()
        self._thread = threading.Thread(target=self._run, name="log clock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        if self._taking.tenants:
            _warm()
        log = structlog.get_logger("serinus.logs")
        while not self._stopped.wait(self._every):
            try:
                self._taking.tick()
            except StoreError as error:
                # The stream says itself why it takes nothing.
                log.debug("time is not told", error=str(error))
