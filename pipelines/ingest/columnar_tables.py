"""Tables of columnar messages that came before: to the byte, with what stands before them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCHEMA", "Head", "Tables"]

SCHEMA = 1
# Tables are a memory: forgotten when they are more, or longer, than this.
MOST_TABLES = 4_096
MOST_TABLE_BYTES = 64 * 2**20
# So many bytes tell most heads apart, and so many heads may have these in common; shorter ones are
# found whole, by each length that there is.
_TELLING, _ALIKE = 256, 8
# How a message begins whose table stands first, behind the byte that counts its fields.
_BEFORE = b"\xa6schema" + bytes([SCHEMA]) + b"\xa5table"
_BEFORE_FIELDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A message up to the end of its table, the byte that counts the fields behind, and the ids."""

    told: bytes
    fields: bytes
    ids: NDArray[np.int32]


@dataclass(slots=True)
class Tables:
    """The ids of the series of each; only those whose series all have one."""

    _bare: dict[bytes, NDArray[np.int32]] = field(default_factory=dict)
    _heads: dict[bytes, list[Head]] = field(default_factory=dict)
    _lengths: set[int] = field(default_factory=lambda: {_TELLING})
    _count: int = 0
    _bytes: int = 0

    def __len__(self) -> int:
        """How many were remembered since they were last forgotten."""
        return self._count

    def head(self, body: bytes) -> Head | None:
        """The head with which a message begins, if one did before."""
        for length in self._lengths:
            for one in self._heads.get(body[:length], ()):
                if body.startswith(one.told):
                    return one
        return None

    def get(self, table: bytes) -> NDArray[np.int32] | None:
        """The ids of a table that stood elsewhere."""
        return self._bare.get(table)

    def remember(self, body: bytes, table: bytes, ids: NDArray[np.int32]) -> None:
        """With all that stands before its end, where that is nothing but a schema."""
        told = body[:1] + _BEFORE + table
        if body.startswith(told):
            self._put(Head(told=told, fields=bytes([body[0] - _BEFORE_FIELDS]), ids=ids))
        else:
            self._make_room(len(table))
            self._bare[table] = ids

    def forget(self, is_gone: NDArray[np.bool_]) -> None:
        """Series are forgotten, and so are the tables that have one of them."""
        bare, heads = self._bare, [head for alike in self._heads.values() for head in alike]
        self._clear()
        for table, ids in bare.items():
            if not is_gone[ids].any():
                self._make_room(len(table))
                self._bare[table] = ids
        for head in heads:
            if not is_gone[head.ids].any():
                self._put(head)

    def _put(self, head: Head) -> None:
        self._make_room(len(head.told))
        told = head.told[:_TELLING]
        self._lengths.add(len(told))
        alike = self._heads.setdefault(told, [])
        # Who changes what is behind them all the time has one after the other remembered.
        del alike[_ALIKE - 1 :]
        alike.insert(0, head)

    def _make_room(self, size: int) -> None:
        if self._count >= MOST_TABLES or self._bytes > MOST_TABLE_BYTES:
            self._clear()
        self._count += 1
        self._bytes += size

    def _clear(self) -> None:
        self._bare, self._heads, self._lengths = {}, {}, {_TELLING}
        self._count = self._bytes = 0
