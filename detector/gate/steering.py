"""What a controller's own gauge says of the canary's weight: its changes, and words for them.

The gauge may come more than once (two Prometheus, a controller that moved to another pod): a
weight counts when every series that reported lately shows it. So replicas whose clocks differ,
and a series that was left behind, hold a step back and never make one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from detector.gate.attempt import Weight
from detector.selector import format_query
from detector.series import Answer, FloatArray, Query, Series

__all__ = ["read_weights", "with_read", "without_read", "words"]

# Two and a half scrapes of a minute, the longest interval that is usual.
_LATELY_S = 150.0
_MOST = 100.0
Samples = tuple[FloatArray, FloatArray]


def read_weights(
    answer: Answer, last: float | None, *, since: float, until: float, time_scale: float = 1.0
) -> tuple[Weight, ...]:
    """The weights that differ from the one before, `since < at <= until`, oldest first.

    `last` is the newest known one; where it is None the first is looked for from `since` on.
    Times are those of the samples, unix seconds. What is no per cent (NaN, below 0, above 100) is
    no sample. The answer reaches 150 s (times `time_scale`) further back than `since`.
    """
    gauges = [_usable(series) for series in answer.series]
    found: list[Weight] = []
    for at in _moments(gauges, since, until, with_first=last is None):
        weight = _agreed(gauges, at, at - _LATELY_S * time_scale)
        if weight is not None and weight != last:
            found.append(Weight(at=at, weight=weight, is_read=True))
            last = weight
    return tuple(found)


def _usable(series: Series) -> Samples:
    with np.errstate(invalid="ignore"):
        usable = (series.values >= 0.0) & (series.values <= _MOST)
    return series.times[usable], series.values[usable]


def _moments(
    gauges: Sequence[Samples], since: float, until: float, *, with_first: bool
) -> Iterator[float]:
    """Times of samples, each once; before them `since` itself where nothing is known yet."""
    if with_first and since <= until:
        yield since
    every = np.unique(np.concatenate([times for times, _ in gauges] or [np.zeros(0)]))
    yield from every[(every > since) & (every <= until)].tolist()


def _agreed(gauges: Sequence[Samples], at: float, lately: float) -> float | None:
    """What all gauges show that have a sample after `lately`, None where they differ."""
    shown: set[float] = set()
    for times, values in gauges:
        newest = int(times.searchsorted(at, side="right")) - 1
        if newest >= 0 and times[newest] > lately:
            shown.add(float(values[newest]))
    return shown.pop() if len(shown) == 1 else None


def with_read(weights: Sequence[Weight], read: Sequence[Weight]) -> tuple[Weight, ...]:
    """The weights of an attempt with those that were read since; none comes twice."""
    newest = weights[-1].at if weights else -np.inf
    return (*weights, *(weight for weight in read if weight.at > newest))


def without_read(weights: Sequence[Weight]) -> tuple[Weight, ...]:
    """The weights that whoever asks told himself."""
    return tuple(weight for weight in weights if not weight.is_read)


def words(gauge: Query, weight: Weight) -> str:
    """Where a weight comes from, as a note of the verdict."""
    since = datetime.fromtimestamp(weight.at, UTC).strftime("%H:%M:%S")
    return (
        f"No weight was sent; the controller's own {format_query(gauge)} shows {weight.weight:g} %"
        f" since {since} UTC."
    )
