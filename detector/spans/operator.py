"""The operator over spans: calls counted, the two sides of each paired, traces of interest kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.spans.columns import SpanKind, Spans, SpanStatus
from detector.spans.gathering import gathered, wanted_of
from detector.spans.lost import Lost
from detector.spans.names import Numbered
from detector.spans.red import keys_of
from detector.spans.state import NEVER, SpanState, opened
from models.traces.chosen import without_past
from models.traces.edges import turned, without_idle
from models.traces.mixing import mixed_traces
from models.traces.pairs import Calls, pair
from models.traces.recent import Recent, remember
from models.traces.seen import first_seen
from models.traces.tally import count_calls, without

__all__ = ["Outputs", "step"]

_MOSTLY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What became of a batch: spans counted, traces gathered, and what bounds cost."""

    counted: int
    gathered: int
    lost: Mapping[Lost, int]


def step(state: SpanState, spans: Spans) -> tuple[SpanState, Outputs]:
    """Take spans; the state that comes in is used up.

    Counts depend on the spans alone, in whatever order and batches they come, within the bounds of
    the settings. Lateness goes by `taken`, which is taken never to go back.
    """
    if not len(spans):
        return state, Outputs(counted=0, gathered=0, lost={})
    before = state.lost.copy()
    state = _with_room(state, max(spans.taken, state.last))
    numbered, folded = state.names.numbered(spans)
    state.lost[Lost.OTHER_OPERATION] += folded
    is_first = _first(state, spans)
    counted = int(is_first.sum())
    state.counted += counted
    state.lost[Lost.DUPLICATES] += len(spans) - counted
    _count(state, spans, numbered, is_first)
    recent = _remembered(state, spans, numbered, is_first)
    wanted_of(state, spans, recent, is_first)
    lost = Counter(state.lost)
    lost.subtract(before)
    traces = gathered(state)
    return state, Outputs(
        counted=counted,
        gathered=traces,
        lost={why: count for why, count in lost.items() if count > 0},
    )


def _first(state: SpanState, spans: Spans) -> NDArray[np.bool_]:
    """Which spans were not counted yet."""
    is_first = np.zeros(len(spans), dtype=np.bool_)
    times = (state.last, round(1000 * state.settings.pair_s))
    first_seen(_trace(spans), spans.span, spans.kind, times, state.seen, is_first)
    state.lost[Lost.SEEN_FULL] = int(state.seen.used[3])
    return is_first


def _count(state: SpanState, spans: Spans, numbered: Numbered, is_first: NDArray[np.bool_]) -> None:
    keys = keys_of(numbered.origin, numbered.operation, spans.kind, spans.status)
    lost = count_calls(keys, spans.duration, is_first, state.last, state.tally)
    state.lost[Lost.NO_SERIES] += lost
    before = state.last - round(1000 * state.settings.pair_s)
    pair(_calls(spans, numbered), is_first, (state.last, before), state.waiting, state.edges)
    counts = state.waiting.counts.tolist()
    for why, count in zip(_OF_PAIRS, counts[1:6], strict=True):
        if why is not None:
            state.lost[why] = count
    state.lost[Lost.NO_EDGE] = int(state.edges.used[1])


_OF_PAIRS = (Lost.LONE_CALLER, Lost.LONE_CALLEE, None, Lost.WAITING_FULL, Lost.CROWDED)


def _calls(spans: Spans, numbered: Numbered) -> Calls:
    is_caller = (spans.kind == SpanKind.CLIENT) | (spans.kind == SpanKind.PRODUCER)
    is_callee = (spans.kind == SpanKind.SERVER) | (spans.kind == SpanKind.CONSUMER)
    is_told = numbered.is_told & (numbered.peer >= 0) & (is_caller | is_callee)
    return Calls(
        trace=_trace(spans),
        span=spans.span,
        parent=spans.parent,
        node=numbered.node,
        peer=numbered.peer,
        duration=spans.duration,
        failed=spans.status == SpanStatus.ERROR,
        is_told=is_told,
        is_caller=is_caller,
        is_callee=is_callee,
    )


def _remembered(
    state: SpanState, spans: Spans, numbered: Numbered, is_first: NDArray[np.bool_]
) -> Recent:
    """Put spans into the ring of the last ones; they are given back as columns of it."""
    new = Recent(
        whole=mixed_traces(_trace(spans), state.seed),
        span=spans.span,
        parent=spans.parent,
        start=spans.start,
        duration=spans.duration,
        kind=spans.kind,
        failed=spans.status == SpanStatus.ERROR,
        operation=numbered.operation,
        node=numbered.node,
        written=np.zeros(1, dtype=np.int64),
    )
    remember(new, is_first, state.recent)
    return new


def _with_room(state: SpanState, at: int) -> SpanState:
    """The state at a time; who is idle leaves where there is little room left for others."""
    if state.names.is_full:
        lost = state.lost
        lost[Lost.NAMES_FULL] += 1
        state = opened(state.settings, state.seed)
        state.lost = lost
    state.first = at if state.first == NEVER else state.first
    state.last = at
    state.names.turn(at)
    window = round(1000 * state.settings.window_s)
    for _ in range(min((at - int(state.edges.used[0])) // window, 2)):
        turned(state.edges, at)
    idle = at - round(1000 * state.settings.idle_s)
    if len(state.tally.rows) > _MOSTLY * len(state.tally.last):
        state.tally = without(state.tally, idle)
    if len(state.edges.rows) > _MOSTLY * len(state.edges.last):
        state.edges = without_idle(state.edges, idle)
    if len(state.slots.rows) > _MOSTLY * len(state.slots.minute):
        state.slots = without_past(state.slots, idle // 60_000)
    return state


def _trace(spans: Spans) -> NDArray[np.uint64]:
    """Trace ids as two numbers each."""
    return np.ascontiguousarray(spans.trace).view(np.uint64)
