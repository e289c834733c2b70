"""A service whose metrics move together, as samples and as rows, and the model of its past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.fitted.model import FittedModel, artefacts_of
from detector.fitted.panel import Column, Panel, Part, panel_of, queries_of
from detector.fitted.promotion import Promotion, Why
from detector.gate.aa import Scope
from detector.series import Answer, Matcher, MatchOp, Query, Series
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from models.anomaly.multivariate.arrays import to_arrays
from models.anomaly.multivariate.model import Recipe, fit

__all__ = ["DAY", "NAMES", "SCOPE", "STEP_S", "T0", "Fleet", "fitted", "ids", "odd_fleet"]

Floats = NDArray[np.float64]
T0, MINUTE, DAY = 1_790_000_100, 60, 1_440
STEP_S = 300.0
SCOPE = Scope(tenant="default", cluster=None, namespace="shop", service="checkout")
PODS = ("checkout-a", "checkout-b")
NAMES = ("requests", "error_rate", "cpu", "memory")
_OWN = Matcher("service", MatchOp.EQUAL, "checkout")
_ASKED = Part(query=Query("http_requests_total", (_OWN,)), counts=True)
_FAILED = Part(
    query=Query("http_requests_total", (_OWN, Matcher("code", MatchOp.MATCHES, "5.."))), counts=True
)
COLUMNS = (
    Column(name="requests", part=_ASKED),
    Column(name="error_rate", part=_FAILED, per=_ASKED),
    Column(name="cpu", part=Part(query=Query("cpu_seconds_total"), counts=True, of_pods=True)),
    Column(name="memory", part=Part(query=Query("memory_bytes"), counts=False, of_pods=True)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Minutes of samples of each series: a counter of requests by code, CPU and memory by pod.

    From minute `odd[0]` to `odd[1]` requests are higher than usual at that time, and CPU and memory
    lower: each of them no further than on other days.
    """

    minutes: int
    seed: int = 1
    odd: tuple[int, int] = (0, 0)
    load: Floats = field(init=False)
    series: list[tuple[SeriesInfo, Floats]] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        load, (begin, end) = _load(rng, self.minutes), self.odd
        load[begin:end] = 1.45 * _usual(self.minutes)[begin:end]
        object.__setattr__(self, "load", load)
        object.__setattr__(self, "series", list(_series(self, rng)))

    @property
    def infos(self) -> list[SeriesInfo]:
        """What they are, in the order of their ids."""
        return [info for info, _ in self.series]

    def at(self, minute: int) -> int:
        """Unix milliseconds of the samples of a minute."""
        return (T0 + MINUTE * minute) * 1000 + 7_000

    def columns(self, begin: int, end: int) -> Columns:
        """All samples of some minutes, in the order of time."""
        values = np.array([value[begin:end] for _, value in self.series])
        times = np.array([self.at(minute) for minute in range(begin, end)], np.int64)
        return Columns(
            series=np.tile(np.arange(len(values), dtype=np.int32), end - begin),
            at=np.repeat(times, len(values)),
            value=values.T.ravel(),
        )

    def batches(self, begin: int, end: int, size: int = 30) -> Iterator[Columns]:
        """The same, so many minutes at a time."""
        for start in range(begin, end, size):
            yield self.columns(start, min(start + size, end))

    def panel(self, begin: int, end: int) -> Panel:
        """The rows that the batch makes of some minutes."""
        first = int((T0 + MINUTE * begin) // STEP_S) + 1
        rows = int((T0 + MINUTE * end) // STEP_S) - first + 1
        answers = {query: self._answer(query, first, rows) for query in queries_of(COLUMNS)}
        return panel_of(COLUMNS, answers, first=first, rows=rows, step_s=STEP_S)

    def _answer(self, query: Query, first: int, rows: int) -> Answer:
        grid = STEP_S * np.arange(first - 1, first + rows, dtype=np.float64)
        times = T0 + MINUTE * np.arange(self.minutes) + 7.0
        found = list[Series]()
        for info, value in self.series:
            labels = dict(info.labels)
            place = times.searchsorted(grid, side="right") - 1
            there = (place >= 0) & (grid - times[place] < 300.0)
            if info.name == query.metric and _is_of(labels, query):
                found.append(Series(labels=labels, times=grid[there], values=value[place[there]]))
        return Answer(series=found)


def _is_of(labels: dict[str, str], query: Query) -> bool:
    return all(
        labels.get(one.label, "").startswith("5")
        if one.op is MatchOp.MATCHES
        else labels.get(one.label) == one.value
        for one in query.matchers
    )


def _load(rng: np.random.Generator, minutes: int) -> Floats:
    """Requests a second: by the time of the day, and wandering by a quarter."""
    moved = rng.normal(0.0, 0.035, minutes)
    wander = np.zeros(minutes)
    for minute in range(1, minutes):
        wander[minute] = 0.99 * wander[minute - 1] + moved[minute]
    return np.asarray(_usual(minutes) * np.exp(wander))


def _usual(minutes: int) -> Floats:
    return np.asarray(30.0 * (1.0 + 0.4 * np.sin(2 * np.pi * np.arange(minutes) / DAY)))


def _series(fleet: Fleet, rng: np.random.Generator) -> Iterator[tuple[SeriesInfo, Floats]]:
    drive, (begin, end) = fleet.load.copy(), fleet.odd
    drive[begin:end] = 0.55 * _usual(fleet.minutes)[begin:end]
    for service, pods in (("checkout", PODS), ("cart", ("cart-a",))):
        for pod in pods:
            at = {"namespace": "shop", "pod": pod, "service": service}
            asked = rng.poisson(fleet.load * MINUTE / len(PODS))
            failed = rng.binomial(asked, 0.01)
            for code, counts in (("200", asked - failed), ("500", failed)):
                yield _named("http_requests_total", {**at, "code": code}), _sum(counts)
            noise = np.exp(rng.normal(0.0, 0.05, (2, fleet.minutes)))
            own = {"namespace": "shop", "pod": pod}
            yield _named("cpu_seconds_total", own), _sum(0.01 * MINUTE * drive * noise[0])
            yield _named("memory_bytes", own), 2e8 + 4e6 * drive * noise[1]


def _named(metric: str, labels: dict[str, str]) -> SeriesInfo:
    kind = SeriesKind.GAUGE if metric == "memory_bytes" else SeriesKind.CUMULATIVE
    return SeriesInfo(labels=tuple(sorted({**labels, "__name__": metric}.items())), kind=kind)


def _sum(counts: NDArray[np.integer] | Floats) -> Floats:
    return np.cumsum(counts).astype(np.float64)


def ids(fleet: Fleet) -> list[int]:
    """The ids of its series."""
    return list(range(len(fleet.series)))


@cache
def fitted(version: int = 1, *, days: int = 14, seed: int = 1) -> FittedModel:
    """A model of the first days of a fleet."""
    panel = Fleet(minutes=days * DAY, seed=seed).panel(10, days * DAY)
    return FittedModel(
        scope=SCOPE,
        at=float(T0 + days * DAY * MINUTE),
        since=float(T0),
        until=float(T0 + days * DAY * MINUTE),
        step_s=STEP_S,
        metrics=panel.metrics,
        artefacts=artefacts_of(to_arrays(fit(panel.x, panel.first, STEP_S, Recipe()))),
        promotion=Promotion(why=Why.FIRST, rows=0),
        version=version,
        columns=panel.columns,
    )


def odd_fleet() -> Fleet:
    """On its fifteenth day CPU and memory part company with requests for two hours."""
    begin = 14 * DAY + 8 * 60
    return Fleet(minutes=15 * DAY, odd=(begin, begin + 120))
