"""Our own counters in every database: kept as they stood, read from a whole frame on, forgotten."""

from __future__ import annotations

import numpy as np

from pipelines.stores.connections import Connections
from pipelines.stores.own import (
    STEP_MS,
    Frame,
    OwnSeries,
    SqlOwn,
    add_frame,
    add_series,
    mark,
    put_totals,
)

T0 = 1_790_000_000_000
LABELS = (("__name__", "lines_total"), ("odd", 'say "hi" \\ näive\nnext'), ("pod", "a"))


def series(id: int, **more: int) -> OwnSeries:
    """A counter."""
    return OwnSeries(id=id, owner=2**62, labels=LABELS, **more)


def frame(step: int, values: dict[int, float], *, whole: bool = False) -> Frame:
    """What some counters stood at."""
    ids = np.array(list(values), np.int32)
    return Frame(
        at=T0 + step * STEP_MS,
        whole=whole,
        ids=ids,
        values=np.array(list(values.values()), np.float64),
        born=ids[:1],
    )


def test_counters_are_kept_by_part_and_tenant(database: Connections) -> None:
    """Two partitions number their own counters, and no tenant sees another's."""
    with database.write() as transaction:
        add_series(transaction, "local", "t", series(0))
        add_series(transaction, "local", "t", series(1, born=T0))
        add_series(transaction, "other", "t", series(0))
        add_series(transaction, "local", "u", series(0))
        put_totals(transaction, "local", "t", [(1, 7.0, T0 + 9)])
    own = SqlOwn(database)
    assert own.parts() == [("local", "t"), ("local", "u"), ("other", "t")]
    assert own.series("local", "t") == [
        series(0),
        OwnSeries(id=1, owner=2**62, labels=LABELS, born=T0, total=7.0, seen=T0 + 9),
    ]
    assert [one.id for one in own.series("local", "t", above=0)] == [1]


def test_a_counter_that_is_told_again_keeps_what_it_stands_at(database: Connections) -> None:
    """A replay introduces what is there."""
    with database.write() as transaction:
        add_series(transaction, "local", "t", series(0))
        put_totals(transaction, "local", "t", [(0, 7.0, T0)])
    with database.write() as transaction:
        add_series(transaction, "local", "t", series(0))
    assert SqlOwn(database).series("local", "t")[0].total == 7.0


def test_frames_are_read_from_a_whole_one_on(database: Connections) -> None:
    """What a frame does not name stands where it stood: that has to be known."""
    with database.write() as transaction:
        for step, whole in enumerate((True, False, True, False, False)):
            made = frame(step, {0: float(step), 7: np.nan}, whole=whole)
            add_frame(transaction, "local", "t", made)
    own = SqlOwn(database)

    def steps(since: int, until: int) -> list[int]:
        found = own.frames("local", "t", T0 + since * STEP_MS, T0 + until * STEP_MS)
        return [(one.at - T0) // STEP_MS for one in found]

    assert steps(3, 4) == [2, 3, 4]
    assert steps(1, 2) == [0, 1, 2]
    assert steps(-9, 0) == [0]
    assert own.newest("local", "t") == T0 + 4 * STEP_MS
    assert own.newest("local", "u") == 0
    first = own.frames("local", "t", T0, T0)[0]
    np.testing.assert_array_equal(first.values, [0.0, np.nan])
    assert (first.ids.tolist(), first.born.tolist(), first.whole) == ([0, 7], [0], True)


def test_a_frame_of_the_same_time_replaces_the_first(database: Connections) -> None:
    """Written again after an answer that got lost, it is one."""
    for value in (1.0, 2.0):
        with database.write() as transaction:
            add_frame(transaction, "local", "t", frame(0, {0: value}))
    assert [one.values.tolist() for one in SqlOwn(database).frames("local", "t", 0, 2 * T0)] == [
        [2.0]
    ]


def test_how_far_is_written_is_known_by_part(database: Connections) -> None:
    """What a replay passes over."""
    own = SqlOwn(database)
    assert own.position("local") == -1
    for position in (3, 9):
        with database.write() as transaction:
            mark(transaction, "local", position)
    assert (own.position("local"), own.position("other")) == (9, -1)


def test_what_is_old_is_forgotten(database: Connections) -> None:
    """The disk has an end."""
    with database.write() as transaction:
        for step in range(4):
            add_frame(transaction, "local", "t", frame(step, {0: 1.0}))
        add_series(transaction, "local", "t", series(0, seen=T0))
        add_series(transaction, "local", "t", series(1, seen=T0 + 9))
    own = SqlOwn(database)
    assert own.prune(frames_before=T0 + 2 * STEP_MS, series_before=T0 + 5) == 2
    assert len(own.frames("local", "t", 0, 2 * T0)) == 2
    assert [one.id for one in own.series("local", "t")] == [1]
