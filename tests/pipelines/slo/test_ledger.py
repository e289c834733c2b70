"""Counts that are kept are those that a source would be asked for anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import SourceError
from detector.series import Answer, Query
from detector.slo.counts import Counts, Flaw
from detector.slo.objective import Counted
from pipelines.slo.counting import STEP_S, counts_in
from pipelines.slo.ledger import Ledger
from pipelines.testing import FakeSource, Fault

ALL, BAD = Query("requests_total"), Query("errors_total")
INDICATOR = Counted(total=ALL, part=BAD, part_is_good=False)
T0, HOUR, DAY = 300.0 * 6_000_000, 3600.0, 86_400.0


class Asked(FakeSource):
    """A source that notes over how long it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[float] = []

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float,
    ) -> Sequence[Answer]:
        """As the fake does."""
        self.spans.append(end - start)
        return super().outline(queries, start, end, step_s=step_s, timeout_s=timeout_s)


class World:
    """Two pods of ten requests a second, since a day before T0; a hundredth of one's fail."""

    def __init__(self, pods: str = "ab") -> None:
        self.source = Asked()
        self.ledger = Ledger(self.source)
        for pod in pods:
            self.serve(pod, T0 - DAY, T0 + DAY)

    def serve(self, pod: str, begin: float, end: float, start: float = 0.0) -> None:
        """Its counters, that stood at `start` when they were first seen."""
        times = np.arange(begin, end, 150.0)
        count = start + 10.0 * (times - begin)
        for metric, values in (("requests_total", count), ("errors_total", 0.01 * count)):
            self.source.store.add({"__name__": metric, "pod": pod}, times, values)

    def counts(self, begin: float, end: float) -> Counts | Flaw:
        return self.ledger.counts(INDICATOR, begin, end, timeout_s=1.0)

    @property
    def asked(self) -> int:
        """How many questions there were."""
        return len(self.source.spans)


def same(found: Counts | Flaw, other: Counts | Flaw) -> bool:
    """To the last bit, also where there are gaps."""
    assert isinstance(found, Counts)
    assert isinstance(other, Counts)
    return found.end == other.end and all(
        np.array_equal(one, two, equal_nan=True)
        for one, two in ((found.bad, other.bad), (found.total, other.total))
    )


def anew(world: World, begin: float, end: float) -> Counts | Flaw:
    return counts_in(world.source, INDICATOR, begin, end, timeout_s=1.0)


def test_what_is_kept_and_what_is_new_are_the_whole() -> None:
    """As if all had been asked for at once."""
    world = World()
    for step in range(5):
        begin, end = T0 - 12 * HOUR + 600 * step, T0 + 600 * step
        assert same(world.counts(begin, end), anew(world, begin, end))


def test_of_the_same_moment_it_is_asked_once() -> None:
    """Two objectives of the same counters, over other windows."""
    world = World()
    world.counts(T0 - 12 * HOUR, T0)
    asked = world.asked
    shorter = world.counts(T0 - 3 * HOUR, T0)
    assert world.asked == asked
    assert same(shorter, anew(world, T0 - 3 * HOUR, T0))
    world.counts(T0 - 3 * HOUR, T0 + 300)
    longer = world.counts(T0 - 12 * HOUR + 300, T0 + 300)
    assert same(longer, anew(world, T0 - 12 * HOUR + 300, T0 + 300))


def test_later_looks_ask_for_hours_and_not_for_weeks() -> None:
    """Of a window of a day."""
    world = World()
    world.counts(T0 - DAY + HOUR, T0)
    world.counts(T0 - DAY + HOUR + 300, T0 + 300)
    assert world.source.spans == [23 * HOUR + STEP_S, 6 * HOUR + 300 + STEP_S]


def test_silence_is_a_gap_behind_what_was_counted() -> None:
    """The source has nothing of the last hours: what was before is known all the same."""
    world = World()
    world.counts(T0, T0 + DAY - HOUR)
    found = world.counts(T0, T0 + DAY + 4 * HOUR)
    assert isinstance(found, Counts)
    assert found.end == T0 + DAY + 4 * HOUR
    assert np.isnan(found.total[-46:]).all()
    assert np.isfinite(found.total[: -5 * 12]).all()
    much = world.counts(T0 + 6 * HOUR, T0 + DAY + 9 * HOUR)
    assert isinstance(much, Counts)
    assert np.isnan(much.total[-100:]).all()


def test_a_pod_that_was_away_for_an_hour_is_not_born_again() -> None:
    """All that it ever counted would be a flood of errors."""
    world = World()
    world.serve("c", T0 - DAY, T0 - HOUR, start=1e6)
    world.serve("c", T0, T0 + DAY, start=1.1e6)
    for end in (T0 - HOUR, T0 - 600, T0 + 300, T0 + 900):
        found = world.counts(T0 - 12 * HOUR, end)
        assert isinstance(found, Counts)
        assert np.nanmax(found.total) <= 3 * 10 * STEP_S + 1


def test_what_fails_changes_nothing_that_is_known() -> None:
    """The next question goes on from it."""
    world = World()
    world.counts(T0 - 12 * HOUR, T0)
    world.source.fault = Fault.DOWN
    with pytest.raises(SourceError):
        world.counts(T0 - 12 * HOUR, T0 + 300)
    world.source.fault = Fault.NONE
    begin = T0 - 12 * HOUR + 300
    assert same(world.counts(begin, T0 + 300), anew(world, begin, T0 + 300))


def test_what_is_forgotten_is_asked_for_anew() -> None:
    """All of it."""
    world = World()
    first = world.counts(T0 - 12 * HOUR, T0)
    world.ledger.forget(INDICATOR)
    asked = world.asked
    assert same(world.counts(T0 - 12 * HOUR, T0), first)
    assert world.asked > asked


def test_a_clock_that_goes_back_is_answered_by_what_is_known() -> None:
    """It does not count anything twice."""
    world = World()
    world.counts(T0 - 12 * HOUR, T0)
    found = world.counts(T0 - 12 * HOUR - 300, T0 - 300)
    assert isinstance(found, Counts)
    assert found.end == T0


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=3), st.integers(0, 60))
def test_it_is_the_same_however_often_it_is_asked(steps: list[int], gap: int) -> None:
    """Over gaps of both pods, too."""
    world = World(pods="")
    for pod in "ab":
        world.serve(pod, T0 - 4 * HOUR, T0 + HOUR)
        world.serve(pod, T0 + HOUR + 300 * gap, T0 + 16 * HOUR, start=1e5)
    end = T0
    for step in steps:
        end += 300 * step
        found, other = world.counts(end - 4 * HOUR, end), anew(world, end - 4 * HOUR, end)
        assert isinstance(found, Counts)
        assert isinstance(other, Counts)
        known = np.isfinite(found.total) & np.isfinite(other.total)
        assert np.array_equal(found.total[known], other.total[known])
