"""The two sides of a call find each other by their ids, in whatever order they come.

A side waits in a ring, the oldest of which leaves first: after a while, or when there is no room.
Times of the two sides are never compared, since their clocks differ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.traces.edges import Edges, count_edge
from models.traces.mixing import mixed, mixed_trace

__all__ = [
    "CROWDED",
    "LONE_CALLEE",
    "LONE_CALLER",
    "OUTSIDE",
    "PAIRED",
    "PUSHED_OUT",
    "UNSEEN",
    "Calls",
    "Waiting",
    "no_waiting",
    "pair",
]

OUTSIDE, NOBODY = 0, -1
# What is counted: pairs; callers and callees whose other side never came; callers to an end that
# sends no spans; sides that had to leave early, or found too many waiting for one id; then where
# the ring begins and how many wait.
PAIRED, LONE_CALLER, LONE_CALLEE, UNSEEN, PUSHED_OUT, CROWDED, _FIRST, _COUNT = range(8)
_END = np.int32(-1)
# Who is called by so many at once is no service: a chain without end would take a day to walk.
_MOST_OF_CHAIN = 256


class Calls(NamedTuple):
    """N sides of calls: `trace` (N, 2), `span`, `parent`, `node` who it is, `duration`, `failed`.

    `peer` the other end by its number, -1 where it is not known; `is_told` whether no other side is
    to be waited for; `is_caller`, `is_callee`: which side it is, if any.
    """

    trace: NDArray[np.uint64]
    span: NDArray[np.uint64]
    parent: NDArray[np.uint64]
    node: NDArray[np.int32]
    peer: NDArray[np.int32]
    duration: NDArray[np.int64]
    failed: NDArray[np.bool_]
    is_told: NDArray[np.bool_]
    is_caller: NDArray[np.bool_]
    is_callee: NDArray[np.bool_]


class Waiting(NamedTuple):
    """W sides that wait, in a ring, each in a chain of those whose ids fall on one place.

    `key` is the span id of the caller; `is_met` whether its other side came.
    """

    heads: NDArray[np.int32]
    after: NDArray[np.int32]
    trace: NDArray[np.uint64]
    key: NDArray[np.uint64]
    is_callee: NDArray[np.bool_]
    is_met: NDArray[np.bool_]
    node: NDArray[np.int32]
    peer: NDArray[np.int32]
    duration: NDArray[np.int64]
    failed: NDArray[np.bool_]
    at: NDArray[np.int64]
    counts: NDArray[np.int64]
    seed: NDArray[np.uint64]


def no_waiting(most: int, seed: int) -> Waiting:
    """Nobody waits yet, and so many can."""
    return Waiting(
        heads=np.full(1 << (2 * most - 1).bit_length(), _END, dtype=np.int32),
        after=np.full(most, _END, dtype=np.int32),
        trace=np.zeros((most, 2), dtype=np.uint64),
        key=np.zeros(most, dtype=np.uint64),
        is_callee=np.zeros(most, dtype=np.bool_),
        is_met=np.zeros(most, dtype=np.bool_),
        node=np.zeros(most, dtype=np.int32),
        peer=np.zeros(most, dtype=np.int32),
        duration=np.zeros(most, dtype=np.int64),
        failed=np.zeros(most, dtype=np.bool_),
        at=np.zeros(most, dtype=np.int64),
        counts=np.zeros(8, dtype=np.int64),
        seed=np.array([seed], dtype=np.uint64),
    )


@uncounted
def pair(
    calls: Calls, is_counted: NDArray[np.bool_], times: tuple[int, int], waiting: Waiting, to: Edges
) -> None:
    """Pair what comes with what waits, and count the calls between them.

    `times`: now, and before when who came waits no longer, in milliseconds.
    """
    at, before = times
    while waiting.counts[_COUNT] > 0 and waiting.at[waiting.counts[_FIRST]] < before:
        _leave(at, waiting, to)
    for row in range(len(calls.span)):
        if not is_counted[row]:
            continue
        if calls.is_told[row]:
            _told(calls, row, at, to)
        elif calls.is_caller[row]:
            _caller(calls, row, at, waiting, to)
        elif calls.is_callee[row]:
            if calls.parent[row] == np.uint64(0):
                failed = int(calls.failed[row])
                count_edge(OUTSIDE, int(calls.node[row]), calls.duration[row], failed, at, to)
            else:
                _callee(calls, row, at, waiting, to)


@uncounted
def _told(calls: Calls, row: int, at: int, to: Edges) -> None:
    """A call whose other end sends no spans: a database, a queue."""
    first, second = int(calls.node[row]), int(calls.peer[row])
    if calls.is_callee[row]:
        first, second = second, first
    count_edge(first, second, calls.duration[row], int(calls.failed[row]), at, to)


@uncounted
def _caller(calls: Calls, row: int, at: int, waiting: Waiting, to: Edges) -> None:
    """Meet all who were called and came before; and wait for others."""
    key, is_met, length = calls.span[row], False, 0
    place = int(waiting.heads[_head(calls.trace[row], key, waiting)])
    while place >= 0:
        if waiting.is_callee[place] and _is_of(calls.trace[row], key, place, waiting):
            failed = int(calls.failed[row] or waiting.failed[place])
            node = int(waiting.node[place])
            count_edge(int(calls.node[row]), node, calls.duration[row], failed, at, to)
            waiting.is_met[place] = True
            waiting.counts[PAIRED] += 1
            is_met = True
        place = int(waiting.after[place])
        length += 1
    _wait(calls, row, key, (is_met, length), at, waiting, to)


@uncounted
def _callee(calls: Calls, row: int, at: int, waiting: Waiting, to: Edges) -> None:
    """Meet who called; or wait for them."""
    key, length = calls.parent[row], 0
    place = int(waiting.heads[_head(calls.trace[row], key, waiting)])
    while place >= 0:
        if not waiting.is_callee[place] and _is_of(calls.trace[row], key, place, waiting):
            failed = int(calls.failed[row] or waiting.failed[place])
            node = int(waiting.node[place])
            count_edge(node, int(calls.node[row]), waiting.duration[place], failed, at, to)
            waiting.is_met[place] = True
            waiting.counts[PAIRED] += 1
            return
        place = int(waiting.after[place])
        length += 1
    _wait(calls, row, key, (False, length), at, waiting, to)


@uncounted
def _is_of(trace: NDArray[np.uint64], key: np.uint64, place: int, waiting: Waiting) -> bool:
    own = waiting.trace[place]
    return bool(waiting.key[place] == key and own[0] == trace[0] and own[1] == trace[1])


@uncounted
def _head(trace: NDArray[np.uint64], key: np.uint64, waiting: Waiting) -> int:
    """Where the chain of a key begins."""
    whole = mixed_trace(trace[0], trace[1], waiting.seed[0])
    return int(mixed(whole ^ key) & np.uint64(len(waiting.heads) - 1))


@uncounted
def _wait(
    calls: Calls,
    row: int,
    key: np.uint64,
    met: tuple[bool, int],
    at: int,
    waiting: Waiting,
    to: Edges,
) -> None:
    """Wait at the end of the ring; `met`: whether the other side came, how long the chain is."""
    if met[1] >= _MOST_OF_CHAIN:
        waiting.counts[CROWDED] += 1
        return
    most = len(waiting.key)
    if waiting.counts[_COUNT] == most:
        waiting.counts[PUSHED_OUT] += 1
        _leave(at, waiting, to)
    place = int((waiting.counts[_FIRST] + waiting.counts[_COUNT]) % most)
    waiting.counts[_COUNT] += 1
    waiting.trace[place, 0], waiting.trace[place, 1] = calls.trace[row, 0], calls.trace[row, 1]
    waiting.key[place] = key
    waiting.is_callee[place] = calls.is_callee[row]
    waiting.is_met[place] = met[0]
    waiting.node[place], waiting.peer[place] = calls.node[row], calls.peer[row]
    waiting.duration[place], waiting.failed[place] = calls.duration[row], calls.failed[row]
    waiting.at[place] = at
    head = _head(calls.trace[row], key, waiting)
    waiting.after[place] = waiting.heads[head]
    waiting.heads[head] = place


@uncounted
def _leave(at: int, waiting: Waiting, to: Edges) -> None:
    """The oldest waits no longer: alone, it called an end that sends no spans, or is counted."""
    place = int(waiting.counts[_FIRST])
    waiting.counts[_FIRST] = (place + 1) % len(waiting.key)
    waiting.counts[_COUNT] -= 1
    _unlink(place, waiting)
    if waiting.is_met[place]:
        return
    if waiting.is_callee[place]:
        waiting.counts[LONE_CALLEE] += 1
    elif waiting.peer[place] == NOBODY:
        waiting.counts[LONE_CALLER] += 1
    else:
        waiting.counts[UNSEEN] += 1
        failed = int(waiting.failed[place])
        caller, callee = int(waiting.node[place]), int(waiting.peer[place])
        count_edge(caller, callee, waiting.duration[place], failed, at, to)


@uncounted
def _unlink(place: int, waiting: Waiting) -> None:
    """Take one out of its chain."""
    head = _head(waiting.trace[place], waiting.key[place], waiting)
    here = int(waiting.heads[head])
    if here == place:
        waiting.heads[head] = waiting.after[place]
        return
    while waiting.after[here] != place:
        here = int(waiting.after[here])
    waiting.after[here] = waiting.after[place]
