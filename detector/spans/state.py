"""What the operator over spans keeps of one tenant: bounded, whatever comes."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.spans.lost import Lost
from detector.spans.names import Names
from detector.spans.settings import LATENCY_BOUNDS_S, SpanSettings
from models.traces.chosen import Slots, no_slots
from models.traces.edges import Edges, no_edges
from models.traces.pairs import Waiting, no_waiting
from models.traces.recent import Recent, no_recent
from models.traces.seen import Seen, no_seen
from models.traces.tally import Tally, no_tally

__all__ = ["NEVER", "KeptTrace", "SpanState", "Wanted", "opened"]

NEVER = -1
_NS = 1e9
# From a tenth of a millisecond to a hundred seconds, each a fifth above the one before.
_EDGE_BOUNDS = np.array([round(1e5 * 2 ** (step / 4)) for step in range(80)], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A span of interest whose trace is to be gathered once it is taken to be whole.

    `number` is what lots are drawn by, `minute` that of the draw, `due` unix milliseconds,
    `written` how many spans had been remembered.
    """

    whole: int
    trace: bytes
    span: int
    node: int
    operation: int
    at: int
    duration: int
    failed: bool
    why: int
    number: int
    minute: int
    due: int
    written: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrace:
    """Where the time of a call went, of which nothing else is kept.

    `operations` int32 (K,), and of each the nanoseconds `path` on the critical path and `own`
    without its children, int64 (K,). `is_whole`: no span of it was missing.
    """

    wanted: Wanted
    operations: NDArray[np.int32]
    path: NDArray[np.int64]
    own: NDArray[np.int64]
    is_whole: bool


@dataclass(slots=True)
class SpanState:
    """The state of one tenant; `first` and `last` unix milliseconds of when spans were taken."""

    settings: SpanSettings
    seed: int
    names: Names
    seen: Seen
    tally: Tally
    edges: Edges
    waiting: Waiting
    slots: Slots
    recent: Recent
    wanted: deque[Wanted] = field(default_factory=deque)
    traces: deque[KeptTrace] = field(default_factory=deque)
    lost: Counter[Lost] = field(default_factory=Counter)
    counted: int = 0
    first: int = NEVER
    last: int = NEVER


def opened(settings: SpanSettings | None = None, seed: int = 0) -> SpanState:
    """Nothing yet. Who does not know the `seed` cannot choose ids that fall together."""
    settings = settings or SpanSettings()
    bounds = np.array([round(_NS * bound) for bound in LATENCY_BOUNDS_S], dtype=np.int64)
    sizes = (settings.by_lot, settings.slowest, settings.failed)
    return SpanState(
        settings=settings,
        seed=seed,
        names=Names(settings),
        seen=no_seen(settings.seen, seed),
        tally=no_tally(settings.series, bounds),
        edges=no_edges(settings.edges, _EDGE_BOUNDS),
        waiting=no_waiting(settings.waiting, seed),
        slots=no_slots(settings.groups, sizes),
        recent=no_recent(settings.recent),
        traces=deque(maxlen=settings.traces),
    )
