"""Spans as columns: what every door for traces makes, and what the operator over spans reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import Origin

__all__ = ["NOBODY", "Peer", "PeerKind", "SpanKind", "SpanStatus", "Spans"]


class SpanKind(IntEnum):
    """On which side of a call a span was measured, as OTLP numbers them."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class SpanStatus(IntEnum):
    """What its writer says of how a span ended, as OTLP numbers them."""

    UNSET = 0
    OK = 1
    ERROR = 2


class PeerKind(Enum):
    """What the other end of a call is, as far as this end knows."""

    SERVICE = "service"
    DATABASE = "database"
    MESSAGING = "messaging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other end of a call, by the name that this end has for it; empty where it has none."""

    kind: PeerKind
    name: str


NOBODY = Peer(kind=PeerKind.SERVICE, name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """N spans in the order in which they came: all of one tenant.

    `trace` uint8 (N, 16), `span` uint64 (N,), `parent` uint64 (N,): ids, `parent` 0 of a root.
    `start` int64 (N,): unix nanoseconds by the clock of who wrote it. `duration` int64 (N,):
    nanoseconds, never negative. `kind` uint8 (N,): `SpanKind`. `status` uint8 (N,): `SpanStatus`,
    an answer of HTTP that says 5xx being an error too. `operation`, `peer`, `origin` int32 (N,):
    places in `operations`, `peers`, `origins`. `taken`: unix milliseconds when the door took them
    by our clock, which is what their lateness goes by: clocks of services differ.
    """

    trace: NDArray[np.uint8]
    span: NDArray[np.uint64]
    parent: NDArray[np.uint64]
    start: NDArray[np.int64]
    duration: NDArray[np.int64]
    kind: NDArray[np.uint8]
    status: NDArray[np.uint8]
    operation: NDArray[np.int32]
    peer: NDArray[np.int32]
    origin: NDArray[np.int32]
    operations: tuple[str, ...]
    peers: tuple[Peer, ...]
    origins: tuple[Origin, ...]
    taken: int

    def __len__(self) -> int:
        return len(self.span)
