"""What OTLP points belong to, kept by its bytes: with the ids of the points that were seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, NumberDataPoint

from detector.stream.columns import SeriesKind
from pipelines.ingest.decoded import Refusal, Refused
from pipelines.ingest.exponential import Powers, bound_text, grown, regrown
from pipelines.ingest.interning import AT_LIMIT, Interner
from pipelines.ingest.labels import NAME, LabelsError, checked
from pipelines.ingest.otlp_names import (
    attribute_labels,
    metric_name,
    resource_labels,
    scope_labels,
)
from pipelines.ingest.otlp_scan import EXPONENTIAL, GAUGE, HISTOGRAM, SUM, SUMMARY, Metric
from pipelines.ingest.remembered import Learned

__all__ = ["MOST_BUCKETS", "REFUSED", "Context", "Contexts", "Ids", "Part", "attributes_key"]

REFUSED = -1
# Of one histogram: each is a series.
MOST_BUCKETS = 1_000
_DELTA, _CUMULATIVE = 1, 2
_KEYS_PER_SERIES = 2
_MOST_HISTOGRAMS = 100_000
Ids = NDArray[np.int32]
# Suffix of the name, labels beside the point's own, kind.
Part = tuple[str, dict[str, str], SeriesKind]
_Key = tuple[bytes, bytes, bytes, bytes, int, int, int]


class Context:
    """A metric of a scope of a resource, as far as its series have it in common."""

    def __init__(self, contexts: Contexts, key: _Key) -> None:
        self._contexts = contexts
        self.type, self.temporality, self.is_monotonic = key[4], key[5], bool(key[6])
        self.labels: dict[str, str] = {}
        self.name = self.unit = ""
        self.refusal = self._named(key)
        self.points: dict[bytes, int] = {}
        self._histograms: dict[tuple[bytes, bytes, int, int], Ids] = {}
        self._key = key

    def powers(self, attributes: bytes) -> Powers:
        """How far the exponential histogram of some attributes has reached."""
        return self._contexts.powers((*self._key, attributes))

    def _named(self, key: _Key) -> tuple[Refusal, str] | None:
        """Names and labels from bytes; why nothing of it is taken, where that is so."""
        try:
            name, self.unit = str(key[2], "utf-8"), str(key[3], "utf-8")
            self.labels = {**resource_labels(key[0]), **scope_labels(key[1])}
        except (UnicodeDecodeError, DecodeError):
            return Refusal.LABELS, "a resource, scope or metric cannot be read"
        is_counter = self.type == SUM and self.is_monotonic
        self.name = metric_name(name, self.unit, is_counter=is_counter, is_gauge=self.type == GAUGE)
        if not self.name:
            return Refusal.LABELS, "a metric without a name"
        is_timed = self.type in (SUM, HISTOGRAM, EXPONENTIAL)
        if is_timed and self.temporality not in (_DELTA, _CUMULATIVE):
            words = f"metric {name[:80]!r} has no aggregation temporality (delta or cumulative)"
            return Refusal.TEMPORALITY, words
        return None

    @property
    def kind(self) -> SeriesKind:
        """The kind of its counts; the only one, where it is no summary."""
        if self.type == GAUGE or (self.type == SUM and not self.is_monotonic):
            is_delta = self.type == SUM and self.temporality == _DELTA
            return SeriesKind.DELTA if is_delta else SeriesKind.GAUGE
        is_delta = self.temporality == _DELTA and self.type != SUMMARY
        return SeriesKind.DELTA if is_delta else SeriesKind.CUMULATIVE

    def point(self, attributes: bytes, refused: Refused) -> int:
        """The id of a point that was not seen yet; `REFUSED` and counted, where it gets none."""
        labels = _labels(NumberDataPoint, attributes)
        found = self._series(labels, (("", {}, self.kind),), refused)
        if found is None:
            return REFUSED
        self._contexts.count(1)
        id = self.points[attributes] = int(found[0])
        return id

    def histogram(
        self, attributes: bytes, bounds: bytes, buckets: int, has_sum: int, refused: Refused
    ) -> Ids | None:
        """The ids of a histogram's values, in their order; None and counted, if it gets none."""
        key = (attributes, bounds, buckets, has_sum)
        found = self._histograms.get(key)
        if found is not None:
            return found
        edges = np.frombuffer(bounds[: len(bounds) // 8 * 8], dtype="<f8")
        words = _wrong(edges, buckets)
        if words:
            refused.add(Refusal.HISTOGRAM, 1, words)
            return None
        texts = [*map(bound_text, edges.tolist()), "+Inf"] if buckets else []
        parts = self.histogram_parts(texts, has_sum=bool(has_sum))
        return self._kept(key, _labels(HistogramDataPoint, attributes), parts, refused)

    def forget(self, is_gone: NDArray[np.bool_]) -> int:
        """Forget ids that are given away; how many are left."""
        self.points = {key: id for key, id in self.points.items() if not is_gone[id]}
        held = self._histograms.items()
        self._histograms = {key: ids for key, ids in held if not is_gone[ids].any()}
        return len(self.points) + sum(map(len, self._histograms.values()))

    def several(
        self,
        attributes: Sequence[KeyValue],
        shape: tuple[int, int],
        parts: Callable[[], Sequence[Part]],
        refused: Refused,
    ) -> Ids | None:
        """The ids of a point with several values; the `parts` of one shape are always the same."""
        key = (attributes_key(attributes), b"", *shape)
        found = self._histograms.get(key)
        if found is not None:
            return found
        return self._kept(key, attribute_labels(attributes), parts(), refused)

    def _kept(
        self,
        key: tuple[bytes, bytes, int, int],
        labels: dict[str, str] | None,
        parts: Sequence[Part],
        refused: Refused,
    ) -> Ids | None:
        found = self._series(labels, parts, refused)
        if found is not None:
            self._contexts.count(len(found))
            self._histograms[key] = found
        return found

    def histogram_parts(self, bounds: Sequence[str], *, has_sum: bool) -> list[Part]:
        """Suffix, labels and kind of each series of a histogram."""
        suffixes = ["_count", "_sum"] if has_sum else ["_count"]
        plain = [(suffix, dict[str, str](), self.kind) for suffix in suffixes]
        return [*plain, *(("_bucket", {"le": bound}, self.kind) for bound in bounds)]

    def _series(
        self,
        attributes: dict[str, str] | None,
        parts: Sequence[Part],
        refused: Refused,
    ) -> Ids | None:
        """The ids of the series of one point; None and counted, where one gets none."""
        if self.refusal is not None:
            refused.add(self.refusal[0], 1, self.refusal[1])
            return None
        if attributes is None:
            refused.add(Refusal.LABELS, 1, "attributes cannot be read")
            return None
        own = {**self.labels, **attributes}
        try:
            ids = [self._id(own, suffix, more, kind) for suffix, more, kind in parts]
        except LabelsError as error:
            refused.add(Refusal.LABELS, 1, str(error))
            return None
        if AT_LIMIT in ids:
            refused.add(Refusal.SERIES_LIMIT, 1, self._contexts.interner.limit_words)
            return None
        return np.array(ids, dtype=np.int32)

    def _id(self, own: dict[str, str], suffix: str, more: dict[str, str], kind: SeriesKind) -> int:
        labels = checked({**own, **more, NAME: self.name + suffix}.items())
        return self._contexts.interner.id_of(labels, kind, self.unit)


class Contexts:
    """All contexts of a tenant. They are only a memory: forgotten when there are too many keys."""

    def __init__(self, interner: Interner) -> None:
        self.interner = interner
        self._known: dict[_Key, Context] = {}
        self._powers: dict[tuple[bytes | int, ...], Powers] = {}
        self._keys = 0
        interner.forgetting(self._forget)

    def _forget(self, is_gone: NDArray[np.bool_]) -> None:
        left = {key: own.forget(is_gone) for key, own in self._known.items()}
        self._known = {key: own for key, own in self._known.items() if left[key]}
        self._keys = len(self._known) + sum(left.values())

    def of(self, body: bytes, metrics: Sequence[Metric]) -> list[Context]:
        """The context of each metric of a body."""
        if self._keys > _KEYS_PER_SERIES * self.interner.limit + 1_000:
            self._known.clear()
            self._keys = 0
        seen: dict[tuple[int, int], bytes] = {}
        return [self._of(body, metric, seen) for metric in metrics]

    def powers(self, key: tuple[bytes | int, ...]) -> Powers:
        """How far a histogram has reached: remembered by its own count, whatever is forgotten."""
        if len(self._powers) > _MOST_HISTOGRAMS:
            self._powers.clear()
        return self._powers.setdefault(key, Powers())

    def memory(self) -> bytes:
        """What was learned beside the series."""
        return Learned(grown=grown(self._powers)).packed()

    def recall(self, memory: bytes) -> None:
        """Go on from there."""
        self._powers = regrown(Learned.read(memory).grown)

    def count(self, keys: int) -> None:
        """So many more are kept."""
        self._keys += keys

    def _of(self, body: bytes, metric: Metric, seen: dict[tuple[int, int], bytes]) -> Context:
        key = (
            _seen(body, metric[0], metric[1], seen),
            _seen(body, metric[2], metric[3], seen),
            body[metric[4] : metric[5]],
            body[metric[6] : metric[7]],
            metric[8],
            metric[9],
            metric[10],
        )
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Context(self, key)
            self.count(1)
        return found


def _seen(body: bytes, start: int, stop: int, seen: dict[tuple[int, int], bytes]) -> bytes:
    """The same object for the same place: its hash is then computed once."""
    found = seen.get((start, stop))
    if found is None:
        found = seen[start, stop] = body[start:stop]
    return found


def attributes_key(attributes: Sequence[KeyValue]) -> bytes:
    """Bytes that are the same for the same attributes in the same order."""
    return b"".join([pair.SerializeToString() for pair in attributes])


def _labels(message: Any, attributes: bytes) -> dict[str, str] | None:  # noqa: ANN401
    """A point with nothing but its attributes is a point; None where they cannot be read."""
    try:
        return attribute_labels(message.FromString(attributes).attributes)
    except DecodeError:
        return None


def _wrong(edges: NDArray[np.float64], buckets: int) -> str:
    if len(edges) > MOST_BUCKETS:
        return f"a histogram has {len(edges)} bounds, at most {MOST_BUCKETS} are taken"
    if buckets != len(edges) + 1 and (buckets or len(edges)):
        return f"a histogram has {buckets} buckets for {len(edges)} bounds"
    if not np.all(edges[1:] > edges[:-1]) or not np.isfinite(edges).all():
        return "the bounds of a histogram do not increase"
    return ""
