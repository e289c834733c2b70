"""VUS-PR: precision against recall where being a few rows off costs a little, over many "few".

Paparrizos et al., "Volume under the surface" (VLDB 2022). Each labelled window is widened by up to
half of a buffer on both sides with weights that fall from 1; recall is worth the share of windows
that were touched; the area under precision and recall is averaged over all buffers up to the
longest. The area is by steps, as in average precision, at every distinct score rather than at 250
of them: with no buffer and every window touched it is average precision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONGEST", "range_pr", "vus_pr", "widened", "windows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LONGEST = 100


def vus_pr(labels: Ints, scores: Floats, longest: int = LONGEST) -> float:
    """The mean area over buffers of 0 to `longest` rows; labels (T,) are 0 or 1, one of them 1."""
    order = np.argsort(-scores, kind="stable")
    ends = _last_of_equals(scores[order])
    return float(np.mean([_area(labels, order, ends, buffer) for buffer in range(longest + 1)]))


def range_pr(labels: Ints, scores: Floats, buffer: int) -> float:
    """The area with one buffer."""
    order = np.argsort(-scores, kind="stable")
    return _area(labels, order, _last_of_equals(scores[order]), buffer)


def widened(labels: Ints, buffer: int) -> Floats:
    """Labels with slopes: sqrt(1 - d / buffer) at d rows from a window, up to half the buffer."""
    soft = labels.astype(np.float64)
    reach = buffer // 2
    for first, last in windows(labels):
        before = np.arange(max(first - reach, 0), first)
        after = np.arange(last + 1, min(last + 1 + reach, len(labels)))
        soft[before] += np.sqrt(1 - (first - before) / buffer) if buffer else 0.0
        soft[after] += np.sqrt(1 - (after - last) / buffer) if buffer else 0.0
    return np.minimum(soft, 1.0)


def windows(marks: Floats | Ints) -> list[tuple[int, int]]:
    """First and last row of each run of marks above 0."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks > 0, [0]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _area(labels: Ints, order: Ints, ends: Ints, buffer: int) -> float:
    soft = widened(labels, buffer)
    true = np.cumsum(soft[order])[ends]
    wanted = (labels.sum() + soft.sum()) / 2
    recall = np.minimum(true / wanted, 1.0) * _touched(soft, order)[ends]
    precision = true / (ends + 1)
    steps = np.diff(np.concatenate([[0.0], recall]))
    return float((steps * precision).sum())


def _touched(soft: Floats, order: Ints) -> Floats:
    """The share of windows with a row among the first k + 1 of the order."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    firsts = np.array([rank[a : b + 1].min() for a, b in windows(soft)])
    met = np.zeros(len(order))
    np.add.at(met, firsts, 1.0 / len(firsts))
    return np.cumsum(met)


def _last_of_equals(descending: Floats) -> Ints:
    """Where each run of equal scores ends: they are called anomalous together."""
    return np.flatnonzero(np.append(np.diff(descending) != 0, True))
