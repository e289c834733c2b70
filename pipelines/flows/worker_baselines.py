"""What workers counted, as what the gate asks of the past: read from their checkpoints."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from detector.errors import SerinusError
from detector.gate.course import Streamed, untold
from detector.signals.plan import Plan
from detector.stream.answering import streamed
from detector.stream.counting import Counting
from detector.stream.merging import PartTold, merged
from detector.stream.tallies import Tallies, cells_of, is_counted_alike, restored_tallies
from pipelines.stores.part_counts import SqlPartCounts
from pipelines.stores.worker_parts import PartProgress

if TYPE_CHECKING:
    from pipelines.ingest.interning import Interner

__all__ = ["WorkerBaselines"]

# A checkpoint is written each minute: an older one is of a worker that is away.
_OLD_S = 900.0
# What is read for one question at most: a million series and 20,000 sums are half of it.
_MOST_BYTES, _MOST_PARTS = 2**28, 8
_HELD = 4
_MOST_SERIES = 2**31 - 1


class WorkerBaselines:
    """`Baselines`; safe for threads. What was read last is held until its worker writes anew."""

    def __init__(
        self, counts: SqlPartCounts, counting: Counting, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._counts, self._counting, self._clock = counts, counting, clock
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], tuple[float, Tallies, Interner]] = OrderedDict()

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """What they know; what goes wrong is a reason, and the gate looks for itself."""
        try:
            with self._lock:
                return self._told(tenant, plan, until)
        except SerinusError as error:
            return untold(plan, f"what workers counted cannot be read: {error}")
        except Exception as error:  # noqa: BLE001 - nothing in a stream may stop a verdict
            return untold(plan, f"an error of serinus itself: {error!r}")

    def _told(self, tenant: str, plan: Plan, until: float) -> Streamed:
        every = [(part, self._has(part, tenant, plan)) for part in self._counts.parts()]
        own = [(part, metrics) for part, metrics in every if metrics]
        if len(own) > _MOST_PARTS:
            return untold(plan, f"workers have it in {len(own)} partitions, which is too many")
        parts = [self._part(part, tenant, plan, until, metrics) for part, metrics in own]
        return merged(plan, parts, missing="workers have")

    def _has(self, progress: PartProgress, tenant: str, plan: Plan) -> frozenset[str]:
        """The metrics of the service that a part counts."""
        arrays = self._counts.cells(progress.part, tenant)
        cells = cells_of(arrays) if arrays else ()
        return frozenset(one.metric for one in cells if one.service == plan.service)

    def _part(
        self,
        progress: PartProgress,
        tenant: str,
        plan: Plan,
        until: float,
        metrics: frozenset[str],
    ) -> PartTold:
        age = self._clock() - (progress.wrote_at or 0.0)
        if age > _OLD_S:
            why = f"what the worker of {progress.part} kept is {age / 60:.0f} minutes old"
            return PartTold(metrics=metrics, why=why)
        held = self._read(progress, tenant)
        if held is None:
            why = f"{progress.part} has more series than are read for a verdict"
            return PartTold(metrics=metrics, why=why)
        tallies, names = held
        return PartTold(metrics=metrics, told=streamed(tallies, names, plan, until=until))

    def _read(self, progress: PartProgress, tenant: str) -> tuple[Tallies, Interner] | None:
        key, wrote_at = (progress.part, tenant), progress.wrote_at or 0.0
        found = self._held.get(key)
        if found is None or found[0] != wrote_at:
            if self._counts.size(*key) > _MOST_BYTES:
                return None
            self._held.pop(key, None)
            found = self._held[key] = (wrote_at, *self._restored(*key))
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return found[1], found[2]

    def _restored(self, part: str, tenant: str) -> tuple[Tallies, Interner]:
        # Its compiler is loaded for who has samples.
        from pipelines.ingest.interning import Interner

        arrays = self._counts.counted(part, tenant)
        names = Interner.of_arrays(arrays, limit=_MOST_SERIES)
        counting = self._counting
        ids = [] if is_counted_alike(arrays, counting) else names.of_metrics(counting.metrics)
        series = [names[id] for id in ids]
        return restored_tallies(arrays, series, ids, counting=counting, most=_MOST_SERIES), names
