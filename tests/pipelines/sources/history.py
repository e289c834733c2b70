"""One history for every source: odd labels, gaps, resets, NaN, late births, replicas, jitter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from detector.series import FloatArray, Matcher, MatchOp, Query
from pipelines.sources.memory import MemorySource

__all__ = [
    "HISTORY",
    "ODD_VALUE",
    "SPAN_S",
    "T0",
    "Recorded",
    "expected",
    "exposition",
    "openmetrics",
    "remember",
]

T0 = 1_767_225_600.0  # 2026-01-01: blocks of a past year stay within the retention
SPAN_S = 3600.0
ODD_VALUE = 'say "hi" \\ {a="b"}, näive\nnext'


@dataclass(frozen=True, slots=True)
class Recorded:
    """One series of the history."""

    labels: dict[str, str]
    times: FloatArray
    values: FloatArray


def _grid(interval_s: float, *, start_s: float = 0.0, jitter_s: float = 0.0) -> FloatArray:
    plain = T0 + np.arange(start_s, SPAN_S, interval_s)
    jitter = np.random.default_rng(7).uniform(0, jitter_s, plain.size)
    grid: FloatArray = np.round(plain + jitter, 3)
    return grid


def _count(times: FloatArray) -> FloatArray:
    return np.cumsum(np.ones(times.size))


def _recorded() -> Iterator[Recorded]:
    steady = _grid(15)
    for pod, code in (("a-1", "200"), ("a-1", "500"), ("b-2", "200")):
        labels = {"__name__": "shop_requests_total", "pod": pod, "code": code}
        yield Recorded(labels, steady, _count(steady))
    late = _grid(15, start_s=1800)
    yield Recorded(
        {"__name__": "shop_requests_total", "pod": "late", "code": "200"}, late, _count(late)
    )
    gap = steady[(steady < T0 + 600) | (steady > T0 + 1200)]
    reset = np.where(gap < T0 + 2000, _count(gap), _count(gap) - 100)
    yield Recorded({"__name__": "shop_gap_total", "pod": "a-1"}, gap, reset)
    for replica in ("1", "2"):
        times = _grid(30, jitter_s=0.9 * float(replica))
        yield Recorded({"__name__": "shop_ha_total", "replica": replica}, times, _count(times))
    gauge = _grid(60)
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-300, 1.5e300, 0.1, 1e20, 12345678.9])
    yield Recorded({"__name__": "shop_odd"}, gauge, np.resize(odd, gauge.size))
    yield Recorded({"__name__": "shop_labels", "odd": ODD_VALUE, "plain": "x"}, gauge, gauge - T0)


HISTORY: Sequence[Recorded] = tuple(_recorded())
NAMES = tuple(dict.fromkeys(series.labels["__name__"] for series in HISTORY))


def remember(store: MemorySource) -> MemorySource:
    """Put the history into a store."""
    for series in HISTORY:
        store.add(series.labels, series.times, series.values)
    return store


def openmetrics(recorded: Sequence[Recorded] = HISTORY) -> str:
    """Series as promtool reads them."""
    lines: list[str] = []
    for name in dict.fromkeys(series.labels["__name__"] for series in recorded):
        kind = "counter" if name.endswith("_total") else "gauge"
        lines.append(f"# TYPE {name.removesuffix('_total')} {kind}")
        for series in recorded:
            if series.labels["__name__"] == name:
                lines += _lines(series)
    return "\n".join([*lines, "# EOF", ""])


def _lines(series: Recorded) -> Iterator[str]:
    pairs = ",".join(
        f'{name}="{_escaped(value)}"' for name, value in series.labels.items() if name != "__name__"
    )
    prefix = f"{series.labels['__name__']}{{{pairs}}}"
    for time, value in zip(series.times, series.values, strict=True):
        number = repr(float(value)).replace("nan", "NaN").replace("inf", "Inf")
        yield f"{prefix} {number} {time:.3f}"


def exposition(recorded: Iterable[Recorded] = HISTORY) -> str:
    """Series as VictoriaMetrics imports them: times in milliseconds."""
    lines = (line.rpartition(" ") for series in recorded for line in _lines(series))
    return "".join(f"{sample} {round(float(time) * 1000)}\n" for sample, _, time in lines)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def expected(metric: str, start: float, end: float) -> dict[frozenset[tuple[str, str]], FloatArray]:
    """Samples of a metric with `start < time <= end`, shape (2, samples), by labels."""
    found = {}
    for series in HISTORY:
        kept = (series.times > start) & (series.times <= end)
        if series.labels["__name__"] == metric and kept.any():
            key = frozenset(series.labels.items())
            found[key] = np.stack([series.times[kept], series.values[kept]])
    return found


def query(metric: str, *matchers: tuple[str, str, str]) -> Query:
    """`query("up", ("job", "=~", "a|b"))`."""
    return Query(metric, tuple(Matcher(label, MatchOp(op), value) for label, op, value in matchers))
