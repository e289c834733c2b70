"""One series out of its range: from the first abnormal sample until it is calm again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from detector.stream.anomaly import Contribution, Side
from detector.stream.settings import StreamSettings

__all__ = ["EXCESS_MAX", "Excursion", "Sample"]

# A series that never moved has a range without a width.
EXCESS_MAX = 99.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One judged sample of a series, at unix milliseconds; on which side it is odd, if it is."""

    series: int
    at: int
    value: float
    expected: float
    low: float
    high: float
    surprise: float
    p_value: float
    side: Side

    @property
    def excess(self) -> float:
        """How many widths of its range the value lies outside of it, at most `EXCESS_MAX`."""
        beyond = max(self.value - self.high, self.low - self.value, 0.0)
        width = self.high - self.low
        if beyond == 0.0:
            return 0.0
        if not width > 0.0 or not math.isfinite(beyond):
            return EXCESS_MAX
        return min(beyond / width, EXCESS_MAX)


@dataclass(slots=True, kw_only=True)
class Excursion:
    """The running state of one; times in unix milliseconds.

    `last` is the newest abnormal sample, `seen` the newest of any kind, `calm` how many of those
    since `last` were calm or odd on the other side. `is_excused`: a person said that it is normal,
    and nobody hears of it.
    """

    side: Side
    start: int
    last: int
    seen: int
    peak: Sample
    calm: int = 0
    is_excused: bool = False

    def take(self, sample: Sample, settings: StreamSettings) -> bool:
        """One more sample; whether the excursion is over with it."""
        self.seen = max(self.seen, sample.at)
        if sample.side is self.side and sample.p_value <= settings.calm_p:
            self.last, self.calm = max(self.last, sample.at), 0
            if is_worse(sample, self.peak):
                self.peak = sample
            return False
        self.calm += 1
        rested = sample.at - self.last >= settings.calm_s * 1000
        return rested and self.calm >= settings.calm_samples

    def contribution(self, *, end: int | None = None) -> Contribution:
        """What it adds to its anomaly so far, or for good with its `end`."""
        peak = self.peak
        return Contribution(
            series=peak.series,
            start=self.start,
            peak_at=peak.at,
            end=end,
            value=peak.value,
            expected=peak.expected,
            low=peak.low,
            high=peak.high,
            surprise=peak.surprise,
            excess=peak.excess,
        )


def is_worse(sample: Sample, than: Sample) -> bool:
    """Whether a sample lies further outside; of equals the first stays the peak."""
    return (sample.excess, sample.surprise) > (than.excess, than.surprise)


def begun(sample: Sample) -> Excursion:
    """The excursion that a sample begins."""
    return Excursion(side=sample.side, start=sample.at, last=sample.at, seen=sample.at, peak=sample)
