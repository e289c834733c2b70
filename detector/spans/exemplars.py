"""Traces to look at: the slowest and those that failed, and what took longest in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.spans.names import Operation
from detector.spans.state import KeptTrace, SpanState
from models.traces.chosen import FAILED, SLOWEST

__all__ = ["Exemplar", "Sought", "exemplars"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Of which requests: to a service, to one of its versions or operations, between two times.

    `since` and `until`: unix milliseconds, when requests began.
    """

    service: str
    since: int
    until: int
    version: str | None = None
    operation: str | None = None
    is_failed: bool | None = None
    most: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A request that is worth a look. `at` unix milliseconds; ids in hexadecimal.

    `longest` spent most of its time, `longest_s`, on the critical path.
    """

    trace: str
    span: str
    at: int
    duration_s: float
    has_failed: bool
    version: str
    entry: Operation
    longest: Operation
    longest_s: float


def exemplars(state: SpanState, sought: Sought) -> tuple[Exemplar, ...]:
    """Failed ones first, then the slowest; each trace once."""
    _, nodes, operations = state.names.listed()
    found: dict[tuple[bytes, int], KeptTrace] = {}
    for kept in state.traces:
        wanted, node = kept.wanted, nodes[kept.wanted.node]
        is_meant = node.name == sought.service and sought.since <= wanted.at <= sought.until
        is_meant &= bool(wanted.why & (SLOWEST | FAILED))
        is_meant &= sought.version in (None, node.version)
        is_meant &= sought.operation in (None, operations[wanted.operation].name)
        if is_meant and sought.is_failed in (None, wanted.failed):
            found[wanted.trace, wanted.span] = kept
    chosen = sorted(found.values(), key=lambda kept: (-kept.wanted.failed, -kept.wanted.duration))
    return tuple(_exemplar(state, kept) for kept in chosen[: sought.most])


def _exemplar(state: SpanState, kept: KeptTrace) -> Exemplar:
    _, nodes, operations = state.names.listed()
    wanted = kept.wanted
    longest = int(np.argmax(kept.path)) if len(kept.path) else -1
    return Exemplar(
        trace=wanted.trace.hex(),
        span=f"{wanted.span:016x}",
        at=wanted.at,
        duration_s=wanted.duration / 1e9,
        has_failed=wanted.failed,
        version=nodes[wanted.node].version,
        entry=operations[wanted.operation],
        longest=operations[int(kept.operations[longest]) if longest >= 0 else wanted.operation],
        longest_s=float(kept.path[longest]) / 1e9 if longest >= 0 else 0.0,
    )
