"""What an operator holds, and up to where it read: one transaction, fenced by an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import crc32c
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from detector.errors import ConflictError
from detector.stream.chunks import cut, joined
from detector.stream.columns import SeriesInfo
from pipelines.stores import schema
from pipelines.stores.anomalies import upsert
from pipelines.stores.codec import unpack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.statements import compiled, insertion

__all__ = ["Checkpoints", "Held", "TenantHeld"]

# What chunks of before began with: msgpack of a schema, type, shape and bytes.
_PACKED = b"\x92"
# Checksums of chunks by tenant, name and number.
Sums: TypeAlias = dict[tuple[str, str, int], int]
_GONE = -1
_marks = schema.stream_marks.c
_chunks, _series = schema.stream_chunks.c, schema.stream_series.c
_TAKE = compiled(
    schema.stream_marks.update()
    .where(_marks.part == sa.bindparam("of"))
    .values(epoch=_marks.epoch + 1)
)
_MARK_OF = compiled(
    sa.select(_marks.epoch, _marks.position).where(_marks.part == sa.bindparam("part"))
)
_BEGIN = insertion(schema.stream_marks, keep_old=True)
_MOVE = compiled(
    schema.stream_marks.update()
    .where(_marks.part == sa.bindparam("of"), _marks.epoch == sa.bindparam("mine"))
    .values(position=sa.bindparam("position"))
)
_PUT = upsert(schema.stream_chunks, "part", "tenant", "name", "chunk")
_DROP_SERIES = compiled(
    schema.stream_series.delete().where(
        _series.part == sa.bindparam("part"), _series.tenant == sa.bindparam("tenant")
    )
)
_NAMES_OF = compiled(
    sa.select(_chunks.tenant, _chunks.name)
    .where(_chunks.part == sa.bindparam("part"))
    .distinct()
    .order_by(_chunks.tenant, _chunks.name)
)
_CHUNKS_OF = compiled(
    sa.select(_chunks.chunk, _chunks.body)
    .where(
        _chunks.part == sa.bindparam("part"),
        _chunks.tenant == sa.bindparam("tenant"),
        _chunks.name == sa.bindparam("name"),
    )
    .order_by(_chunks.chunk)
)
_SERIES_OF = compiled(
    sa.select(_series.tenant, _series.body)
    .where(_series.part == sa.bindparam("part"))
    .order_by(_series.tenant, _series.first)
)
_DROP = compiled(
    schema.stream_chunks.delete().where(
        _chunks.part == sa.bindparam("part"),
        _chunks.tenant == sa.bindparam("tenant"),
        _chunks.name == sa.bindparam("name"),
        _chunks.chunk >= sa.bindparam("from_chunk", type_=sa.Integer),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantHeld:
    """Arrays by name; in checkpoints of before labels were arrays, the series in id order."""

    arrays: Mapping[str, NDArray[Any]]
    series: Sequence[SeriesInfo] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A checkpoint: all up to `position` is in it (-1: nothing); `epoch` is the owner's."""

    epoch: int
    position: int
    tenants: Mapping[str, TenantHeld]


