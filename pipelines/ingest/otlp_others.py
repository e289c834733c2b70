"""OTLP points that are rarer: exponential histograms and summaries, read by the library."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    SummaryDataPoint,
)

from detector.stream.columns import STALE, Columns, SeriesKind
from pipelines.ingest.decoded import Refusal, Refused, Window, windowed
from pipelines.ingest.exponential import Exponential, bound_text
from pipelines.ingest.otlp_context import MOST_BUCKETS, Context, Ids, Part, attributes_key
from pipelines.ingest.otlp_scan import SUMMARY

__all__ = ["exploded"]

_Values = tuple[Ids, NDArray[np.float64]]
_Point = tuple[Ids, int, NDArray[np.float64]]
_SCALES = range(-10, 21)


def exploded(
    body: bytes,
    others: Sequence[tuple[int, int, int]],
    contexts: Sequence[Context],
    window: Window,
    refused: Refused,
) -> Columns:
    """The samples of points given as owner, begin and end."""
    found = [_point(contexts[owner], body[a:b], window, refused) for owner, a, b in others]
    points = [point for point in found if point is not None]
    counts = [len(ids) for ids, _, _ in points]
    return Columns(
        series=np.concatenate([p[0] for p in points] or [np.zeros(0, dtype=np.int32)]),
        at=np.repeat(np.array([p[1] for p in points], dtype=np.int64), counts),
        value=np.concatenate([p[2] for p in points] or [np.zeros(0)]),
    )


def _point(context: Context, body: bytes, window: Window, refused: Refused) -> _Point | None:
    is_summary = context.type == SUMMARY
    try:
        kind: Any = SummaryDataPoint if is_summary else ExponentialHistogramDataPoint
        point = kind.FromString(body)
    except DecodeError:
        refused.add(Refusal.HISTOGRAM, 1, "a point cannot be read")
        return None
    at = point.time_unix_nano // 1_000_000
    # A point is refused as a whole, and before its series get ids.
    one = np.zeros(1, dtype=np.int32)
    if not len(windowed(one, np.array([at], dtype=np.int64), np.zeros(1), window, refused)):
        return None
    told = _summary(context, point, refused) if is_summary else _spread(context, point, refused)
    if told is None:
        return None
    ids, values = told
    return ids, at, np.full(len(ids), STALE) if point.flags & 1 else values


def _summary(context: Context, point: SummaryDataPoint, refused: Refused) -> _Values | None:
    quantiles = [bound_text(told.quantile) for told in point.quantile_values]
    if len(quantiles) > MOST_BUCKETS:
        refused.add(Refusal.HISTOGRAM, 1, f"a summary of {len(quantiles)} quantiles")
        return None
    shape = (zlib.crc32(" ".join(quantiles).encode()), len(quantiles))
    ids = context.several(point.attributes, shape, lambda: _summary_parts(quantiles), refused)
    if ids is None:
        return None
    values = [told.value for told in point.quantile_values]
    return ids, np.array([point.count, point.sum, *values], dtype=np.float64)


def _summary_parts(quantiles: Sequence[str]) -> list[Part]:
    counted, gauge = SeriesKind.CUMULATIVE, SeriesKind.GAUGE
    told: list[Part] = [("", {"quantile": quantile}, gauge) for quantile in quantiles]
    return [("_count", {}, counted), ("_sum", {}, counted), *told]


def _spread(
    context: Context, point: ExponentialHistogramDataPoint, refused: Refused
) -> _Values | None:
    if point.scale not in _SCALES:
        refused.add(Refusal.HISTOGRAM, 1, f"a histogram of scale {point.scale}")
        return None
    histogram = Exponential(
        scale=point.scale,
        offset=point.positive.offset,
        counts=np.array(point.positive.bucket_counts, dtype=np.float64),
        below=float(point.zero_count) + float(sum(point.negative.bucket_counts)),
    )
    key, has_sum = attributes_key(point.attributes), point.HasField("sum")
    shown = context.powers(key).widened(histogram)
    # The powers from the first to the last, of which a coarse scale shows each second or fourth.
    shape = (int(shown[0]) if len(shown) else 0, 2 * (point.scale * 4096 + len(shown)) + has_sum)
    ids = context.several(
        point.attributes, shape, lambda: _spread_parts(context, shown, has_sum=has_sum), refused
    )
    if ids is None:
        return None
    head = [float(point.count), point.sum] if has_sum else [float(point.count)]
    return ids, np.concatenate((head, histogram.up_to(shown), [float(point.count)]))


def _spread_parts(context: Context, powers: NDArray[np.int64], *, has_sum: bool) -> list[Part]:
    bounds = map(bound_text, np.ldexp(1.0, powers).tolist())
    return context.histogram_parts([*bounds, "+Inf"], has_sum=has_sum)
