"""Spans as tests write them: what their tests share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.logs.lines import Origin
from detector.spans.columns import NOBODY, Peer, PeerKind, SpanKind, Spans, SpanStatus
from detector.spans.settings import SpanSettings

__all__ = ["NOW_MS", "SMALL", "Written", "call_of", "columns", "queue"]

NOW_MS = 1_764_000_000_000
NS = 1_000_000
SMALL = SpanSettings(
    series=500, edges=200, seen=2_000, waiting=500, recent=4_000, groups=100, spans_of_trace=200
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A span; times in milliseconds since `NOW_MS`."""

    trace: int = 1
    span: int = 1
    parent: int = 0
    start: int = 0
    ms: int = 10
    kind: SpanKind = SpanKind.SERVER
    failed: bool = False
    operation: str = "work"
    peer: Peer = NOBODY
    service: str = "web"
    version: str = "v1"
    pod: str = "web-1"

    @property
    def origin(self) -> Origin:
        """Who wrote it."""
        return Origin(service=self.service, version=self.version, pod=self.pod)


def columns(written: Sequence[Written], *, taken: int = 0) -> Spans:
    """As a door makes them, `taken` so many milliseconds after `NOW_MS`."""
    operations = tuple(dict.fromkeys(one.operation for one in written))
    peers = tuple(dict.fromkeys(one.peer for one in written))
    origins = tuple(dict.fromkeys(one.origin for one in written))
    traces = b"".join(one.trace.to_bytes(16, "big") for one in written)
    return Spans(
        trace=np.frombuffer(traces, dtype=np.uint8).reshape(-1, 16),
        span=np.array([one.span for one in written], dtype=np.uint64),
        parent=np.array([one.parent for one in written], dtype=np.uint64),
        start=np.array([(NOW_MS + one.start) * NS for one in written], dtype=np.int64),
        duration=np.array([one.ms * NS for one in written], dtype=np.int64),
        kind=np.array([one.kind for one in written], dtype=np.uint8),
        status=np.array(
            [SpanStatus.ERROR if one.failed else SpanStatus.UNSET for one in written],
            dtype=np.uint8,
        ),
        operation=np.array([operations.index(one.operation) for one in written], dtype=np.int32),
        peer=np.array([peers.index(one.peer) for one in written], dtype=np.int32),
        origin=np.array([origins.index(one.origin) for one in written], dtype=np.int32),
        operations=operations,
        peers=peers,
        origins=origins,
        taken=NOW_MS + taken,
    )


def queue(name: str) -> Peer:
    """A topic."""
    return Peer(kind=PeerKind.MESSAGING, name=name)


def call_of(
    trace: int, *, version: str = "v1", start: int = 0, query_ms: int = 20, own_ms: int = 30,
    failed: bool = False, skew: int = 0,
) -> list[Written]:  # fmt: skip
    """A request to checkout by web, with a query; `skew`: how far ahead its clock is."""
    web = Written(
        trace=trace, span=1, start=start, ms=own_ms + query_ms + 20, operation="POST /buy",
        failed=failed,
    )  # fmt: skip
    call = replace(
        web, span=2, parent=1, start=start + 5, ms=own_ms + query_ms + 10, kind=SpanKind.CLIENT,
        operation="POST", peer=Peer(kind=PeerKind.SERVICE, name="checkout.svc"), failed=False,
    )  # fmt: skip
    served = replace(
        call, span=3, parent=2, start=start + 10 + skew, ms=own_ms + query_ms,
        kind=SpanKind.SERVER, operation="POST /orders", service="checkout", version=version,
        pod=f"checkout-{version}", peer=NOBODY, failed=failed,
    )  # fmt: skip
    query = replace(
        served, span=4, parent=3, start=start + 15 + skew, ms=query_ms, kind=SpanKind.CLIENT,
        operation="SELECT orders", peer=Peer(kind=PeerKind.DATABASE, name="postgresql:shop"),
        failed=False,
    )  # fmt: skip
    return [web, call, served, query]
