"""The state as arrays: it grows, goes to disk and back, and refuses what is not its own."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.anomaly.score import step
from models.anomaly.scored import Settings
from models.baseline.layout import EMPTY, Hot, Kind
from models.baseline.state import NEVER, SHARED, VERSION, State, empty, from_arrays, grown
from tests.models.anomaly.samples import Samples, beside, calm

KINDS = np.array([Kind.GAUGE, Kind.CUMULATIVE, Kind.DELTA], dtype=np.int8)
NAMES = sorted(empty(1).to_arrays())


def fed(count: int, *, seed: int = 1) -> State:
    """A gauge, a counter and increments that saw some samples."""
    state = empty(3, KINDS)
    step(state, *samples(count, seed=seed), Settings())
    return state


def samples(count: int, *, seed: int = 1, first: int = 0) -> Samples:
    """Samples of these three, twenty minutes apart, after the `first` ones."""
    gauge = calm(first + count, seed=seed)
    counted = np.cumsum(np.abs(gauge))
    rows, at, value = beside(gauge, counted, np.abs(gauge), every=1_200_000)
    return rows[3 * first :], at[3 * first :], value[3 * first :]


def same(one: State, other: State) -> list[str]:
    """Names of arrays that are not the same to the bit."""
    want = other.to_arrays()
    return [n for n, array in one.to_arrays().items() if array.tobytes() != want[n].tobytes()]


def test_a_new_series_has_seen_nothing() -> None:
    """It would begin with the usual of another one."""
    state = empty(2)
    assert state.at.tolist() == [NEVER, NEVER]
    assert np.isnan(state.last).all()
    assert np.isnan(state.level).all()
    assert (state.profile == EMPTY).all()
    assert not state.hot.any()
    assert state.kind.tolist() == [Kind.GAUGE, Kind.GAUGE]


@given(st.integers(0, 160), st.integers(1, 40))
def test_what_goes_to_disk_and_back_goes_on_to_the_bit(before: int, after: int) -> None:
    """After a restart every score would be another one."""
    state = fed(before)
    disk = io.BytesIO()
    np.savez(disk, **state.to_arrays())  # type: ignore[arg-type]
    disk.seek(0)
    again = from_arrays(dict(np.load(disk)))
    more = samples(after, first=before)
    found, wanted = (step(each, *more, Settings()) for each in (again, state))
    assert found.surprise.tobytes() == wanted.surprise.tobytes()
    assert same(again, state) == []


@given(st.integers(0, 120), st.integers(3, 9))
def test_growing_changes_nothing_of_those_that_were_there(count: int, size: int) -> None:
    """A new pod would change what is usual of the old ones."""
    small, large = fed(count), grown(fed(count), size)
    more = samples(30, first=count)
    found, wanted = (step(each, *more, Settings()) for each in (large, small))
    assert found.surprise.tobytes() == wanted.surprise.tobytes()
    for name, array in small.to_arrays().items():
        part = large.to_arrays()[name][: None if name in SHARED else 3]
        assert part.tobytes() == array.tobytes(), name
    assert (large.at[3:] == NEVER).all()


def test_new_rows_are_of_their_own_kinds() -> None:
    """A counter would be judged by its total."""
    state = grown(fed(3), 5, np.array([Kind.DELTA, Kind.CUMULATIVE], dtype=np.int8))
    assert state.kind.tolist() == [*KINDS.tolist(), Kind.DELTA, Kind.CUMULATIVE]


def test_a_state_that_grew_shares_no_array_with_the_one_before() -> None:
    """A checkpoint that is being written would change under the writer's hands."""
    state = fed(20)
    before = {name: array.copy() for name, array in state.to_arrays().items()}
    step(grown(state, 4), *samples(30, first=20), Settings())
    assert all(array.tobytes() == before[n].tobytes() for n, array in state.to_arrays().items())


def test_growing_by_nothing_is_a_copy() -> None:
    """Room that is there already would be made again, with other numbers."""
    state = fed(50)
    assert same(grown(state, 3), state) == []


def test_no_state_shrinks() -> None:
    """Ids that were given away would be out of range."""
    with pytest.raises(ValueError, match="3 series does not shrink to 2"):
        grown(empty(3), 2)


@pytest.mark.parametrize("version", [0, VERSION - 2, VERSION + 1])
def test_another_version_is_refused(version: int) -> None:
    """Bytes of another layout would be read as other numbers."""
    arrays = empty(1).to_arrays() | {"version": np.array([version])}
    with pytest.raises(ValueError, match=f"version {version}, this reads version {VERSION}"):
        from_arrays(arrays)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_that_lost_an_array_is_refused(name: str) -> None:
    """Half of a checkpoint would pass for a whole one."""
    arrays: dict[str, NDArray[Any]] = dict(empty(2).to_arrays())
    del arrays[name]
    with pytest.raises((ValueError, KeyError), match="version 0" if name == "version" else name):
        from_arrays(arrays)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"version", "at"}])
def test_an_array_of_another_shape_is_refused(name: str) -> None:
    """Rows would be of other series than they say."""
    arrays = empty(2).to_arrays()
    arrays[name] = arrays[name][:1]
    with pytest.raises(ValueError, match=f"state without {name} of shape"):
        from_arrays(arrays)


def test_a_state_takes_a_fixed_number_of_bytes_for_each_series() -> None:
    """Memory would grow with time, and a worker die of it some night."""
    young, old = fed(1), fed(400)
    sizes = [sum(array.nbytes for array in each.to_arrays().values()) for each in (young, old)]
    assert sizes[0] == sizes[1]
    rows = {n: a for n, a in empty(1).to_arrays().items() if n not in SHARED}
    assert sum(array.nbytes for array in rows.values()) < 550


def test_no_series_at_all_is_a_state_too() -> None:
    """A tenant whose first series is yet to come could not be restored."""
    none = from_arrays(empty(0).to_arrays())
    assert len(none) == 0
    assert len(grown(none, 2)) == 2


def test_a_state_of_the_version_before_is_read_without_its_peaks() -> None:
    """Numbers that meant seconds would be read as a place far outside of every table."""
    arrays = fed(160).to_arrays()
    hot = arrays["hot"].copy()
    hot[:, Hot.PEAK_ABOVE :] = 9e8
    spent = arrays["pool_spent"][:3]
    state = from_arrays({**arrays, "version": np.array([3]), "hot": hot, "pool_spent": spent})
    assert state.pool_spent.tolist() == [*spent.tolist(), 0]
    assert not state.hot[:, Hot.PEAK_ABOVE :].any()
    assert state.hot[:, : Hot.PEAK_ABOVE].tobytes() == hot[:, : Hot.PEAK_ABOVE].tobytes()
    assert step(state, *samples(40, first=160), Settings()).surprise.max() < 10.0
