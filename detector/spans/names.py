"""Services, operations and ends of calls with their numbers, which are dense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.gate.presence import revision_keys
from detector.logs.lines import Origin
from detector.spans.codes import counted
from detector.spans.columns import NOBODY, Peer, PeerKind, Spans
from detector.spans.settings import OTHER, SpanSettings

__all__ = ["OUTSIDE", "Names", "Node", "NodeKind", "Numbered", "Operation"]


class NodeKind(Enum):
    """What an end of calls is: one that sends spans, or one that others tell of."""

    OUTSIDE = "outside"
    SERVICE = "service"
    UNSEEN = "unseen_service"
    DATABASE = "database"
    MESSAGING = "messaging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An end of calls: a version of a service, or what has no spans of its own.

    `version` is the pod template's hash where nobody told a version.
    """

    kind: NodeKind
    name: str
    namespace: str = ""
    cluster: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a service does when it is called, or calls."""

    service: str
    name: str


NameT = TypeVar("NameT")
OUTSIDE = Node(kind=NodeKind.OUTSIDE, name="")
_OF_PEER = {
    PeerKind.SERVICE: NodeKind.UNSEEN,
    PeerKind.DATABASE: NodeKind.DATABASE,
    PeerKind.MESSAGING: NodeKind.MESSAGING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """N spans with numbers for names: `origin`, `node`, `operation`, `peer` (N,); `peer` -1: none.

    `is_told` (N,): whether the peer is a database or a queue, of which no spans are waited for.
    """

    origin: NDArray[np.int64]
    node: NDArray[np.int32]
    operation: NDArray[np.int32]
    peer: NDArray[np.int32]
    is_told: NDArray[np.bool_]


class Names:
    """All names of a tenant. Where there are too many, whoever holds numbers begins anew."""

    def __init__(self, settings: SpanSettings) -> None:
        self._settings = settings
        self.origins: dict[Origin, int] = {}
        self.nodes: dict[Node, int] = {OUTSIDE: 0}
        self.operations: dict[Operation, int] = {}
        # Of each service the operations that came since a time, unix milliseconds.
        self.used: dict[str, set[int]] = {}
        self.since = 0
        # Numbers of those in `used` by service and name: most spans have one of these.
        self._again: dict[str, dict[str, int]] = {}

    @property
    def is_full(self) -> bool:
        """Whether numbers are used up."""
        most = self._settings.names
        return max(len(self.origins), len(self.nodes), len(self.operations)) > most

    def numbered(self, spans: Spans) -> tuple[Numbered, int]:
        """The numbers of spans, new ones if need be; and of how many the operation is `other`."""
        origins = [self._number(self.origins, origin) for origin in spans.origins]
        nodes = [self._number(self.nodes, _node(origin)) for origin in spans.origins]
        peers = [self._peer(peer) for peer in spans.peers]
        is_told = [peer.kind is not PeerKind.SERVICE for peer in spans.peers]
        operation, folded = self._operations(spans)
        numbered = Numbered(
            origin=np.array(origins, dtype=np.int64)[spans.origin],
            node=np.array(nodes, dtype=np.int32)[spans.origin],
            operation=operation,
            peer=np.array(peers, dtype=np.int32)[spans.peer],
            is_told=np.array(is_told, dtype=np.bool_)[spans.peer],
        )
        return numbered, folded

    def listed(self) -> tuple[Sequence[Origin], Sequence[Node], Sequence[Operation]]:
        """All of them in the order of their numbers."""
        return list(self.origins), list(self.nodes), list(self.operations)

    def turn(self, at: int) -> None:
        """From time to time those that do not come any more make room for new ones."""
        if at - self.since >= 1000 * self._settings.idle_s:
            self.used, self.since = {}, at
            self._again = {}

    def restore(
        self, origins: Sequence[Origin], nodes: Sequence[Node], operations: Sequence[Operation]
    ) -> None:
        """Give the numbers that `listed` told."""
        self.origins = {name: number for number, name in enumerate(origins)}
        self.nodes = {name: number for number, name in enumerate(nodes)}
        self.operations = {name: number for number, name in enumerate(operations)}
        self._again = {}

    def _operations(self, spans: Spans) -> tuple[NDArray[np.int32], int]:
        """Each pair of a service and an operation that is there is looked up once."""
        pairs = spans.origin.astype(np.int64) * len(spans.operations) + spans.operation
        codes, inverse, counts = counted(pairs, len(spans.origins) * len(spans.operations))
        numbers = np.zeros(len(codes), dtype=np.int32)
        folded = 0
        for place, code in enumerate(codes.tolist()):
            origin, operation = divmod(code, len(spans.operations))
            service, name = spans.origins[origin].service, spans.operations[operation]
            again = self._again.setdefault(service, {})
            number = again[name] if name in again else self._operation(service, name)
            folded += 0 if number >= 0 else int(counts[place])
            numbers[place] = number if number >= 0 else self._other(service)
        return numbers[inverse], folded

    def _operation(self, service: str, name: str) -> int:
        """The number of an operation; -1 where its service has as many as it may."""
        operation = Operation(service=service, name=name)
        used = self.used.setdefault(service, set())
        found = self.operations.get(operation)
        if found is None and len(used) >= self._settings.operations_of_service:
            return -1
        number = self._number(self.operations, operation)
        used.add(number)
        self._again[service][name] = number
        return number

    def _other(self, service: str) -> int:
        return self._number(self.operations, Operation(service=service, name=OTHER))

    def _peer(self, peer: Peer) -> int:
        if peer == NOBODY or not peer.name:
            return -1
        return self._number(self.nodes, Node(kind=_OF_PEER[peer.kind], name=peer.name))

    @staticmethod
    def _number(known: dict[NameT, int], name: NameT) -> int:
        return known.setdefault(name, len(known))


@lru_cache(maxsize=1 << 14)
def _node(origin: Origin) -> Node:
    return Node(
        kind=NodeKind.SERVICE,
        name=origin.service,
        namespace=origin.namespace,
        cluster=origin.cluster,
        version=origin.version or _revision(origin.pod),
    )


def _revision(pod: str) -> str:
    """The pod template's hash stands in for a version that nobody told."""
    keys = revision_keys(pod, {})
    return next((key.removeprefix("hash:") for key in keys), "")
