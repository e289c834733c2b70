"""Traces of interest: which they are, and where their time went once they are whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.spans.columns import SpanKind, Spans
from detector.spans.lost import Lost
from detector.spans.state import KeptTrace, SpanState, Wanted
from models.traces.chosen import BY_LOT, choose
from models.traces.critical import times_of
from models.traces.recent import Recent, gather
from models.traces.rows import NO_ROW, row_of
from models.traces.tree import NO_PARENT, circling, parents_of, tree_of

__all__ = ["gathered", "wanted_of"]

_MINUTE_MS = 60_000
# Of the ring: what was wanted before so much of it was written anew is gathered at once.
_PRESSING = 0.6
# To gather goes over the whole ring, so not for each trace anew.
_AT_ONCE_MS = 2_000


def wanted_of(state: SpanState, spans: Spans, recent: Recent, is_first: NDArray[np.bool_]) -> None:
    """Choose among calls that come in: by lot, the slowest, and some that failed."""
    is_entry = (recent.kind == SpanKind.SERVER) | (recent.kind == SpanKind.CONSUMER)
    is_entry |= recent.parent == 0
    group = recent.node.astype(np.int64) << 32 | recent.operation
    group[~(is_entry & is_first)] = -1
    why = np.zeros(len(group), dtype=np.uint8)
    minute = state.last // _MINUTE_MS
    state.lost[Lost.NO_GROUP] += choose(
        group, recent.whole, recent.duration, recent.failed, minute, state.slots, why
    )
    due = state.last + round(1000 * state.settings.settle_s)
    written = int(state.recent.written[0])
    state.wanted.extend(
        Wanted(
            whole=int(recent.whole[row]),
            trace=spans.trace[row].tobytes(),
            span=int(recent.span[row]),
            node=int(recent.node[row]),
            operation=int(recent.operation[row]),
            at=int(recent.start[row]) // 1_000_000,
            duration=int(recent.duration[row]),
            failed=bool(recent.failed[row]),
            why=int(why[row]),
            number=int(recent.whole[row]),
            minute=minute,
            due=due,
            written=written,
        )
        for row in np.flatnonzero(why).tolist()
    )


def gathered(state: SpanState) -> int:
    """Gather the traces whose time has come; how many."""
    if not state.wanted or not _is_time(state, state.wanted[0]):
        return 0
    due: list[Wanted] = []
    while state.wanted and _is_due(state, state.wanted[0]):
        wanted = state.wanted.popleft()
        if not _is_superseded(state, wanted):
            due.append(wanted)
    if not due:
        return 0
    places = gather(np.unique(np.array([one.whole for one in due], dtype=np.uint64)), state.recent)
    places = places[np.argsort(state.recent.whole[places], kind="stable")]
    wholes = state.recent.whole[places]
    for wanted in due:
        whole = np.uint64(wanted.whole)
        first, last = np.searchsorted(wholes, whole), np.searchsorted(wholes, whole, side="right")
        _keep(state, wanted, places[first:last])
    return len(due)


def _is_time(state: SpanState, first: Wanted) -> bool:
    return first.due + _AT_ONCE_MS <= state.last or _is_pressing(state, first)


def _is_due(state: SpanState, wanted: Wanted) -> bool:
    return wanted.due <= state.last or _is_pressing(state, wanted)


def _is_pressing(state: SpanState, wanted: Wanted) -> bool:
    passed = int(state.recent.written[0]) - wanted.written
    return passed > _PRESSING * len(state.recent.whole)


def _is_superseded(state: SpanState, wanted: Wanted) -> bool:
    """Whether it was wanted by lot alone, and lost its place to others of the minute."""
    if wanted.why != BY_LOT:
        return False
    key = wanted.node << 32 | wanted.operation
    row = row_of(key, state.slots.rows)
    is_same = row != NO_ROW and int(state.slots.minute[row]) == wanted.minute
    return is_same and np.uint64(wanted.number) not in state.slots.lot[row]


def _keep(state: SpanState, wanted: Wanted, places: NDArray[np.int64]) -> None:
    """Keep where the time of a call went."""
    recent = state.recent
    root = _root(recent, places, wanted)
    if root < 0:
        state.lost[Lost.TRACE_GONE] += 1
        return
    if len(places) > state.settings.spans_of_trace:
        state.lost[Lost.TRACE_TOO_LONG] += 1
        places, root = _cut(places, root, state.settings.spans_of_trace)
    span = recent.span[places]
    parent = parents_of(span, recent.parent[places])
    is_missing = (parent == NO_PARENT) & (recent.parent[places] != 0)
    is_missing[root] = False
    state.lost[Lost.MISSING_PARENT] += int(is_missing.sum())
    state.lost[Lost.CYCLE] += circling(parent)
    kind = recent.kind[places]
    is_async = kind == SpanKind.CONSUMER
    node = recent.node[places].astype(np.int64)
    tree = tree_of(recent.start[places], recent.duration[places], parent, node, is_async)
    times = times_of(tree, root)
    operations, inverse = np.unique(recent.operation[places], return_inverse=True)
    path = np.bincount(inverse, weights=times.path).astype(np.int64)
    own = np.bincount(inverse, weights=times.own).astype(np.int64)
    is_there = (path > 0) | (own > 0)
    state.traces.append(
        KeptTrace(
            wanted=wanted,
            operations=operations[is_there],
            path=path[is_there],
            own=own[is_there],
            is_whole=not is_missing.any(),
        )
    )


def _cut(places: NDArray[np.int64], root: int, most: int) -> tuple[NDArray[np.int64], int]:
    """The root and the last to come: spans come when they end, so those are the nearest to it."""
    last = places[-most:].copy()
    root -= len(places) - most
    if root < 0:
        last[0], root = places[root + len(places) - most], 0
    return last, root


def _root(recent: Recent, places: NDArray[np.int64], wanted: Wanted) -> int:
    """Which of the spans was wanted, -1 where it is not there any more."""
    is_it = (recent.span[places] == np.uint64(wanted.span)) & (recent.node[places] == wanted.node)
    is_it &= recent.operation[places] == wanted.operation
    found = np.flatnonzero(is_it)
    return int(found[0]) if len(found) else -1
