"""Rate, errors and duration of operations, as the span-metrics connector names them.

https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import Origin
from detector.spans.columns import SpanKind, SpanStatus
from detector.spans.names import Operation
from detector.spans.settings import LATENCY_BOUNDS_S
from detector.spans.state import SpanState

__all__ = ["CALLS", "DURATION", "Red", "keys_of", "red", "red_of", "samples_of", "values_of"]

CALLS = "traces_span_metrics_calls_total"
DURATION = "traces_span_metrics_duration_seconds"
_BOUNDS = (*map(repr, LATENCY_BOUNDS_S), "+Inf")
_ORIGIN, _OPERATION, _KIND = 32, 8, 4
_MANY, _FEW = (1 << 24) - 1, 0xF
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Red:
    """Spans of one kind and status of an operation, by who wrote them; all since the beginning.

    `within`: how many took up to each bound of `LATENCY_BOUNDS_S` and more than the one before,
    and at last how many took longer than all.
    """

    origin: Origin
    operation: Operation
    kind: SpanKind
    status: SpanStatus
    calls: int
    total_s: float
    within: tuple[int, ...]

    def labels(self) -> Labels:
        """Sorted by name; what nobody told is left out."""
        told = {
            "k8s_cluster_name": self.origin.cluster,
            "k8s_namespace_name": self.origin.namespace,
            "k8s_pod_name": self.origin.pod,
            "service_name": self.origin.service,
            "service_version": self.origin.version,
            "span_kind": f"SPAN_KIND_{self.kind.name}",
            "span_name": self.operation.name,
            "status_code": f"STATUS_CODE_{self.status.name}",
        }
        return tuple((name, value) for name, value in told.items() if value)


def keys_of(
    origin: NDArray[np.int64],
    operation: NDArray[np.int32],
    kind: NDArray[np.uint8],
    status: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """What spans are counted by, as one number each."""
    keys = origin << _ORIGIN | operation.astype(np.int64) << _OPERATION
    keys |= kind.astype(np.int64) << _KIND | status
    return keys


def red(state: SpanState, *, since: int = 0) -> Iterator[Red]:
    """What was counted, of those who had a call since then (unix milliseconds)."""
    tally = state.tally
    return red_of(state, np.flatnonzero(tally.last[: len(tally.rows)] >= since))


def red_of(state: SpanState, rows: NDArray[np.int64]) -> Iterator[Red]:
    """What was counted, of some rows of the state's tally."""
    origins, _, operations = state.names.listed()
    tally = state.tally
    for row in rows.tolist():
        key = int(tally.rows.keys[row])
        yield Red(
            origin=origins[key >> _ORIGIN],
            operation=operations[key >> _OPERATION & _MANY],
            kind=SpanKind(key >> _KIND & _FEW),
            status=SpanStatus(key & _FEW),
            calls=int(tally.calls[row]),
            total_s=float(tally.total[row]) / 1e9,
            within=tuple(tally.within[row].tolist()),
        )


def values_of(state: SpanState, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(rows, samples): the values of `samples_of` for some rows of the state's tally, in order."""
    tally = state.tally
    calls = tally.calls[rows].astype(np.float64)[:, None]
    seconds = tally.total[rows].astype(np.float64)[:, None] / 1e9
    within = np.cumsum(tally.within[rows], axis=1).astype(np.float64)
    return np.hstack([calls, calls, seconds, within])


def samples_of(found: Red) -> Iterator[tuple[str, Labels, float]]:
    """The samples of it: name, labels and value; buckets are cumulated."""
    labels = found.labels()
    yield CALLS, labels, float(found.calls)
    yield f"{DURATION}_count", labels, float(found.calls)
    yield f"{DURATION}_sum", labels, found.total_s
    so_far = 0
    for bound, count in zip(_BOUNDS, found.within, strict=True):
        so_far += count
        place = sum(name < "le" for name, _ in labels)
        yield (
            f"{DURATION}_bucket",
            (*labels[:place], ("le", bound), *labels[place:]),
            float(so_far),
        )
