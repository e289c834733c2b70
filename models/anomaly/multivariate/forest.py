"""An isolation forest as plain arrays: grown by scikit-learn, stored and scored without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Forest", "forest_of", "grow_forest"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

_EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Trees of N nodes in all (Liu, Ting and Zhou, ICDM 2008).

    `roots` (trees,). Of a node: the `metric` it splits, at which `threshold` (as float32 values go
    left, at or below it), its `left` and `right` child; a leaf is its own child. `depth` (N,) is
    the path length of a leaf, with what an unsplit group would add. `sample` rows grew a tree.
    """

    roots: Ints
    metric: Ints
    threshold: Floats
    left: Ints
    right: Ints
    depth: Floats
    sample: int
    levels: int

    def raw(self, x: Floats) -> Floats:
        """The anomaly score of rows `x` (T, metrics): 0.5 is usual, 1 is alone."""
        rows = x.astype(np.float32)
        total = np.zeros(len(rows))
        for root in self.roots:
            total += self._depths(rows, int(root))
        mean = total / len(self.roots)
        score: Floats = 2.0 ** (-mean / _unsplit(np.array([self.sample]))[0])
        return score

    def shares(self, x: Floats) -> Floats:
        """How much each metric of each row adds: by how much the score falls when it is usual.

        (T, metrics), not negative; a row costs as many scores as it has metrics.
        """
        score = self.raw(x)
        gain = np.zeros_like(x)
        for metric in range(x.shape[1]):
            usual = x.copy()
            usual[:, metric] = 0.0
            gain[:, metric] = np.maximum(score - self.raw(usual), 0.0)
        return gain

    def _depths(self, rows: NDArray[np.float32], root: int) -> Floats:
        """Where each row ends in one tree."""
        node = np.full(len(rows), root, dtype=np.int32)
        every = np.arange(len(rows))
        for _ in range(self.levels):
            goes_left = rows[every, self.metric[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        return self.depth[node]


def grow_forest(x: Floats, *, trees: int, sample: int, seed: int) -> Forest:
    """Grow trees of `sample` rows of `x` each; the same seed grows the same forest."""
    from sklearn.ensemble import IsolationForest

    grown = IsolationForest(
        n_estimators=trees, max_samples=min(sample, len(x)), random_state=seed, n_jobs=1
    )
    return forest_of(grown.fit(x))


def forest_of(grown: object) -> Forest:
    """The arrays of a fitted `sklearn.ensemble.IsolationForest` that used every feature."""
    trees = [tree.tree_ for tree in grown.estimators_]  # type: ignore[attr-defined]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])
    leaf = np.concatenate([tree.children_left < 0 for tree in trees])
    itself = np.arange(starts[-1])
    left, right = (
        np.where(leaf, itself, np.concatenate([side + start for side, start in sides]))
        for sides in (
            [(tree.children_left, start) for tree, start in zip(trees, starts, strict=False)],
            [(tree.children_right, start) for tree, start in zip(trees, starts, strict=False)],
        )
    )
    rows = np.concatenate([tree.n_node_samples for tree in trees])
    return Forest(
        roots=starts[:-1].astype(np.int32),
        metric=np.where(leaf, 0, np.concatenate([tree.feature for tree in trees])).astype(np.int32),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        depth=_depth(left, right, leaf, starts[:-1]) + _unsplit(rows),
        sample=int(grown.max_samples_),  # type: ignore[attr-defined]
        levels=max(int(tree.max_depth) for tree in trees),
    )


def _depth(
    left: NDArray[np.int64], right: NDArray[np.int64], leaf: NDArray[np.bool_], roots: Ints
) -> Floats:
    """Splits above each node."""
    depth = np.zeros(len(left))
    front = np.asarray(roots, dtype=np.int64)
    while len(front):
        inner = front[~leaf[front]]
        below = np.concatenate([left[inner], right[inner]])
        depth[below] = np.concatenate([depth[inner], depth[inner]]) + 1
        front = below
    return depth


def _unsplit(rows: NDArray[np.int64]) -> Floats:
    """The mean path length in a group of so many rows (equation 1 of the paper)."""
    n = rows.astype(np.float64)
    more = np.maximum(n, 3.0)
    long = 2.0 * (np.log(more - 1.0) + _EULER) - 2.0 * (more - 1.0) / more
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, long))