@dataclass(slots=True)
class Checkpoints:
    """The checkpoints of one part, for its owner; one thread at a time."""

    database: Connections
    part: str
    epoch: int = 0
    _sums: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)
    # Whether `_sums` is what the database has: not while a write is under way, or failed.
    _is_sure: bool = True

    def take(self) -> Held:
        """Become the owner, and read; whoever owned the part before can write no more."""
        with self.database.write(durable=True) as transaction:
            transaction.run(_BEGIN, {"part": self.part, "epoch": 0, "position": -1})
            transaction.run(_TAKE, {"of": self.part})
            row = transaction.first(_MARK_OF, {"part": self.part})
            assert row is not None
            self.epoch, position = int(row[0]), int(row[1])
            tenants = self._read(transaction)
        return Held(epoch=self.epoch, position=position, tenants=tenants)

    def check(self, transaction: Transaction) -> None:
        """`ConflictError` where another took the part meanwhile; then nothing is to be written."""
        row = transaction.first(_MARK_OF, {"part": self.part})
        if row is None or int(row[0]) != self.epoch:
            raise ConflictError(f"another process has taken {self.part}: nothing was written")

    def write(
        self, transaction: Transaction, position: int, tenants: Mapping[str, TenantHeld]
    ) -> Sums:
        """Put a checkpoint into a transaction; give the result to `wrote` once it is through.

        Where it failed, also without a word whether it is through, the next write mends that.
        `ConflictError` where another took the part meanwhile.
        """
        row = {"of": self.part, "mine": self.epoch, "position": position}
        if transaction.run(_MOVE, row) != 1:
            raise ConflictError(f"another process has taken {self.part}: nothing was written")
        was_sure, self._is_sure = self._is_sure, False
        sums: Sums = {}
        for tenant, held in tenants.items():
            if self._known.get(tenant):
                transaction.run(_DROP_SERIES, {"part": self.part, "tenant": tenant})
            for name, array in held.arrays.items():
                sums |= self._write_array(transaction, (tenant, name), array, was_sure)
        return sums

    def wrote(self, sums: Sums, tenants: Mapping[str, TenantHeld]) -> None:
        """The transaction went through."""
        self._sums = {key: found for key, found in (self._sums | sums).items() if found != _GONE}
        self._known = dict.fromkeys(self._known, 0)
        self._is_sure = True

    def _write_array(
        self, transaction: Transaction, of: tuple[str, str], array: NDArray[Any], is_sure: bool
    ) -> Sums:
        sums: Sums = {}
        row = {"part": self.part, "tenant": of[0], "name": of[1]}
        number = -1
        for number, body in enumerate(cut(array)):
            key, found = (*of, number), crc32c.crc32c(body)
            if not is_sure or self._sums.get(key) != found:
                transaction.run(_PUT, {**row, "chunk": number, "body": body})
                sums[key] = found
        if not is_sure or (*of, number + 1) in self._sums:
            transaction.run(_DROP, {**row, "from_chunk": number + 1})
            sums |= {key: _GONE for key in self._sums if key[:2] == of and key[2] > number}
        return sums

    def _read(self, transaction: Transaction) -> dict[str, TenantHeld]:
        self._sums.clear()
        self._known.clear()
        self._is_sure = True
        series: dict[str, list[SeriesInfo]] = {}
        for tenant, body in transaction.rows(_SERIES_OF, {"part": self.part}):
            series.setdefault(tenant, []).extend(unpack(tuple[SeriesInfo, ...], body))
        self._known = {tenant: len(known) for tenant, known in series.items()}
        arrays: dict[str, dict[str, NDArray[Any]]] = {}
        for tenant, name in transaction.rows(_NAMES_OF, {"part": self.part}):
            arrays.setdefault(tenant, {})[name] = self._read_array(transaction, tenant, name)
        return {
            tenant: TenantHeld(arrays=named, series=series.get(tenant, []))
            for tenant, named in arrays.items()
        }

    def _read_array(self, transaction: Transaction, tenant: str, name: str) -> NDArray[Any]:
        """One at a time, so that no more than one is in memory twice."""
        row = {"part": self.part, "tenant": tenant, "name": name}
        chunks = transaction.rows(_CHUNKS_OF, row)
        for number, body in chunks:
            self._sums[tenant, name, number] = crc32c.crc32c(body)
        return joined(_upgraded(body) for _, body in chunks)


def _upgraded(chunk: bytes) -> bytes:
    """A chunk as it is written now."""
    if not chunk.startswith(_PACKED):
        return chunk
    dtype, shape, body = unpack(tuple[str, tuple[int, ...], bytes], chunk)
    return b"".join(cut(np.frombuffer(body, np.dtype(dtype)).reshape(shape)))
