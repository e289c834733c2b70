"""Counters of our own: what a reader gets of them is what rose, whatever happens to the process."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.series import Query
from pipelines.flows.logs_own import OwnCounters, pause_after
from pipelines.flows.logs_pace import LIFE
from pipelines.flows.logs_record import STEP_MS, Counted, NewOwn, gains
from pipelines.sources.own import OwnSource
from pipelines.stores.own import SqlOwn
from pipelines.stores.sqlite import Database
from tests.profiles import HEAVY

T0 = 1_790_000_000_000 - 1_790_000_000_000 % 3_600_000
METRIC = "lines_total"
# Two pods of two counters each.
OWNERS = {0: 7, 1: 7, 2: 8, 3: 8}


def new(id: int) -> NewOwn:
    """A counter of one of the pods."""
    labels = (("__name__", METRIC), ("kind", str(id % 2)), ("pod", f"p-{OWNERS[id]}"))
    return NewOwn(id, OWNERS[id], labels)


def counted(at: int, rise: dict[int, float], known: set[int]) -> Counted:
    """What came in at a time; counters come with their first rise."""
    fresh = tuple(new(id) for id in sorted(rise) if id not in known)
    known.update(rise)
    return Counted(tenant="t", taken=T0 + at, own=gains(rise), new_own=fresh)


class Kept:
    """Counters on a database, as one process after the other has them."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "stream.db")
        self.known: set[int] = set()
        self.begin()

    def begin(self) -> None:
        """A process starts."""
        own = SqlOwn(self.database)
        known, newest = own.series("p", "t"), own.newest("p", "t")
        self.counters = OwnCounters("t", known, newest=newest)

    def take(self, at: int, rise: dict[int, float]) -> None:
        """Something came in, and is written."""
        self.counters.take(counted(at, rise, self.known))
        self.write()

    def write(self) -> None:
        """Write what is owed."""
        with self.database.write() as transaction:
            self.counters.write(transaction, "p")
        self.counters.wrote()

    def read(self, start: int, end: int) -> dict[str, list[tuple[float, float]]]:
        """Times after T0 in seconds, and values, by pod and kind."""
        source = OwnSource(lambda: SqlOwn(self.database), tenant="t")
        (answer,) = source.read([Query(METRIC)], (T0 + start) / 1000, (T0 + end) / 1000)
        return {
            f"{one.labels['pod']}/{one.labels['kind']}": list(
                zip((one.times - T0 / 1000).tolist(), one.values.tolist(), strict=True)
            )
            for one in answer.series
        }


def test_a_counter_begins_at_zero_and_stands_while_its_pod_lives(tmp_path: Path) -> None:
    """One error in a minute is one error: not unknown many before, and none after."""
    kept = Kept(tmp_path)
    kept.take(1_000, {0: 1.0})
    kept.take(16_000, {0: 2.0, 1: 5.0})
    kept.take(46_000, {0: 4.0})
    found = kept.read(-60_000, 45_000)
    assert found["p-7/0"] == [(0, 0), (15, 1), (30, 3), (45, 3)]
    assert found["p-7/1"] == [(15, 0), (30, 5), (45, 5)]


def test_a_pod_that_is_silent_is_gone_and_may_come_back(tmp_path: Path) -> None:
    """Who was killed is not healthy for ever; who comes back has not begun anew."""
    kept = Kept(tmp_path)
    kept.take(1_000, {0: 1.0})
    for at in range(16_000, 3_600_000, 15_000):
        kept.take(at, {})
    kept.take(3_601_000, {0: 1.0})
    kept.take(3_616_000, {})
    times = [at for at, _ in kept.read(-60_000, 3_700_000)["p-7/0"]]
    before = [at for at in times if at < 3_500]
    assert max(before) <= 2 * LIFE.live_ms / 1000 + 15
    assert kept.read(3_500_000, 3_700_000)["p-7/0"] == [(3615, 2)]


def test_what_was_read_does_not_change(tmp_path: Path) -> None:
    """A verdict is replayed on what it was given."""
    kept = Kept(tmp_path)
    kept.take(1_000, {0: 1.0})
    kept.take(16_000, {2: 1.0})
    kept.take(31_000, {})
    before = kept.read(-60_000, 30_000)
    kept.take(40_000, {0: 7.0, 1: 1.0})
    kept.take(61_000, {3: 1.0})
    assert kept.read(-60_000, 30_000) == before | {"p-7/1": [(30, 0)]}


@HEAVY
@given(data=st.data())
def test_reading_gives_all_that_rose_over_restarts_at_any_place(
    tmp_path_factory: object, data: st.DataObject
) -> None:
    """The law of the counters: at each step what rose until then, whoever died in between."""
    folder = tmp_path_factory.mktemp("own")  # type: ignore[attr-defined]
    kept = Kept(folder)
    at, sums = 0, dict.fromkeys(OWNERS, 0.0)
    stood: dict[int, dict[int, float]] = {}
    steps = data.draw(st.lists(st.tuples(st.integers(0, 40_000), st.booleans()), max_size=30))
    for pause, dies in steps:
        at += pause
        if dies:
            kept.begin()
        rise = data.draw(st.dictionaries(st.sampled_from(list(OWNERS)), st.just(1.0), max_size=3))
        for end in range((at - pause) // STEP_MS, at // STEP_MS):
            stood[(end + 1) * STEP_MS] = dict(sums)
        kept.take(at, rise)
        for id, by in rise.items():
            sums[id] += by
    kept.take(at + STEP_MS, {})
    for id, owner in OWNERS.items():
        found = kept.read(-60_000, at).get(f"p-{owner}/{id % 2}", [])
        assert [value for _, value in found] == [
            stood.get(round(1000 * time), {id: 0.0})[id] for time, _ in found
        ]
        assert all(b - a >= STEP_MS / 1000 for (a, _), (b, _) in pairwise(found))
        risen = [end for end in stood if end <= at and stood[end][id]]
        assert not risen or found
        assert not risen or found[-1][1] == stood[max(risen)][id]


def test_counters_take_memory_for_what_lives(tmp_path: Path) -> None:
    """Pods come and go for ever."""
    kept = Kept(tmp_path)
    kept.take(1_000, {0: 1.0, 2: 1.0})
    kept.take(50_000, {2: 1.0})
    kept.counters.forget(T0 + 40_000)
    kept.take(70_000, {0: 1.0, 2: 1.0})
    assert len(kept.counters) == 1
    assert np.isclose(kept.read(0, 80_000)["p-8/0"][-1][1], 2.0)


@pytest.mark.parametrize(
    ("took_s", "pause_s"), [(0.0, 1.0), (0.05, 1.0), (0.2, 2.0), (0.4, 4.0), (60.0, 5.0)]
)
def test_to_write_takes_a_tenth_of_the_time_at_most(took_s: float, pause_s: float) -> None:
    """Twenty thousand counters on a slow disk leave time to take spans, and are written all the
    same before anybody asks for the next step.
    """
    assert pause_after(took_s, LIFE) == pause_s
    assert pause_after(took_s, LIFE.faster(15)) <= 0.34
