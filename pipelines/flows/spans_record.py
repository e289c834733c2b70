"""Spans as they are spooled: their columns as bytes, with the names that they speak of."""

from __future__ import annotations

import msgspec
import numpy as np

from detector.logs.lines import Origin
from detector.spans.columns import Peer, Spans

__all__ = ["Served", "SpanColumns", "columns_of"]

_KINDS = {
    "trace": np.uint8,
    "span": np.uint64,
    "parent": np.uint64,
    "start": np.int64,
    "duration": np.int64,
    "kind": np.uint8,
    "status": np.uint8,
    "operation": np.int32,
    "peer": np.int32,
    "origin": np.int32,
}


class SpanColumns(msgspec.Struct, frozen=True, array_like=True):
    """`Spans` as bytes; `columns` are in the order in which `Spans` has them."""

    columns: tuple[bytes, ...]
    operations: tuple[str, ...]
    peers: tuple[Peer, ...]
    origins: tuple[Origin, ...]
    taken: int

    def spans(self) -> Spans:
        """The same as columns."""
        found = {
            name: np.frombuffer(body, kind)
            for (name, kind), body in zip(_KINDS.items(), self.columns, strict=True)
        }
        trace = found.pop("trace").reshape(-1, 16)
        return Spans(
            trace=trace,
            operations=self.operations,
            peers=self.peers,
            origins=self.origins,
            taken=self.taken,
            **found,
        )


class Served(msgspec.Struct, frozen=True, array_like=True):
    """Calls that P operations answered, as bytes.

    `ids` int32 (P, 4): series of its own, of the share that failed and of latency, and those of its
    service; -1 for none. `calls` and `failed` int64 (P,). How long they took: so many (`count`
    int32 (K,)) of an operation (`of` int32 (K,)) are in a bin (`bin` uint8 (K,)).
    """

    ids: bytes
    calls: bytes
    failed: bytes
    of: bytes
    bin: bytes
    count: bytes


def columns_of(spans: Spans) -> SpanColumns:
    """Spans as they are spooled."""
    columns = tuple(
        np.ascontiguousarray(getattr(spans, name), kind).tobytes() for name, kind in _KINDS.items()
    )
    return SpanColumns(columns, spans.operations, spans.peers, spans.origins, spans.taken)
