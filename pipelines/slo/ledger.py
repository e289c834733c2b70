"""Counts of indicators as far as they are known, so that only what is new is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from detector.series import FloatArray
from detector.slo.counts import Counts, Flaw
from detector.slo.objective import Counted
from pipelines.slo.counting import STEP_S, counts_in

__all__ = ["Ledger"]

# What is read beside what is new: a counter that was not there for less than that is not taken for
# one that was born, which would count all that it ever was.
_CONTEXT_S = 6 * 3600.0
# Samples that came later than their time are counted for so long.
_LATE_S = 3600.0


@dataclass(slots=True)
class Ledger:
    """By indicator, so that objectives of one share it; one thread at a time asks."""

    source: object
    _kept: dict[Counted, Counts] = field(default_factory=dict)
    _spans: dict[Counted, float] = field(default_factory=dict)

    def counts(
        self, indicator: Counted, begin: float, end: float, *, timeout_s: float
    ) -> Counts | Flaw:
        """As `counts_in` says it, of which what is over is kept; `InputError`, `SourceError`.

        Where all fell silent what was counted before is still known, and the rest is a gap.
        """
        span = self._spans[indicator] = max(self._spans.get(indicator, 0.0), end - begin)
        kept = self._kept.get(indicator)
        if kept is None or _begin(kept) > begin + STEP_S or end - kept.end > _CONTEXT_S:
            found = counts_in(self.source, indicator, begin, end, timeout_s=timeout_s)
        elif end - kept.end < STEP_S:
            found = kept
        else:
            found = self._further(kept, indicator, end, timeout_s)
        if not isinstance(found, Counts):
            return found
        self._kept[indicator] = found.since(end - span)
        return found.since(begin)

    def forget(self, indicator: Counted) -> None:
        """Nobody asks for it any more, or what is known of it is wrong."""
        self._kept.pop(indicator, None)
        self._spans.pop(indicator, None)

    def _further(
        self, kept: Counts, indicator: Counted, end: float, timeout_s: float
    ) -> Counts | Flaw:
        last = STEP_S * (end // STEP_S)
        begin = max(min(kept.end, last) - _CONTEXT_S, _begin(kept))
        fresh = counts_in(self.source, indicator, begin, end, timeout_s=timeout_s)
        if fresh is Flaw.NO_DATA:
            nothing = np.full(max(round((last - begin) / STEP_S), 0), np.nan)
            fresh = Counts(end=last, step_s=STEP_S, bad=nothing, total=nothing)
        if isinstance(fresh, Flaw):
            return fresh
        return _joined(kept, fresh)


def _begin(counts: Counts) -> float:
    return counts.end - counts.step_s * len(counts.total)


def _joined(kept: Counts, fresh: Counts) -> Counts:
    """What was counted before the last hour as it was, and the rest as it is now."""
    begin, cut = _begin(kept), max(kept.end - _LATE_S, _begin(fresh))
    old = max(round((cut - begin) / STEP_S), 0)
    new = round((cut - _begin(fresh)) / STEP_S)

    def part(before: FloatArray, now: FloatArray) -> FloatArray:
        return np.concatenate([before[:old], now[new:]])

    return Counts(
        end=fresh.end,
        step_s=STEP_S,
        bad=part(kept.bad, fresh.bad),
        total=part(kept.total, fresh.total),
    )
