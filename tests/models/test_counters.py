"""Counters become credited increments that depend on nothing but samples and their times."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.counters import Counters

Floats = NDArray[np.float64]
STEP, SETTLE, GAP, END = 15.0, 25.1, 60.0, 60


class Rig:
    """One bank with one target of several groups; samples are given as (series, time, value)."""

    def __init__(self, groups: tuple[int, ...] = (1,)) -> None:
        self.bank = Counters(start=0.0, step=STEP, settle=SETTLE, gap=GAP, frozen=0)
        self.target = self.bank.add_target()
        self.series: list[int] = []
        for size in groups:
            group = self.bank.add_group(self.target)
            self.series += [self.bank.add_series(group) for _ in range(size)]

    def give(self, *columns: tuple[Floats, Floats], **told: object) -> None:
        held = [(s, t, x) for s, (t, x) in zip(self.series, columns, strict=True) if len(t)]
        if held:
            self.bank.extend(
                np.concatenate([np.full(len(t), s) for s, t, _ in held]),
                np.concatenate([t for _, t, _ in held]),
                np.concatenate([x for _, _, x in held]),
                **told,  # type: ignore[arg-type]
            )

    def run(self, *columns: tuple[Floats, Floats], end: int = END, **told: object) -> Floats:
        self.give(*columns, **told)
        return self.bank.advance(end)[self.series]

    @property
    def clock(self) -> int:
        return self.bank.clock(self.target)


def every(begin: float, end: float, step: float = 15.0) -> Floats:
    return np.arange(begin, end, step)


def steady(times: Floats, rate: float = 10.0, base: float = 0.0) -> tuple[Floats, Floats]:
    return times, base + rate * times


def test_steady_counter_is_spread_in_proportion() -> None:
    """10 a second make 150 in each bin of 15 seconds, whatever the phase of the scrapes."""
    bins = Rig().run(steady(every(4, 900)))[0]
    assert bins[1:-1] == pytest.approx(np.full(END - 2, 150.0))
    assert bins[0] == pytest.approx(110.0)


def test_first_sample_of_a_target_counts_nothing() -> None:
    """What a counter held before it was first seen belongs to no bin."""
    assert Rig().run(steady(every(4, 900), base=1e6))[0].sum() == pytest.approx(10 * 885)


def test_counter_born_beside_a_sibling_counts_from_zero() -> None:
    """The first error of a quiet service is not lost."""
    times = every(1, 900)
    rig = Rig((2,))
    errors = rig.run(steady(times), (times[20:], np.full(len(times) - 20, 3.0)))[1]
    assert errors.sum() == 3.0
    assert np.flatnonzero(errors).tolist() == [19, 20]
    assert rig.bank.tally.births == 1


def test_counter_born_in_another_group_counts_too() -> None:
    """An error metric of its own is born beside the request metric of the same process."""
    times = every(1, 900)
    bins = Rig((1, 1)).run(steady(times), (times[20:], np.full(len(times) - 20, 3.0)))
    assert bins[1].sum() == 3.0


def test_renamed_series_are_not_born() -> None:
    """A new label on every series of a target must not add their lives."""
    times = every(1, 900)
    rig = Rig((2,))
    bins = rig.run(steady(times[:30], base=5e6), steady(times[30:], base=5e6))
    assert bins.sum() == pytest.approx(10 * 15 * (len(times) - 2))


def test_series_out_of_step_is_not_born() -> None:
    """Another phase of scraping is no birth: its first value may be a whole life."""
    bins = Rig((2,)).run(steady(every(1, 900)), steady(every(8, 900), base=1e6))
    assert bins.sum() < 20 * 900


@pytest.mark.parametrize(("start", "counted"), [(94.0, True), (50.0, False), (120.0, False)])
def test_new_target_counts_from_a_start_just_before(start: float, counted: bool) -> None:
    """A process that began after the last scrape could have been gives its first value."""
    times = every(100, 900)
    rig = Rig()
    bins = rig.run((times, 40.0 + 0 * times), began={0: (100.0, start)})[0]
    assert bins.sum() == (40.0 if counted else 0.0)


def test_reset_counts_the_new_value() -> None:
    """A restarted process gives what it counted since."""
    times = every(1, 900)
    rig = Rig()
    values = np.where(times < 450, 10 * times + 1e5, 10 * (times - 450))
    total = rig.run((times, values))[0].sum()
    assert total == pytest.approx(10 * 885 - 10 * (450 - times[times < 450][-1]), abs=1)
    assert rig.bank.tally.resets == 1
    assert rig.bank.take_restarts()[0].at == times[times >= 450][0]


def test_reset_counts_every_series_of_the_target() -> None:
    """A sibling that is already above its old value after the restart counts whole."""
    times = every(1, 900)
    at = times >= 450
    busy = np.where(at, 10 * (times - 450), 10 * times)
    rare = np.where(at, 5.0, 2.0)
    bins = Rig((1, 1)).run((times, busy), (times, rare))
    assert bins[1].sum() == 5.0


def test_series_absent_at_a_reset_counts_whole_when_it_returns() -> None:
    """An error child that comes back after the restart does not subtract its former life."""
    times = every(1, 900)
    busy = np.where(times >= 450, 10 * (times - 450), 10 * times)
    back = np.r_[times[:30], times[35:]]
    errors = np.r_[np.full(30, 4.0), np.full(len(times) - 35, 6.0)]
    for count in (1, 7):
        rig = Rig((2,))
        for times_, busy_, back_, errors_ in _parts((times, busy), (back, errors), count):
            rig.give((times_, busy_), (back_, errors_))
        assert rig.bank.advance(END)[rig.series][1].sum() == 6.0


def _parts(
    one: tuple[Floats, Floats], two: tuple[Floats, Floats], count: int
) -> list[tuple[Floats, Floats, Floats, Floats]]:
    edges = np.linspace(0, 900, count + 1)
    parts = []
    for low, high in itertools.pairwise(edges):
        a, b = ((t >= low) & (t < high) for t in (one[0], two[0]))
        parts.append((one[0][a], one[1][a], two[0][b], two[1][b]))
    return parts


@given(st.integers(2, 50), st.floats(1.0, 1e4), st.integers(1, 6))
def test_flip_never_adds_the_life(at: int, rate: float, lag: int) -> None:
    """Replicas that lag or hold another process's counter cannot add what they held."""
    times = every(1, 900)
    other = (np.arange(len(times)) // at) % 2 == 1
    life = 1e3 * rate
    values = rate * (times - np.where(other, lag * 15.0, 0.0)) + life
    total = Rig().run((times, values))[0].sum()
    assert total <= 1.25 * rate * 900 + 20


@given(st.integers(14, 40))
def test_flip_between_processes_never_adds_a_life(at: int) -> None:
    """Two workers behind one address: neither's lead over the other is traffic."""
    times = every(1, 900)
    other = (np.arange(len(times)) >= at) & (np.arange(len(times)) < at + 5)
    values = 10 * times + np.where(other, 2e5, 9e5)
    assert Rig().run((times, values))[0].sum() <= 10 * 900


@pytest.mark.parametrize("silent", [30.0, 45.0])
def test_short_gap_is_spread(silent: float) -> None:
    """A few missed scrapes lose nothing."""
    times = every(1, 900)
    times = times[(times < 450) | (times >= 450 + silent)]
    bins = Rig().run(steady(times))[0]
    assert bins.sum() == pytest.approx(10 * (times[-1] - times[0]))


def test_long_gap_is_discarded() -> None:
    """What happened while nobody looked is not evidence for any bin."""
    times = every(1, 900)
    times = times[(times < 300) | (times >= 600)]
    rig = Rig()
    bins = rig.run(steady(times))[0]
    assert bins.sum() == pytest.approx(10 * (886 - 1 - (601 - 286)))
    assert rig.bank.tally.gaps == 1
    assert bins[20:39].sum() == 0.0


def test_gap_is_measured_in_intervals_of_slow_targets() -> None:
    """Scrapes every 90 seconds are no gaps, once that is known to be the rhythm."""
    times = every(1, 900, 90.0)
    assert Rig().run(steady(times))[0].sum() == pytest.approx(10 * (times[-1] - times[1]))


def test_clock_tells_the_time_covered() -> None:
    """Coverage follows the scrapes: whole bins, none in a long gap."""
    times = every(1, 900)
    rig = Rig()
    rig.give(steady(times[(times < 300) | (times >= 600)]))
    covered = rig.bank.advance(END)[rig.clock]
    assert covered[2:18] == pytest.approx(np.full(16, 15.0))
    assert covered[20:39].sum() == 0.0


def test_late_sample_falls_into_the_next_open_bin() -> None:
    """A sample later than the settling time cannot change its bin; its mass is not lost."""
    rig = Rig()
    times = np.array([1.0, 16.0, 31.0])
    rig.give(steady(times))
    first = rig.bank.advance(3)[rig.series[0]]
    rig.give(steady(np.array([76.0])))
    rest = rig.bank.advance(8)[rig.series[0]]
    assert first.sum() == pytest.approx(300.0)
    assert rest.sum() == pytest.approx(450.0)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Floats, Floats]]:
    """Columns of a target with births, falls, gaps, absences and odd times."""
    count = draw(st.integers(1, 4))
    rows = np.cumsum(draw(st.lists(st.floats(0.5, 80.0), min_size=1, max_size=30)))
    columns = []
    for _ in range(count):
        held = np.array(draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
        steps = draw(st.lists(st.floats(-40.0, 60.0), min_size=len(rows), max_size=len(rows)))
        values = np.maximum(np.cumsum(steps), 0.0) + draw(st.sampled_from([0.0, 5.0, 1e4]))
        columns.append((rows[held], values[held]))
    return columns


@given(histories(), st.lists(st.integers(1, 60), max_size=12))
def test_chunks_give_the_same_bits_as_all_at_once(
    columns: list[tuple[Floats, Floats]], tops: list[int]
) -> None:
    """When and how often samples are read is not seen in any bin."""
    whole = Rig((1,) * len(columns))
    whole.give(*_until(columns, -np.inf, 60 * STEP + SETTLE))
    expected = whole.bank.advance(60)
    parts, was, rig = [], -np.inf, Rig((1,) * len(columns))
    for top in sorted({*tops, 60}):
        until = top * STEP + SETTLE
        rig.give(*_until(columns, was, until))
        parts.append(rig.bank.advance(top))
        was = until
    assert np.array_equal(np.concatenate(parts, axis=1), expected)
    assert whole.bank.tally == rig.bank.tally


def _until(
    columns: list[tuple[Floats, Floats]], low: float, high: float
) -> list[tuple[Floats, Floats]]:
    return [(t[(t > low) & (t <= high)], x[(t > low) & (t <= high)]) for t, x in columns]


@given(histories())
def test_increments_are_finite_and_never_negative(columns: list[tuple[Floats, Floats]]) -> None:
    """No history of samples makes a bin that is not a count."""
    rig = Rig((1,) * len(columns))
    rig.give(*_until(columns, -np.inf, 60 * STEP + SETTLE))
    bins = rig.bank.advance(60)
    assert np.all(np.isfinite(bins))
    assert np.all(bins >= 0)


@given(histories())
def test_increments_never_exceed_what_was_shown(columns: list[tuple[Floats, Floats]]) -> None:
    """A series credits at most its rises and the values it restarted or was born with."""
    rig = Rig((1,) * len(columns))
    rig.give(*_until(columns, -np.inf, 60 * STEP + SETTLE))
    bins = rig.bank.advance(60)[rig.series]
    for (_, values), credited in zip(columns, bins, strict=True):
        rises = np.diff(values, prepend=0.0)
        assert credited.sum() <= np.where(rises < 0, values, rises).sum() + values.sum() + 1e-6
