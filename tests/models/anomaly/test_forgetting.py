"""Rows of series that are gone are like those of new ones; the others go on as if nothing was."""

from __future__ import annotations

import numpy as np

from models.anomaly.forgetting import forget
from models.anomaly.score import step
from models.anomaly.scored import Settings
from models.baseline.layout import Kind
from models.baseline.room import Room
from models.baseline.state import ROWS, State, empty
from tests.models.anomaly.samples import Samples, beside, calm

KINDS = np.array([Kind.GAUGE, Kind.CUMULATIVE, Kind.GAUGE], dtype=np.int8)


def roomy(state: State) -> tuple[State, Room]:
    """The state with its rows in a room."""
    room = Room(ROWS, {name: getattr(state, name) for name in ROWS})
    pool = {name: getattr(state, name) for name in ("pool_counts", "pool_spent", "pool_table")}
    return State(**room.views(), **pool), room


def fed(count: int) -> tuple[State, Room]:
    """Three series that saw so many samples each."""
    state, room = roomy(empty(3, KINDS))
    step(state, *samples(count), Settings())
    return state, room


def samples(count: int, *, first: int = 0, only: int | None = None) -> Samples:
    """Samples of these three, or of one, after the `first` ones."""
    gauge = calm(first + count, seed=1)
    rows, at, value = beside(gauge, np.cumsum(np.abs(gauge)), gauge, every=60_000)
    taken = rows >= 0 if only is None else rows == only
    taken[: 3 * first] = False
    return rows[taken], at[taken], value[taken]


def test_who_comes_back_is_learned_as_if_new() -> None:
    """A pod would be judged by what another pod with its row did last month."""
    state, room = fed(130)
    forget(state, room, np.array([1], np.int32))
    new, _ = roomy(empty(3, KINDS))
    for name in ROWS:
        assert getattr(state, name)[1].tobytes() == getattr(new, name)[1].tobytes(), name


def test_the_others_are_judged_as_before() -> None:
    """Series that live would begin to alarm because others are gone."""
    (state, room), (untouched, _) = fed(130), fed(130)
    forget(state, room, np.array([1], np.int32))
    more = samples(40, first=130, only=0)
    found, wanted = (step(each, *more, Settings()) for each in (state, untouched))
    assert found.surprise.tobytes() == wanted.surprise.tobytes()
    assert state.hot[0].tobytes() == untouched.hot[0].tobytes()


def test_series_that_are_gone_are_not_counted_as_learned() -> None:
    """With each pod that is replaced what scores mean would be forgotten a little later."""
    state, room = fed(130)
    before = int(state.pool_spent[2])
    forget(state, room, np.array([0, 2], np.int32))
    assert (before, int(state.pool_spent[2])) == (3, 1)


def test_a_series_that_was_still_learned_never_counted() -> None:
    """Short-lived pods would be taken off again and again."""
    state, room = fed(20)
    forget(state, room, np.array([0, 1, 2], np.int32))
    assert int(state.pool_spent[2]) == 0
