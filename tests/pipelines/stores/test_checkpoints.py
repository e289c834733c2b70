"""Checkpoints in every database: whole or not at all, one owner, and only what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.errors import ConflictError, StoreError
from detector.stream.chunks import CHUNK_BYTES
from detector.stream.columns import SeriesInfo, SeriesKind
from pipelines.stores import schema
from pipelines.stores.anomalies import upsert
from pipelines.stores.checkpoints import Checkpoints, Held, TenantHeld
from pipelines.stores.codec import pack
from pipelines.stores.connections import Connections
from tests.pipelines.stores.away import AwayDatabase

ROWS = CHUNK_BYTES // 8
SERIES = [
    SeriesInfo(labels=(("__name__", "queue"), ("pod", f"p{n}")), kind=SeriesKind.GAUGE)
    for n in range(5)
]


def tenant(**arrays: NDArray[Any]) -> Mapping[str, TenantHeld]:
    """What is held of the one tenant."""
    return {"default": TenantHeld(arrays=arrays)}


def write(own: Checkpoints, position: int, tenants: Mapping[str, TenantHeld]) -> None:
    """Write a checkpoint, as the stream does."""
    with own.database.write(durable=True) as transaction:
        sums = own.write(transaction, position, tenants)
    own.wrote(sums, tenants)


def owner(database: Connections) -> Checkpoints:
    """An owner that has taken the part."""
    own = Checkpoints(database, "local")
    own.take()
    return own


def read(database: Connections) -> Held:
    """The newest checkpoint."""
    return Checkpoints(database, "local").take()


def same(held: Held, position: int, **arrays: NDArray[Any]) -> None:
    """Fail unless this is held, to the bit."""
    found = held.tenants["default"]
    assert held.position == position
    assert found.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found.arrays[name].dtype, found.arrays[name].shape) == (array.dtype, array.shape)
        assert found.arrays[name].tobytes() == array.tobytes()


def test_a_part_that_nobody_had_is_empty(database: Connections) -> None:
    """The first start."""
    assert read(database) == Held(epoch=1, position=-1, tenants={})


def test_arrays_of_all_kinds_and_sizes_come_back_to_the_bit(database: Connections) -> None:
    """Also empty ones, strange numbers, and those of several chunks."""
    arrays: dict[str, Any] = {
        "long": np.arange(3 * ROWS + 5, dtype=np.int64),
        "wide": np.random.default_rng(1).normal(size=(70_000, 24)).astype(np.float32),
        "none": np.zeros((0, 4), np.int8),
        "odd": np.array([np.nan, np.inf, -0.0, 5e-324]),
        "flags": np.array([True, False]),
    }
    write(owner(database), 2**40, tenant(**arrays))
    same(read(database), 2**40, **arrays)


def test_what_grows_changes_and_shrinks_comes_back_as_it_is(database: Connections) -> None:
    """Chunks that did not change are not written, and those that are gone are gone."""
    own = owner(database)
    small, large = np.arange(10), np.arange(3 * ROWS)
    write(own, 1, tenant(a=large, b=small))
    changed = large.copy()
    changed[ROWS] = -1
    write(own, 2, tenant(a=changed, b=large))
    same(read(database), 2, a=changed, b=large)
    own.take()
    write(own, 3, tenant(a=small, b=small))
    same(read(database), 3, a=small, b=small)


def test_chunks_of_before_are_read(database: Connections) -> None:
    """An upgrade would begin every baseline anew, or not start at all."""
    own = owner(database)
    large = np.arange(3 * ROWS, dtype=np.int64)
    write(own, 1, tenant(a=large))
    rows = upsert(schema.stream_chunks, "part", "tenant", "name", "chunk")
    with database.write() as transaction:
        for number in range(3):
            part = large[number * ROWS : (number + 1) * ROWS]
            body = pack((part.dtype.str, part.shape, part.tobytes()))
            row = {"part": "local", "tenant": "default", "name": "a", "chunk": number}
            transaction.run(rows, {**row, "body": body})
    same(read(database), 1, a=large)
    own.take()
    write(own, 2, tenant(a=large))
    same(read(database), 2, a=large)


def test_who_lost_the_part_writes_nothing(database: Connections) -> None:
    """Two that write in turns would leave a state that nobody ever had."""
    old, new = owner(database), owner(database)
    write(new, 5, tenant(a=np.arange(4)))
    with pytest.raises(ConflictError, match="another process has taken local"):
        write(old, 9, tenant(a=np.arange(8)))
    same(read(database), 5, a=np.arange(4))


def test_a_checkpoint_that_breaks_off_leaves_the_one_before(database: Connections) -> None:
    """State without its position, or the other way, would judge samples twice or never."""
    own = owner(database)
    write(own, 1, tenant(a=np.arange(4)))

    def break_off() -> None:
        with database.write(durable=True) as transaction:
            own.write(transaction, 2, tenant(a=np.arange(3 * ROWS)))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    same(read(database), 1, a=np.arange(4))


@pytest.mark.parametrize("lost", ["before", "after"])
def test_after_a_write_that_failed_the_next_one_is_whole(database: Connections, lost: str) -> None:
    """Whether the failed one is in the database or not: no chunk of it, or of before it, stays.

    It changed a chunk that is back as it was, and had one more than there are now.
    """
    small, large = np.arange(2 * ROWS), np.arange(3 * ROWS)
    other = small + 1
    away = AwayDatabase(database, ["", "", lost])
    own = owner(away)
    write(own, 1, tenant(a=small, b=large))
    with pytest.raises(StoreError, match="locked"):
        write(own, 2, tenant(a=np.concatenate([other, other]), b=small))
    write(own, 3, tenant(a=small, b=small))
    same(read(database), 3, a=small, b=small)


def test_labels_of_a_checkpoint_of_before_are_read_and_then_held_once(
    database: Connections,
) -> None:
    """After an upgrade no id would mean anything; kept beside the new ones they would grow old."""
    own = owner(database)
    write(own, 1, tenant(a=np.arange(4)))
    rows = upsert(schema.stream_series, "part", "tenant", "first")
    with database.write() as transaction:
        for first in (0, 3):
            body = pack(tuple(SERIES[first : first + 3]))
            row = {"part": "local", "tenant": "default", "first": first, "body": body}
            transaction.run(rows, row)
    held = own.take()
    assert list(held.tenants["default"].series) == SERIES
    write(own, 2, tenant(a=np.arange(4)))
    assert list(read(database).tenants["default"].series) == []
