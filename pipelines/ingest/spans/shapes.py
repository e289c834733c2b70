"""Names of spans by their shapes: each is worked out once, when the shape first comes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.spans.columns import NOBODY, Peer, SpanKind
from detector.spans.naming import Told, operation_of, peer_of
from pipelines.ingest.spans.keys import Slot
from pipelines.ingest.spans.shapes_scan import MOST_SHAPES, SHAPES, made

__all__ = ["OTHER", "Named", "Names", "told_of"]

# The operation of a span whose shape had no room.
OTHER = "other"
_FIELDS = {
    int(Slot.NAME): "name",
    int(Slot.METHOD): "method",
    int(Slot.ROUTE): "route",
    int(Slot.TEMPLATE): "template",
    int(Slot.RPC_SYSTEM): "rpc_system",
    int(Slot.RPC_SERVICE): "rpc_service",
    int(Slot.RPC_METHOD): "rpc_method",
    int(Slot.DB_SYSTEM): "db_system",
    int(Slot.DB_SUMMARY): "db_summary",
    int(Slot.DB_OPERATION): "db_operation",
    int(Slot.DB_COLLECTION): "db_collection",
    int(Slot.DB_NAMESPACE): "db_namespace",
    int(Slot.MESSAGING_SYSTEM): "messaging_system",
    int(Slot.DESTINATION): "destination",
    int(Slot.MESSAGING_OPERATION): "messaging_operation",
    int(Slot.PEER): "peer",
    int(Slot.ADDRESS): "address",
}


class Names(NamedTuple):
    """Operations and peers of N spans, as `Spans` has them."""

    operation: NDArray[np.int32]
    operations: tuple[str, ...]
    peer: NDArray[np.int32]
    peers: tuple[Peer, ...]


class Named:
    """The shapes of a tenant with their names. They are only a memory, and may be forgotten."""

    def __init__(self, seed: int, most: int = MOST_SHAPES) -> None:
        self._seed, self._most = seed, most
        self.shapes = made(seed, most)
        self._names: list[tuple[str, Peer]] = []

    @property
    def is_full(self) -> bool:
        """Whether there is more than this message's."""
        return bool(self._names)

    def forget(self) -> None:
        """Begin anew."""
        self.shapes.places[:] = -1
        self.shapes.used[:] = 0
        self._names.clear()

    def of(self, shape: NDArray[np.int32]) -> Names:
        """The names of spans by the numbers of their shapes."""
        self._learn()
        numbers, inverse = np.unique(shape, return_inverse=True)
        names = [self._names[number] if number >= 0 else (OTHER, NOBODY) for number in numbers]
        operations = dict.fromkeys(name for name, _ in names)
        peers = dict.fromkeys(peer for _, peer in names)
        places = {name: place for place, name in enumerate(operations)}
        peer_places = {peer: place for place, peer in enumerate(peers)}
        by_number = np.array([places[name] for name, _ in names], dtype=np.int32)
        peer_by_number = np.array([peer_places[peer] for _, peer in names], dtype=np.int32)
        return Names(
            operation=by_number[inverse] if names else by_number,
            operations=tuple(operations),
            peer=peer_by_number[inverse] if names else peer_by_number,
            peers=tuple(peers),
        )

    def _learn(self) -> None:
        """Name the shapes that are new."""
        ends = self.shapes.ends
        for number in range(len(self._names), int(self.shapes.used[SHAPES])):
            told = told_of(self.shapes.letters[ends[number] : ends[number + 1]].tobytes())
            self._names.append((operation_of(told), peer_of(told)))


def told_of(shape: bytes) -> Told:
    """What the bytes of a shape tell."""
    fields: dict[str, str] = {}
    at = 1
    while at < len(shape):
        slot, size = shape[at], shape[at + 1]
        fields[_FIELDS[slot]] = str(shape[at + 2 : at + 2 + size], "utf-8", "replace")
        at += 2 + size
    return Told(kind=SpanKind(shape[0]), **fields)
