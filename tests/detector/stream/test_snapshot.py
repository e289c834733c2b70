"""The operator's state as arrays: another process goes on where this one stopped, or refuses."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.signals.packs import shipped_packs
from detector.stream.chunks import chunks_of
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.introducing import introduced
from detector.stream.operator import step
from detector.stream.snapshot import SCHEMA, taken
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from tests.detector.stream.streams import (
    MINUTE,
    T0,
    again,
    columns_of,
    following,
    series_of,
    stream_of,
)

HOUR = 60 * MINUTE
OWNERS = Owners(shipped_packs())
VALUES = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 2.5, 4.0, 9.0])), max_size=40)


def bits(state: StreamState) -> dict[str, bytes]:
    """A snapshot, to be compared."""
    return {name: array.tobytes() for name, array in taken(state).items()}


def after(values: list[tuple[int, float]]) -> StreamState:
    """Three series of two services that brought these, one a minute."""
    state = stream_of([*series_of(2), *series_of(1, service="cart")])
    samples = [(series, n * MINUTE, value) for n, (series, value) in enumerate(values, start=1)]
    return step(state, columns_of(samples))[0]


@given(VALUES)
def test_a_snapshot_of_what_was_restored_is_the_same_to_the_bit(
    values: list[tuple[int, float]],
) -> None:
    """With every restart a little of what is going on would be lost."""
    state = after(values)
    assert bits(again(state, taken(state))) == bits(state)


@given(VALUES)
def test_a_snapshot_leaves_the_state_as_it_was(values: list[tuple[int, float]]) -> None:
    """What people are told would depend on how often it is saved."""
    state = after(values)
    first = bits(state)
    assert bits(state) == first


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_any_name_comes_back_as_it_was(service: str, namespace: str) -> None:
    """A service in another alphabet would be another service after a restart."""
    labels = (("__name__", "queue"), ("namespace", namespace), ("service", service))
    state = stream_of([SeriesInfo(labels=labels, kind=SeriesKind.GAUGE)])
    assert again(state, taken(state)).subjects == state.subjects


def test_a_series_that_is_new_after_a_restart_joins_its_service() -> None:
    """A rollout during a restart would be a second anomaly of the same thing."""
    state = stream_of(series_of(1))
    opened = following(state, [4.0])[0].anomaly
    restored = introduced(again(state, taken(state)), series_of(3)[1:], OWNERS)
    _, happened = step(restored, columns_of([(2, 2 * MINUTE, 9.0)]))
    assert [one.anomaly.id for one in happened] == [opened.id]
    assert happened[0].anomaly.members == 2


def test_an_anomaly_that_rests_is_opened_again_after_a_restart() -> None:
    """What comes back an hour later would be told as if it were new."""
    state = stream_of(series_of(1))
    first = following(state, [4.0] + [0.0] * 5)[0].anomaly
    back = following(again(state, taken(state)), [5.0])[0].anomaly
    assert (back.id, back.start) == (first.id, T0 + MINUTE)


def test_since_when_an_anomaly_lasts_again_is_known_after_a_restart() -> None:
    """Its incident would have begun with its first time, hours before."""
    state = stream_of(series_of(1))
    following(state, [4.0] + [0.0] * 5 + [5.0])
    grown = following(again(state, taken(state)), [9.0])[0].anomaly
    assert (grown.start, grown.again) == (T0 + MINUTE, T0 + 7 * MINUTE)


def test_a_state_of_before_that_was_kept_goes_on() -> None:
    """An upgrade in the middle of a rollout; and what comes again after it is known."""
    state = stream_of([*series_of(1), *series_of(1, service="cart")])
    step(state, columns_of([(0, MINUTE, 4.0), (1, MINUTE, 4.0), (1, 2 * MINUTE, 0.0)]))
    step(state, columns_of([(1, n * MINUTE, 0.0) for n in range(3, 7)]))
    old = {name: array for name, array in taken(state).items() if name != "anomaly.again"}
    upgraded = again(state, old)
    assert bits(upgraded) == bits(state)
    _, (cart,) = step(upgraded, columns_of([(1, 7 * MINUTE, 4.0)]))
    assert cart.anomaly.again == T0 + 7 * MINUTE


def test_a_state_of_the_first_schema_goes_on() -> None:
    """An upgrade would forget every baseline, and who had samples since the last count."""
    state = stream_of(series_of(3))
    state, _ = step(state, columns_of([(1, MINUTE, 0.0)]))
    now = dict(taken(state))
    _, watermark, since, live, _, first, size = now["stream"].tolist()
    old = {name: array for name, array in now.items() if name != "track.heard"}
    old["track.seen"] = now["track.heard"] >= first
    old["stream"] = np.array([1, watermark, since, live, size])
    upgraded = again(state, old)
    later = [(2, 61 * MINUTE, 0.0)]
    assert [step(each, columns_of(later))[0].live for each in (upgraded, state)] == [3, 3]
    assert upgraded.tracks["heard"].tolist() == [1, 1, 2]
    assert bits(upgraded).keys() == bits(state).keys()


@pytest.mark.parametrize("schema", [0, SCHEMA + 1])
def test_a_state_of_another_schema_is_refused(schema: int) -> None:
    """Numbers of another layout would be read as these."""
    state = stream_of(series_of(1))
    arrays = {**taken(state), "stream": np.array([schema, 0, 0, 0, 0])}
    with pytest.raises(ValueError, match=f"schema {schema}, this reads {SCHEMA}"):
        again(state, arrays)


def test_no_state_at_all_is_refused() -> None:
    """An empty file would be a stream that knows nothing, and goes on."""
    with pytest.raises(ValueError, match="schema 0"):
        again(stream_of(series_of(1)), {})


@pytest.mark.parametrize("name", ["shift", "heard", "normal"])
def test_arrays_of_another_number_of_series_are_refused(name: str) -> None:
    """Feedback would be of other series than people gave it for."""
    state = stream_of(series_of(2))
    arrays: dict[str, NDArray[Any]] = dict(taken(state))
    arrays[f"track.{name}"] = arrays[f"track.{name}"][:1]
    with pytest.raises(ValueError, match=f"{name} of other series"):
        again(state, arrays)


def test_the_bytes_of_a_snapshot_are_the_same_in_every_version() -> None:
    """What a worker wrote last month would be read as something else, or not at all."""
    state = stream_of([*series_of(2), *series_of(1, service="cart")])
    step(state, columns_of([(1, HOUR, 0.0), (2, HOUR, 0.0)]))
    kept = chunks_of(taken(state))
    numbers = [2, T0 + HOUR, T0, 3, 3, 2, 3]
    assert kept["stream/0"] == b"<i8 7\n" + struct.pack("<7q", *numbers)
    assert kept["track.subject/0"] == b"<i4 3\n" + struct.pack("<3i", 0, 0, 1)
    assert kept["track.heard/0"] == b"<i4 3\n" + struct.pack("<3i", 2, 3, 3)
    assert kept["track.shift/0"] == b"<f4 3\n" + bytes(12)
    assert kept["track.normal/0"] == kept["track.real/0"] == b"<u2 3\n" + bytes(6)
    assert kept["subjects/0"] == b"|u1 22\ncheckoutqueuecartqueue"
    assert kept["subjects.ends/0"] == b"<i8 8\n" + struct.pack("<8q", 8, 8, 8, 13, 17, 17, 17, 22)
