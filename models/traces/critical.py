"""Where the time of a trace went: its critical path, and the time that spans spent themselves.

The critical path is that of CRISP (Zhang et al., USENIX ATC 2022): from the end of a span back, the
child that ends last is on it; before that child began, the child that ended last by then; and what
no such child covers is the span's own. A child that overlaps one on the path is not waited for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.traces.tree import Tree, placed

__all__ = ["TOLERANCE_NS", "Times", "times_of"]

# Two children of which one ends as the other begins overlap by what clocks are coarse.
TOLERANCE_NS = 50_000


class Times(NamedTuple):
    """Nanoseconds of N spans: `path` on the critical path of the root, `own` without any child.

    The times on the path add up to the root's duration. Of spans that are not below the root both
    are 0.
    """

    path: NDArray[np.int64]
    own: NDArray[np.int64]


def times_of(tree: Tree, root: int, *, tolerance: int = TOLERANCE_NS) -> Times:
    """Where the time of a root went. The tree is placed by it, and not to be used again."""
    count = len(tree.start)
    times = Times(path=np.zeros(count, dtype=np.int64), own=np.zeros(count, dtype=np.int64))
    placed(tree, root)
    _spread(tree, tolerance, times, np.zeros((count, 2), dtype=np.int64))
    return times


@uncounted
def _spread(tree: Tree, tolerance: int, times: Times, stack: NDArray[np.int64]) -> None:
    for nth in range(tree.size[0]):
        span = tree.order[nth]
        times.own[span] = _own(tree, span)
    root = tree.order[0]
    stack[0, 0], stack[0, 1] = root, tree.end[root]
    depth = 1
    while depth > 0:
        depth -= 1
        depth = _walk(tree, stack[depth, 0], stack[depth, 1], tolerance, times, stack, depth)


@uncounted
def _walk(
    tree: Tree,
    span: int,
    end: int,
    tolerance: int,
    times: Times,
    stack: NDArray[np.int64],
    depth: int,
) -> int:
    """Go back through a span from an end; put the children on the path onto the stack."""
    at = end
    for nth in range(tree.first[span], tree.first[span + 1]):
        child = tree.children[nth]
        stop = tree.end[child]
        if stop <= tree.start[child] or stop > at + tolerance or child == tree.order[0]:
            continue
        stop = min(stop, at)
        if stop <= tree.start[child]:
            continue
        times.path[span] += at - stop
        stack[depth, 0], stack[depth, 1] = child, stop
        depth += 1
        at = tree.start[child]
    times.path[span] += at - tree.start[span]
    return depth


@uncounted
def _own(tree: Tree, span: int) -> int:
    """The duration without what children cover: these come with the last to end first."""
    covered, left = np.int64(0), tree.end[span]
    for nth in range(tree.first[span], tree.first[span + 1]):
        child = tree.children[nth]
        start, stop = tree.start[child], min(tree.end[child], left)
        if stop > start and child != tree.order[0]:
            covered += stop - start
            left = start
    return int(tree.end[span] - tree.start[span] - covered)
