"""What people say of anomalies changes how much surprise the series need to alarm again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from detector.stream.anomaly import Happened, Judged
from detector.stream.closing import excused
from detector.stream.columns import SeriesInfo
from detector.stream.state import StreamState

__all__ = ["Feedback", "Tuning", "still_meant", "told", "tuning_of"]

# Decades of the p-value. One "normal" makes an alarm ten times rarer, or keeps this one from coming
# again, whichever is more, and never more than _STEP; one "real" makes it three times as easy.
_NORMAL, _STEP, _REAL, _BEYOND = 1.0, 2.0, -0.5, 0.3
MOST, LEAST = 6.0, -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a person said at `at` (unix ms); `surprise` is that of each series at its peak.

    `named`: what each of the series was in the anomaly; another may have its id since.
    """

    anomaly: str
    judged: Judged
    at: int
    series: tuple[int, ...]
    surprise: tuple[float, ...]
    person: str = ""
    note: str = ""
    named: tuple[SeriesInfo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What feedback made of a series: `shift` decades of surprise more than its share asks for."""

    series: int
    shift: float
    normal: int
    real: int


def still_meant(feedback: Feedback, named: Callable[[int], SeriesInfo | None]) -> Feedback:
    """What it says of series that are what they were; `named` tells what an id is now."""
    if not feedback.named:
        return feedback
    rows = zip(feedback.series, feedback.surprise, feedback.named, strict=True)
    kept = [row for row in rows if named(row[0]) == row[2]]
    return replace(
        feedback,
        series=tuple(series for series, _, _ in kept),
        surprise=tuple(surprise for _, surprise, _ in kept),
        named=tuple(info for _, _, info in kept),
    )


def told(
    state: StreamState, feedback: Feedback
) -> tuple[StreamState, tuple[Happened, ...], tuple[Tuning, ...]]:
    """The state after feedback, what happened, and what the series need since."""
    happened: Iterator[Happened] = iter(())
    for series, surprise in zip(feedback.series, feedback.surprise, strict=True):
        if 0 <= series < state.tracks.size:
            _shift(state, feedback.judged, series, surprise)
    if feedback.judged is Judged.NORMAL:
        happened = excused(state, feedback.anomaly, feedback.at)
    closed = tuple(happened)
    state.share()
    known = (series for series in feedback.series if 0 <= series < state.tracks.size)
    return state, closed, tuple(tuning_of(state, series) for series in known)


def _shift(state: StreamState, judged: Judged, series: int, surprise: float) -> None:
    arrays = state.tracks
    held, needed = float(arrays["shift"][series]), float(arrays.needed(series))
    if judged is Judged.NORMAL:
        step = min(max(_NORMAL, surprise - needed + _BEYOND), _STEP)
        arrays["normal"][series] += 1
    else:
        step = _REAL
        arrays["real"][series] += 1
    arrays["shift"][series] = min(max(held + step, LEAST), MOST)


def tuning_of(state: StreamState, series: int) -> Tuning:
    """What feedback made of a series so far."""
    arrays = state.tracks
    return Tuning(
        series=series,
        shift=round(float(arrays["shift"][series]), 3),
        normal=int(arrays["normal"][series]),
        real=int(arrays["real"][series]),
    )
