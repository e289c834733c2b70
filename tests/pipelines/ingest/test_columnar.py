"""The columnar message: packed and unpacked, known tables, and what is no message."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from pipelines.ingest.columnar import packed
from pipelines.ingest.decoded import Refusal
from pipelines.ingest.protocol import Door
from tests.pipelines.ingest.doorways import NOW_MS, Doorway

INFOS = st.lists(
    st.builds(
        lambda pod, kind: SeriesInfo(labels=(("__name__", "up"), ("pod", pod)), kind=kind),
        st.text(min_size=1, max_size=5),
        st.sampled_from(SeriesKind),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda info: (info.labels, info.kind),
)


def columns(*places: int) -> Columns:
    """A sample of each series named."""
    return Columns(
        series=np.array(places, dtype=np.int32),
        at=np.full(len(places), NOW_MS, dtype=np.int64),
        value=np.arange(float(len(places))),
    )


def message(**changes: Any) -> bytes:  # noqa: ANN401
    """A message of two series, with changes; None leaves a field out."""
    whole: dict[str, Any] = {
        "schema": 1,
        "table": [(0, "", {"__name__": "up", "pod": pod}) for pod in "ab"],
        "series": np.array([0, 1], dtype="<i4").tobytes(),
        "at": np.array([NOW_MS, NOW_MS], dtype="<i8").tobytes(),
        "value": np.array([1.0, 2.0]).tobytes(),
    }
    told = {name: value for name, value in {**whole, **changes}.items() if value is not None}
    return msgspec.msgpack.encode(told)


@given(INFOS, st.data())
def test_what_is_packed_is_what_is_read(infos: list[SeriesInfo], draw: st.DataObject) -> None:
    """The first time by its series, the second by its table."""
    places = draw.draw(st.lists(st.integers(0, len(infos) - 1), max_size=10))
    body = packed(infos, columns(*places))
    door = Doorway()
    first, second = (door.take(Door.COLUMNAR, body).columns for _ in range(2))
    told = door.doors._tenants.of("default").interner
    assert [told[id] for id in first.series.tolist()] == [infos[place] for place in places]
    assert second.series.tolist() == first.series.tolist()
    assert first.value.tolist() == list(np.arange(float(len(places))))


@given(st.binary(max_size=120))
def test_any_bytes_are_columns_or_an_error(body: bytes) -> None:
    """No error of the library's gets out."""
    with suppress(InputError):
        Doorway().take(Door.COLUMNAR, body)


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_message_with_a_byte_changed_is_columns_or_an_error(place: int, byte: int) -> None:
    """Nearly good bytes go further in."""
    body = bytearray(message())
    body[place % len(body)] = byte
    with suppress(InputError):
        Doorway().take(Door.COLUMNAR, bytes(body))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 2}, "schema 2"),
        ({"table": None}, "table"),
        ({"at": b"1234567"}, "multiple of 8"),
        ({"at": bytes(8)}, "one length"),
        ({"series": np.array([0, 2], dtype="<i4").tobytes()}, "beyond the 2 series"),
        ({"series": np.array([0, -1], dtype="<i4").tobytes()}, "beyond the 2 series"),
        ({"series": None, "at": bytes(8), "value": bytes(8)}, "2 samples are due"),
        ({"table": [(7, "", {"__name__": "up"})] * 2}, "kind 7"),
        ({"table": [1, 2]}, "cannot be read"),
    ],
    ids=["schema", "table", "width", "length", "beyond", "negative", "implied", "kind", "entry"],
)
def test_what_is_no_message_is_an_error_that_says_why(changes: dict[str, Any], words: str) -> None:
    """Whoever writes a sender finds the mistake."""
    door = Doorway()
    with pytest.raises(InputError, match=words):
        door.take(Door.COLUMNAR, message(**changes))
    assert door.sink.samples() == []


def test_without_the_column_series_samples_are_in_the_order_of_the_table() -> None:
    """The shortest message of a scrape."""
    door = Doorway()
    door.take(Door.COLUMNAR, message(series=None))
    assert door.shown() == {'up{pod="a"}': 1.0, 'up{pod="b"}': 2.0}


def test_the_limit_refuses_samples_of_new_series_each_time() -> None:
    """A table with a series that has no id is not taken for known."""
    door = Doorway(series=1)
    for _ in range(2):
        told = door.take(Door.COLUMNAR, message())
        assert told.refused.counts == {Refusal.SERIES_LIMIT: 1}
    assert door.shown() == {'up{pod="a"}': 1.0}
