"""Native histograms as the classic ones they would be: cumulative counts at fixed edges.

Edges are powers of the square root of two, of which every schema from 1 up has them exactly;
a coarser one is divided evenly over log latency. So both sides of a rollout have the same
buckets, whatever resolution their targets chose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from detector.selector import matches
from detector.series import Answer, Columns, FloatArray, Matcher, MatchOp, Query, Series
from detector.signals.packs import Pack

__all__ = ["EDGES", "Natives", "as_classic", "bases_of"]

# 0.1 ms to 90 s, in seconds; 40 buckets are as many as a comparison of two versions can use.
EDGES: FloatArray = 2.0 ** (np.arange(-26, 14) / 2)
_BUCKET, _COUNT = "_bucket", "_count"
_WHOLE = "+Inf"
_MILLI = ("milliseconds", "_ms")
_TINY = 1e-12


class _Histogram(msgspec.Struct, gc=False):
    count: str
    buckets: list[tuple[int, str, str, str]] = []


_histograms = msgspec.json.Decoder(list[tuple[float, _Histogram]])


def as_classic(metric: Mapping[str, str], body: bytes, start: float, end: float) -> list[Series]:
    """The bucket series of one native histogram; samples with `start < time <= end`.

    Raises `ValueError` for what is no list of histograms.
    """
    told = [(at, one) for at, one in _histograms.decode(body) if start < at <= end]
    if not told:
        return []
    name = metric.get("__name__", "")
    edges = EDGES * (1000.0 if name.endswith(_MILLI) or _MILLI[0] in name else 1.0)
    times = np.array([at for at, _ in told])
    counts = np.stack([_cumulative(one, edges) for _, one in told])
    named = {**metric, "__name__": name + _BUCKET}
    return [
        Series(labels={**named, "le": le}, times=times, values=np.ascontiguousarray(counts[:, at]))
        for at, le in enumerate([*map(_edge, edges.tolist()), _WHOLE])
    ]


def _edge(value: float) -> str:
    return f"{value:.6g}"


def _cumulative(histogram: _Histogram, edges: FloatArray) -> FloatArray:
    """Counts up to each edge and in all, (len(edges) + 1,)."""
    total = float(histogram.count)
    if not histogram.buckets:
        return np.append(np.zeros(len(edges)), total)
    low, high, count = np.array([bucket[1:] for bucket in histogram.buckets], np.float64).T
    bottom, top = np.log(np.maximum(low, _TINY)), np.log(np.maximum(high, 2 * _TINY))
    width = np.maximum(np.where(np.isfinite(top), top, np.inf) - bottom, _TINY)
    below = np.clip((np.log(edges) - bottom[:, None]) / width[:, None], 0.0, 1.0)
    return np.append(count @ below, total)


def bases_of(packs: Iterable[Pack]) -> frozenset[str]:
    """Names without suffix of the histograms that packs know."""
    named: list[str] = []
    for pack in packs:
        named += [one.metric for one in pack.requests]
        named += [one.metric for one in pack.durations]
        named += [one.metric for one in pack.signals]
    return frozenset(_base(name) for name in named if name != _base(name))


class Natives:
    """Which histograms a source has in their native form only, and what is asked for instead.

    `bases`: names without suffix of the histograms that matter. A source that has no native
    histograms is asked as ever.
    """

    def __init__(self, bases: frozenset[str]) -> None:
        self._bases = bases
        self._known: frozenset[str] = frozenset()
        self.is_told = False

    def told(self, names: frozenset[str]) -> frozenset[str]:
        """The names of a source as they would be, were its histograms classic."""
        self._known = frozenset(
            base
            for base in self._bases & names
            if base + _BUCKET not in names and base + _COUNT not in names
        )
        self.is_told = True
        named = {base + suffix for base in self._known for suffix in (_BUCKET, _COUNT)}
        return (names - self._known) | named

    def concern(self, queries: Sequence[Query]) -> bool:
        """Whether a query might be for a histogram of ours."""
        return any(_base(query.metric) in self._bases for query in queries)

    def instead(self, query: Query) -> Query:
        """What is sent in place of a query."""
        if not self._is_native(query):
            return query
        return Query(_base(query.metric), tuple(m for m in query.matchers if m.label != "le"))

    def answered(self, query: Query, answer: Answer) -> Answer:
        """What the answer to `instead` says of the query."""
        if not self._is_native(query):
            return answer
        counted = query.metric.endswith(_COUNT)
        own = (*_edges_of(query), *((_IN_ALL,) if counted else ()))
        kept = [s for s in answer.series if all(matches(m, s.labels) for m in own)]
        if counted:
            kept = [_renamed(series, query.metric) for series in kept]
        return Answer(series=Columns.of(kept) if kept else (), warnings=answer.warnings)

    def listed(
        self, queries: Sequence[Query], found: Sequence[Mapping[str, str]]
    ) -> list[Mapping[str, str]]:
        """Label sets in the catalogue, under the names by which they were asked for."""
        forms = [query for query in queries if self._is_native(query)]
        out: list[Mapping[str, str]] = []
        for labels in found:
            name = labels.get("__name__", "")
            if name not in self._known:
                out.append(labels)
                continue
            mine = [q for q in forms if _base(q.metric) == name and _fits(q, labels)]
            out += [_form(metric, labels) for metric in dict.fromkeys(q.metric for q in mine)]
        return out

    def edges(self, queries: Sequence[Query]) -> tuple[str, ...]:
        """Values of `le`, which no native histogram has; none where nothing native is asked."""
        if not any(self._is_native(query) for query in queries):
            return ()
        return (*map(_edge, EDGES.tolist()), _WHOLE)

    def _is_native(self, query: Query) -> bool:
        return _base(query.metric) in self._known and query.metric != _base(query.metric)


_IN_ALL = Matcher("le", MatchOp.EQUAL, _WHOLE)


def _base(metric: str) -> str:
    return metric.removesuffix(_BUCKET).removesuffix(_COUNT)


def _edges_of(query: Query) -> tuple[Matcher, ...]:
    return tuple(matcher for matcher in query.matchers if matcher.label == "le")


def _fits(query: Query, labels: Mapping[str, str]) -> bool:
    return all(matches(m, labels) for m in query.matchers if m.label != "le")


def _form(metric: str, labels: Mapping[str, str]) -> Mapping[str, str]:
    whole = {"le": _WHOLE} if metric.endswith(_BUCKET) else {}
    return {**labels, **whole, "__name__": metric}


def _renamed(series: Series, metric: str) -> Series:
    labels = {k: v for k, v in series.labels.items() if k != "le"} | {"__name__": metric}
    return Series(labels=labels, times=series.times, values=series.values)
