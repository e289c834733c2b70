"""A trace as a tree: who is whose child, and when each ran by its parent's clock.

Clocks of two machines differ. A callee that its own clock puts outside its caller's time is moved
to the middle of it, with all below it, as Jaeger does
(https://www.jaegertracing.io/docs/latest/architecture/: clock skew adjustment).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted

__all__ = ["NO_PARENT", "Tree", "circling", "parents_of", "placed", "tree_of"]

NO_PARENT = -1


class Tree(NamedTuple):
    """N spans of one trace.

    `start`, `end` int64 (N,) nanoseconds, after `placed` those by the root's clock, cut to the
    parent's time; empty (start = end) where a span ran outside of it. `parent` int64 (N,) places,
    -1 for none. `host` int64 (N,): whose clock it is. `is_async` (N,): nobody waits for it.
    `children` int64 (N,): places, those of one parent together; `first` (N + 1,) where those of
    each parent begin. `order` (N,): places from the root down; `shift` (N,) by how much each
    was moved; `size` (1,) how many are there.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    parent: NDArray[np.int64]
    host: NDArray[np.int64]
    is_async: NDArray[np.bool_]
    children: NDArray[np.int64]
    first: NDArray[np.int64]
    order: NDArray[np.int64]
    shift: NDArray[np.int64]
    size: NDArray[np.int64]


def parents_of(span: NDArray[np.uint64], parent: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The place of each one's parent; of several with its id the first, and never itself."""
    order = np.argsort(span, kind="stable")
    ids = span[order]
    at = np.minimum(np.searchsorted(ids, parent), max(len(ids) - 1, 0))
    found = np.where(ids[at] == parent, order[at], NO_PARENT)
    found[(parent == 0) | (found == np.arange(len(span)))] = NO_PARENT
    return found.astype(np.int64)


def circling(parent: NDArray[np.int64]) -> int:
    """How many spans are in a circle of parents, or below one: no way leads up to a root."""
    count = len(parent)
    above = np.append(np.where(parent == NO_PARENT, count, parent), count)
    for _ in range(count.bit_length()):
        above = above[above]
    return int((above[:-1] != count).sum())


def tree_of(
    start: NDArray[np.int64],
    duration: NDArray[np.int64],
    parent: NDArray[np.int64],
    host: NDArray[np.int64],
    is_async: NDArray[np.bool_],
) -> Tree:
    """A tree that is not placed yet."""
    count = len(start)
    children = np.argsort(parent, kind="stable")
    sizes = np.bincount(parent + 1, minlength=count + 1)
    return Tree(
        start=start.astype(np.int64),
        end=start + duration,
        parent=parent,
        host=host,
        is_async=is_async,
        children=children.astype(np.int64),
        first=np.cumsum(sizes).astype(np.int64),
        order=np.zeros(count, dtype=np.int64),
        shift=np.zeros(count, dtype=np.int64),
        size=np.zeros(1, dtype=np.int64),
    )


@uncounted
def placed(tree: Tree, root: int) -> None:
    """Move what is below a root onto its clock, cut it to its parent's time, the last to end first.

    Whatever of a circle is not below the root is not met, and the root's own parent is not looked
    at: so each is met once.
    """
    tree.order[0] = root
    tree.size[0] = 1
    met = 0
    while met < tree.size[0]:
        parent = tree.order[met]
        met += 1
        for nth in range(tree.first[parent], tree.first[parent + 1]):
            child = tree.children[nth]
            if child == root:
                continue
            _moved(tree, child, parent)
            tree.order[tree.size[0]] = child
            tree.size[0] += 1
        _sorted(tree, tree.first[parent], tree.first[parent + 1])


@uncounted
def _moved(tree: Tree, child: int, parent: int) -> None:
    """Place a child within its parent, which is placed."""
    begin, end, shift = tree.start[parent], tree.end[parent], tree.shift[parent]
    start, stop = tree.start[child] + shift, tree.end[child] + shift
    is_outside = start < begin or stop > end
    if tree.host[child] != tree.host[parent] and is_outside and not tree.is_async[child]:
        room = (end - begin) - (stop - start)
        moved = begin + max(room, 0) // 2 - start
        start, stop, shift = start + moved, stop + moved, shift + moved
    tree.shift[child] = shift
    start, stop = max(start, begin), min(stop, end)
    if tree.is_async[child] or stop <= start:
        start, stop = begin, begin
    tree.start[child], tree.end[child] = start, stop


@uncounted
def _sorted(tree: Tree, begin: int, end: int) -> None:
    """Shell's sort by end, the last first; of those that end together the last to begin first."""
    gap = (end - begin) // 2
    while gap > 0:
        for nth in range(begin + gap, end):
            own, here = tree.children[nth], nth
            while here - gap >= begin and _is_before(tree, own, tree.children[here - gap]):
                tree.children[here] = tree.children[here - gap]
                here -= gap
            tree.children[here] = own
        gap //= 2


@uncounted
def _is_before(tree: Tree, one: int, other: int) -> bool:
    if tree.end[one] != tree.end[other]:
        return bool(tree.end[one] > tree.end[other])
    if tree.start[one] != tree.start[other]:
        return bool(tree.start[one] > tree.start[other])
    return one < other
