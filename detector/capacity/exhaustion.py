"""When the limit is reached: first passages of futures, or since when it is already."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from detector.capacity.assessed import Exhaustion
from detector.capacity.days import LASTING_H, REACHED_ONCE, Days
from detector.capacity.resource import Kind, Limit
from detector.series import FloatArray
from models.baseline.calendar import DAY_MS
from models.growth.passage import by_share, passages

__all__ = ["AGAIN", "MEANS", "exhausted", "exhausted_since", "first_passages"]

Ints = NDArray[np.int64]
# Where once is not enough, another day must follow within so many.
AGAIN = 6
MEANS: Mapping[bool, str] = {
    True: "usage reaches the limit for the first time",
    False: f"usage is at the limit for {LASTING_H} hours of a day, on two days of seven",
}


def exhausted(
    paths: FloatArray,
    bound: FloatArray,
    days: Days,
    *,
    kind: Kind,
    as_of: int,
    horizon_s: int,
    since: int | None,
) -> Exhaustion:
    """What futures of the days to come (count, H) say of a limit (H,), within the horizon."""
    means = MEANS[kind in REACHED_ONCE]
    if since is not None:
        return Exhaustion(chance=1.0, p10=since, p50=since, p90=since, since=since, means=means)
    found = first_passages(paths, bound, days.last, kind)
    times = np.maximum(days.end_ms + DAY_MS * found, as_of)
    until = as_of + 1000 * horizon_s
    p10, p50, p90 = (_moment(by_share(times, share), until) for share in (0.1, 0.5, 0.9))
    chance = float((times <= until).mean())
    return Exhaustion(chance=chance, p10=p10, p50=p50, p90=p90, means=means)


def first_passages(paths: FloatArray, bound: FloatArray, last: float, kind: Kind) -> FloatArray:
    """In days from the last one on: (count,), inf where not within the paths."""
    return passages(paths, bound, last, again=0 if kind in REACHED_ONCE else AGAIN)


def _moment(at: float, until: int) -> int | None:
    return int(at) if at <= until else None


def exhausted_since(days: Days, limit: Limit, kind: Kind) -> int | None:
    """Since when the limit is reached (unix ms), None where it is not now.

    A limit that is reached once stays reached as long as the last value is at it; for other kinds
    two of the last seven days are.
    """
    starts = days.start_ms + DAY_MS * np.arange(len(days.worst), dtype=np.int64)
    bound = np.array([limit.at(int(start) + DAY_MS - 1) for start in starts])
    full = days.worst >= bound
    if kind in REACHED_ONCE:
        if not days.last >= limit.at(days.end_ms - 1):
            return None
        return _run_start(full, starts, days.end_ms, patience=1)
    if full[-AGAIN - 1 :].sum() < 2:
        return None
    return _run_start(full, starts, days.end_ms, patience=AGAIN)


def _run_start(full: NDArray[np.bool_], starts: Ints, end_ms: int, *, patience: int) -> int:
    """Where the last run of full days begins, in which fewer than so many others follow another."""
    at = np.flatnonzero(full)
    if not len(at):
        return end_ms
    breaks = np.flatnonzero(np.diff(at) > patience)
    first = int(at[breaks[-1] + 1]) if len(breaks) else int(at[0])
    return int(starts[first])
