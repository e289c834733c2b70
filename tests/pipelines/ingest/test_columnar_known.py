"""Columnar messages that begin as one before: read at once, and as if nobody had seen them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.stream.columns import SeriesInfo
from pipelines.ingest.columnar import Columnar
from pipelines.ingest.columnar_tables import Tables
from pipelines.ingest.decoded import Decoded, Refusal, Window
from pipelines.ingest.interning import Interner
from tests.pipelines.ingest.doorways import ALWAYS, NOW_MS

SAMPLES = {
    "series": np.array([1, 0], dtype="<i4").tobytes(),
    "at": np.array([NOW_MS, NOW_MS + 1], dtype="<i8").tobytes(),
    "value": np.array([1.0, 2.0]).tobytes(),
}
Rows = list[tuple[SeriesInfo, int, str]]


def table(*pods: str) -> list[Any]:
    """Gauges of some pods."""
    return [(0, "", {"__name__": "up", "pod": pod}) for pod in pods]


def body(*pods: str, **changes: Any) -> bytes:  # noqa: ANN401 - fields as they are
    """Two samples of some pods' series."""
    told = {"schema": 1, "table": table(*pods), **SAMPLES, **changes}
    return msgspec.msgpack.encode({name: one for name, one in told.items() if one is not None})


def read(door: Columnar, body: bytes) -> Rows:
    """What a message tells; values as they are written, since not each is equal to itself."""
    columns = door.decode(body, ALWAYS).columns
    rows = zip(columns.series.tolist(), columns.at.tolist(), columns.value.tolist(), strict=True)
    return [(door.interner[id], at, repr(value)) for id, at, value in rows]


def told_by(door: Columnar, body: bytes) -> Rows | str:
    """The same; in words where it is no message."""
    try:
        return read(door, body)
    except InputError:
        return "no message"


def opened(*before: bytes, limit: int = 100) -> Columnar:
    """A door that has read some messages."""
    door = Columnar(Interner(limit=limit))
    for one in before:
        door.decode(one, ALWAYS)
    return door


@given(st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_a_memory_changes_nothing_in_what_a_message_tells(
    place: int, byte: int, is_implied: bool
) -> None:
    """A worker that has just begun would judge other samples than one that runs for days."""
    good = body("a", "b", series=None) if is_implied else body("a", "b")
    told = bytearray(good)
    told[place % len(told)] = byte

    assert told_by(opened(good), bytes(told)) == told_by(opened(), bytes(told))


def test_a_message_that_begins_as_one_before_brings_nothing_new() -> None:
    """Each would be judged by itself, and a worker judge half as many."""
    door = opened(body("a", "b"))

    found = door.known(body("a", "b", value=np.array([5.0, 6.0]).tobytes()), ALWAYS)

    assert isinstance(found, Decoded)
    assert found.columns.series.tolist() == [1, 0]
    assert found.columns.value.tolist() == [5.0, 6.0]


@pytest.mark.parametrize(
    "one", [body("a"), body("a", "c"), b"", b"\xc1", body("a", "b")[:40]], ids=range(5)
)
def test_any_other_message_may_bring_something_new(one: bytes) -> None:
    """Its series would have ids before those of another message were given away."""
    door = opened(body("a", "b"))

    assert door.known(one, ALWAYS) is None
    assert len(door.interner) == 2


def test_a_field_that_comes_twice_is_the_later_one_whoever_knows_the_beginning() -> None:
    """Who sends the table again at the end would be read by the first one or the second."""
    whole = msgspec.msgpack.encode({"table": table("c", "d")})[1:]
    twice = b"\x86" + body("a", "b")[1:] + whole
    warm = opened(b"\x86" + body("a", "b")[1:] + msgspec.msgpack.encode({"more": 1})[1:])

    assert read(warm, twice) == read(opened(), twice)
    assert {info.labels[1][1] for info, _, _ in read(warm, twice)} == {"c", "d"}


def test_tables_that_begin_alike_are_told_apart() -> None:
    """Samples would be another pod's; a dozen of them are more than are kept of one beginning."""
    long = "x" * 300
    bodies = [body(long, f"pod-{n}") for n in range(12)]
    door = opened(*bodies)

    for n, one in enumerate(bodies):
        pods = [info.labels[1][1] for info, _, _ in read(door, one)]
        assert pods == [f"pod-{n}", long]


def test_what_is_out_of_the_window_is_refused_of_a_known_message_too() -> None:
    """A sender's clock that runs ahead would teach the baselines tomorrow's values."""
    door = opened(body("a", "b"))

    found = door.known(body("a", "b"), Window(oldest=0, newest=NOW_MS))

    assert found is not None
    assert found.columns.at.tolist() == [NOW_MS]
    assert found.refused.counts == {Refusal.IN_THE_FUTURE: 1}


def test_a_message_with_a_series_beyond_its_table_is_none_though_its_beginning_is_known() -> None:
    """It would be read from other memory."""
    door = opened(body("a", "b"))

    with pytest.raises(InputError, match="beyond the 2 series"):
        door.known(body("a", "b", series=np.array([0, -1], "<i4").tobytes()), ALWAYS)


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "elsewhere"])
def test_a_table_with_a_series_that_is_forgotten_is_forgotten(is_first: bool) -> None:
    """Its samples would be those of whoever has the id now."""
    interner = Interner(limit=10)
    door = Columnar(interner)
    told = {"schema": 1, "table": table("a", "b"), **SAMPLES}
    names = list(told) if is_first else list(reversed(told))
    one = msgspec.msgpack.encode({name: told[name] for name in names})
    door.decode(one, ALWAYS)
    interner.kept(2)

    interner.free(np.array([0], np.int32))
    door.decode(body("c", "b"), ALWAYS)

    assert [info.labels[1][1] for info, _, _ in read(door, one)] == ["b", "a"]


def test_tables_are_forgotten_when_they_are_too_many() -> None:
    """A sender that makes a new table of each message would fill the memory."""
    tables = Tables()
    for n in range(5_000):
        told = msgspec.msgpack.encode(n)
        tables.remember(b"\x85\xa6schema\x01\xa5table" + told, told, np.zeros(1, np.int32))

    assert len(tables) <= 4_096
