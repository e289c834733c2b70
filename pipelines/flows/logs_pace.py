"""How fast time goes for lines and spans: as in life, or faster, where a demo plays it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from detector.spans.settings import SpanSettings
from pipelines.stores.own import STEP_MS

__all__ = ["LIFE", "Pace"]

# The state is a part of every checkpoint: room for some thousand spans a second.
_SPANS = SpanSettings(seen=300_000, waiting=60_000, recent=60_000)
# What a batch takes on its way does not shrink with the rest.
_LEAST_SETTLE_S, _LEAST_WINDOW_S, _LEAST_FLUSH_S = 1.0, 60.0, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Counters of our own stand at something every `step_ms`, one `live_ms` after it was heard of.

    What came is written every `flush_s`, where writes take long after `put_off_s` at the latest;
    what time it is is told every `tick_s`.
    """

    step_ms: int = STEP_MS
    live_ms: int = 300_000
    flush_s: float = 1.0
    put_off_s: float = 5.0
    tick_s: float = 1.0
    spans: SpanSettings = _SPANS

    def faster(self, times: float) -> Pace:
        """Where one second counts as so many."""
        own = self.spans
        return Pace(
            step_ms=round(self.step_ms / times),
            live_ms=round(self.live_ms / times),
            flush_s=max(self.flush_s / times, _LEAST_FLUSH_S),
            put_off_s=max(self.put_off_s / times, _LEAST_FLUSH_S),
            tick_s=max(self.tick_s / times, _LEAST_FLUSH_S),
            spans=replace(
                own,
                settle_s=max(own.settle_s / times, _LEAST_SETTLE_S),
                window_s=max(own.window_s / times, _LEAST_WINDOW_S),
                by_lot=round(own.by_lot * times),
                slowest=round(own.slowest * times),
                failed=round(own.failed * times),
            ),
        )


LIFE = Pace()
