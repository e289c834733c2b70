"""Attributes of spans that tell what was called, under their names of today and of before.

https://opentelemetry.io/docs/specs/semconv/: of several names for one thing the first that is there
counts.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from pipelines.ingest.hashing import hashed, same
from pipelines.ingest.protobuf import Bytes

__all__ = ["KEYS", "SLOTS", "Keys", "Slot", "slot_of"]


class Slot(IntEnum):
    """What an attribute tells, whatever it is called; `NAME` is the name of the span itself."""

    NAME = 0
    METHOD = 1
    ROUTE = 2
    TEMPLATE = 3
    RPC_SYSTEM = 4
    RPC_SERVICE = 5
    RPC_METHOD = 6
    DB_SYSTEM = 7
    DB_SUMMARY = 8
    DB_OPERATION = 9
    DB_COLLECTION = 10
    DB_NAMESPACE = 11
    MESSAGING_SYSTEM = 12
    DESTINATION = 13
    MESSAGING_OPERATION = 14
    PEER = 15
    ADDRESS = 16
    # Of these two no bytes are kept: a statement becomes a verb and a table, a code a status.
    DB_TEXT = 17
    HTTP_STATUS = 18


SLOTS = len(Slot)
_NAMES: dict[Slot, tuple[str, ...]] = {
    Slot.METHOD: ("http.request.method", "http.method"),
    Slot.ROUTE: ("http.route",),
    Slot.TEMPLATE: ("url.template",),
    Slot.RPC_SYSTEM: ("rpc.system.name", "rpc.system"),
    Slot.RPC_SERVICE: ("rpc.service",),
    Slot.RPC_METHOD: ("rpc.method",),
    Slot.DB_SYSTEM: ("db.system.name", "db.system"),
    Slot.DB_SUMMARY: ("db.query.summary",),
    Slot.DB_OPERATION: ("db.operation.name", "db.operation"),
    Slot.DB_COLLECTION: (
        "db.collection.name",
        "db.sql.table",
        "db.mongodb.collection",
        "db.cassandra.table",
    ),
    Slot.DB_NAMESPACE: ("db.namespace", "db.name"),
    Slot.DB_TEXT: ("db.query.text", "db.statement"),
    Slot.MESSAGING_SYSTEM: ("messaging.system",),
    Slot.DESTINATION: (
        "messaging.destination.template",
        "messaging.destination.name",
        "messaging.destination",
    ),
    Slot.MESSAGING_OPERATION: (
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.operation",
    ),
    Slot.PEER: ("service.peer.name", "peer.service"),
    Slot.ADDRESS: ("server.address", "net.peer.name", "net.host.name"),
    Slot.HTTP_STATUS: ("http.response.status_code", "http.status_code"),
}
_PLACES = 256
_SEED = np.uint64(0)


class Keys(NamedTuple):
    """K names in a hash table.

    `letters` are the bytes of all, `ends` (K + 1,) where each ends, `slot` and `rank` (K,) what it
    tells and how many other names for that come before it, `places` numbers of names or -1.
    """

    letters: Bytes
    ends: NDArray[np.int64]
    slot: NDArray[np.int64]
    rank: NDArray[np.int64]
    places: NDArray[np.int64]


def _made() -> Keys:
    told = [
        (name.encode(), int(slot), rank)
        for slot, names in _NAMES.items()
        for rank, name in enumerate(names)
    ]
    places = np.full(_PLACES, -1, dtype=np.int64)
    for number, (name, _, _) in enumerate(told):
        here = hashed(np.frombuffer(name, np.uint8), 0, len(name), _SEED) % _PLACES
        while places[here] >= 0:
            here = (here + 1) % _PLACES
        places[here] = number
    return Keys(
        letters=np.frombuffer(b"".join(name for name, _, _ in told), dtype=np.uint8),
        ends=np.cumsum([0, *(len(name) for name, _, _ in told)]),
        slot=np.array([slot for _, slot, _ in told], dtype=np.int64),
        rank=np.array([rank for _, _, rank in told], dtype=np.int64),
        places=places,
    )


@uncounted
def slot_of(data: Bytes, at: int, end: int, keys: Keys) -> tuple[int, int]:
    """What the attribute of a name tells, and its rank among names for that; -1 for nothing."""
    here = hashed(data, at, end, _SEED) % _PLACES
    while keys.places[here] >= 0:
        number = keys.places[here]
        begin, stop = keys.ends[number], keys.ends[number + 1]
        if stop - begin == end - at and same(data, at, keys.letters, begin, end - at):
            return int(keys.slot[number]), int(keys.rank[number])
        here = (here + 1) % _PLACES
    return -1, 0


KEYS = _made()
