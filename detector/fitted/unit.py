"""One service in life: its model, which series it is of, and its rows as they are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.fitted.intake import Intake
from detector.fitted.model import FittedModel, arrays_of
from detector.fitted.panel import Column, Part
from detector.selector import matches
from detector.stream.columns import SeriesInfo
from models.anomaly.multivariate.arrays import from_arrays
from models.anomaly.multivariate.model import Carried, Multivariate, begin, score, shares
from models.anomaly.multivariate.seasons import expected

__all__ = ["TOLD_P", "Row", "Unit", "labels_of", "unit_of"]

Floats = NDArray[np.float64]

# A row is odd, and may be told of, at this chance: the stream's own.
TOLD_P = 0.01
_WEEK_S = 604_800.0
# Samples of a step may come so much later than the newest of the stream.
_SETTLED_MS = 120_000
# A value this many spreads from what is usual at its time is out of its own range.
_SPREADS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a service as it was judged: `at` is the end of its step, in unix milliseconds.

    Of each of `metrics` its value, NaN where it is missing, what was usual, the half width of that,
    and its share in how odd the row is.
    """

    at: int
    p_value: float
    metrics: tuple[str, ...]
    value: tuple[float, ...]
    usual: tuple[float, ...]
    reach: tuple[float, ...]
    share: tuple[float, ...]


@dataclass(slots=True, kw_only=True)
class Unit:
    """A service that has a model. `number` is its row in the stream of services.

    `body` is the model as it came; `fitted` is that without its arrays, which `model` has.
    `members`: by row of the intake its series, the pod that it is of, and the parts it counts in.
    """

    number: int
    fitted: FittedModel
    body: bytes
    model: Multivariate
    carried: Carried
    parts: tuple[Part, ...]
    members: dict[int, tuple[int, str, tuple[int, ...]]] = field(default_factory=dict)
    _edges: _Edges | None = None

    @property
    def step_ms(self) -> int:
        """Between rows."""
        return round(self.fitted.step_s * 1000)

    @property
    def settled_ms(self) -> int:
        """How long after its end a step is over."""
        return min(self.step_ms, _SETTLED_MS)

    @property
    def rows_a_week(self) -> float:
        """How many there are."""
        return _WEEK_S / self.fitted.step_s

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics of whose series it is made."""
        return tuple(dict.fromkeys(part.query.metric for part in self.parts))

    def counts_in(self, metric: str, labels: Mapping[str, str]) -> tuple[int, ...]:
        """The parts that a series is of."""
        return tuple(
            at
            for at, part in enumerate(self.parts)
            if part.query.metric == metric
            and all(matches(one, labels) for one in part.query.matchers)
        )

    def join(self, row: int, series: int, pod: str, parts: tuple[int, ...]) -> None:
        """One more series."""
        self.members[row] = (series, pod, parts)
        self._edges = None

    def leave(self, row: int) -> None:
        """A series that is gone, or another's."""
        self.members.pop(row, None)
        self._edges = None

    def judged(self, intake: Intake, end: int) -> Row | None:
        """The row that ends, None where nothing of it is known; the next one is the open one."""
        edges = self._edges or _edges(self)
        self._edges = edges
        x = _row(self, edges, intake, end)
        intake.close(self.number, edges.rows, end, self.step_ms)
        return self._scored(x, end)

    def _scored(self, x: Floats, end: int) -> Row | None:
        first, rows, before = end // self.step_ms, x[None, :], self.carried
        scored, self.carried = score(self.model, rows, first, before)
        if not scored.present[0]:
            return None
        chance = float(scored.p_value[0])
        # What is usual is not told of: nobody asks whose share that is.
        share = shares(self.model, rows, first, before)[0] if chance <= TOLD_P else 0.0 * x
        usual = expected(self.model.usual, first, 1)[0]
        return Row(
            at=end,
            p_value=chance,
            metrics=self.fitted.metrics,
            value=tuple(x.tolist()),
            usual=tuple(usual.tolist()),
            reach=tuple((_SPREADS * self.model.usual.scale).tolist()),
            share=tuple(share.tolist()),
        )


def unit_of(number: int, fitted: FittedModel, carried: Carried | None = None) -> Unit:
    """A service with its model; `ValueError` for a model that is not whole, or tells no columns."""
    if len(fitted.columns) != len(fitted.metrics):
        raise ValueError("a model that does not tell its series: fit it anew with `serinus fit`")
    model = from_arrays(arrays_of(fitted.artefacts))
    found = [part for one in fitted.columns for part in (one.part, one.per) if part is not None]
    return Unit(
        number=number,
        fitted=replace(fitted, artefacts=()),
        body=msgspec.msgpack.encode(fitted),
        model=model,
        carried=begin(model) if carried is None else carried,
        parts=tuple(dict.fromkeys(found)),
    )


def labels_of(series: SeriesInfo) -> dict[str, str]:
    """Labels by name."""
    return dict(series.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edges:
    """`rows` of the intake by series; of each edge the place of its row in them, and its part."""

    rows: NDArray[np.int64]
    place: NDArray[np.int64]
    part: NDArray[np.int64]
    counts: NDArray[np.bool_]


def _edges(unit: Unit) -> _Edges:
    """In the order of series, so that sums are the same to the bit whatever came first."""
    rows = sorted(unit.members, key=lambda row: unit.members[row][0])
    served = _served(unit)
    pairs = [
        (place, part)
        for place, row in enumerate(rows)
        for part in unit.members[row][2]
        if not unit.parts[part].of_pods or unit.members[row][1] in served
    ]
    place, part = np.array(pairs, np.int64).reshape(-1, 2).T
    return _Edges(
        rows=np.array(rows, np.int64),
        place=place,
        part=part,
        counts=np.array([unit.parts[one].counts for one in part], np.bool_),
    )


def _served(unit: Unit) -> frozenset[str]:
    """Pods that serve requests: the first column tells them."""
    return frozenset(pod for _, pod, parts in unit.members.values() if 0 in parts)


def _row(unit: Unit, edges: _Edges, intake: Intake, end: int) -> Floats:
    """As `panel.panel_of` makes a row."""
    before, now = intake.values(edges.rows, end)
    grown = now - before
    rate = np.where(grown < 0, now, grown) / unit.fitted.step_s
    value = np.where(edges.counts, rate[edges.place], now[edges.place])
    there, count = np.isfinite(value), len(unit.parts)
    seen = np.bincount(edges.part[there], minlength=count)
    added = np.bincount(edges.part[there], weights=value[there], minlength=count)
    means = ~np.array([part.counts for part in unit.parts], np.bool_)
    known: Floats = np.where(means, added / np.maximum(seen, 1), added)
    total: Floats = np.where(seen > 0, known, np.nan)
    return np.array([_cell(one, unit.parts, total) for one in unit.fitted.columns])


def _cell(column: Column, parts: Sequence[Part], total: Floats) -> float:
    top = float(total[parts.index(column.part)])
    if column.per is None:
        return top
    below = float(total[parts.index(column.per)])
    if not below > 0:
        return float("nan")
    return (0.0 if np.isnan(top) else top) / below
