"""Targets that are seen for the first time, against the same targets scrape by scrape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.counters import Counters
from models.sight import FirstSight

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEP, SETTLE, GAP, END = 15.0, 25.1, 60.0, 80
STATE = ("time", "value", "offset", "since", "row", "spans", "good", "grown")


def counters(targets: int = 2) -> Counters:
    """Each target with two groups of two series; numbers of series go around the targets."""
    made = Counters(start=0.0, step=STEP, settle=SETTLE, gap=GAP, frozen=-4)
    groups = [made.add_group(made.add_target()) for _ in range(targets)]
    groups += [made.add_group(target) for target in range(targets)]
    for group in groups:
        made.add_series(group)
        made.add_series(group)
    return made


def series_of(made: Counters, target: int) -> Ints:
    bank = made.bank
    own = (bank.target_of[: bank.count] == target) & (bank.group_of[: bank.count] >= 0)
    return np.flatnonzero(own)


def samples(made: Counters, target: int, times: Floats, rise: float) -> tuple[Ints, Floats, Floats]:
    """Every series of a target at the same times, each rising in its own way."""
    names = series_of(made, target)
    rises = rise * (1 + np.arange(len(names)))[:, None] * np.sqrt(np.arange(len(times)))
    values = np.asarray(1e5 / 3 + rises, np.float64).ravel()
    return np.repeat(names, len(times)), np.tile(times, len(names)), values


def joined(*parts: tuple[Ints, Floats, Floats]) -> tuple[Ints, Floats, Floats]:
    series, times, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(series, kind="stable")
    return series[order], times[order], values[order]


def one_by_one(made: Counters, told: tuple[Ints, Floats, Floats], **known: object) -> None:
    series, times, values = told
    for time in np.unique(times):
        at = times == time
        made.extend(series[at], times[at], values[at], **known)  # type: ignore[arg-type]


PAUSES = st.lists(st.floats(1.0, 60.0), max_size=40)
CALM = st.tuples(st.floats(-90.0, 90.0), PAUSES, st.floats(0.0, 50.0))


def walk(begin: float, pauses: list[float]) -> Floats:
    return begin + np.cumsum([0.0, *pauses])


@given(CALM, CALM, st.floats(-5.0, 20.0))
def test_first_sight_is_what_each_scrape_would_have_given(
    one: tuple[float, list[float], float], two: tuple[float, list[float], float], age: float
) -> None:
    """A gate that starts late would judge other bins than one that polled all along."""
    whole, parts = counters(), counters()
    told = joined(
        *(
            samples(whole, n, walk(begin, pauses), rise)
            for n, (begin, pauses, rise) in enumerate((one, two))
        )
    )
    began = {0: (one[0], one[0] - age)}
    whole.extend(*told, began=began)
    one_by_one(parts, told, began=began)
    assert np.array_equal(whole.advance(END), parts.advance(END))
    for name in STATE:
        assert np.array_equal(getattr(whole.bank, name), getattr(parts.bank, name), equal_nan=True)
    assert whole.tally == parts.tally


@given(CALM, st.integers(1, 30), st.integers(1, 30))
def test_what_comes_after_first_sight_is_counted_on(
    one: tuple[float, list[float], float], at: int, before: int
) -> None:
    """A fall after a calm history would be measured against a rate that nobody saw."""
    whole, parts = counters(1), counters(1)
    begin, pauses, rise = one
    times = walk(begin, [*pauses, *([15.0] * before), *([15.0] * at)])
    series, times, values = samples(whole, 0, times, rise)
    fallen = times > begin + sum(pauses) + 15.0 * before
    values = np.where(fallen, np.maximum(values - 1e5 / 3, 0.0), values)
    calm = (series[~fallen], times[~fallen], values[~fallen])
    whole.extend(*calm)
    one_by_one(parts, calm)
    for made in (whole, parts):
        one_by_one(made, (series[fallen], times[fallen], values[fallen]))
    assert np.array_equal(whole.advance(END), parts.advance(END))
    assert whole.tally == parts.tally


def left(
    made: Counters, told: tuple[Ints, Floats, Floats], restarted: tuple[int, ...] = ()
) -> Ints:
    """The targets whose samples are left to be looked at."""
    found = FirstSight(made.bank, made.bounds).take(told, restarted, {})
    kept = told[0] if found is None else told[0][found]
    return np.unique(made.bank.target_of[kept])


TIMES = np.arange(0.0, 300.0, 15.0)


@pytest.mark.parametrize("where", ["a fall", "a gap", "another time", "a late series", "a restart"])
def test_a_target_to_which_something_happens_is_looked_at(where: str) -> None:
    """A restart within the history would be taken for calm, and its traffic be lost."""
    made = counters()
    series, times, values = samples(made, 0, TIMES, 3.0)
    size = len(TIMES)
    if where == "a fall":
        values[7] = 0.0
    if where == "a gap":
        times = times + 60.0 * (times > 150.0)
    if where == "another time":
        times[size - 1] += 1.0
    if where == "a late series":
        series, times, values = series[1:], times[1:], values[1:]
    told = joined((series, times, values), samples(made, 1, TIMES, 3.0))
    assert left(made, told, (0,) if where == "a restart" else ()).tolist() == [0]


def test_a_target_is_seen_for_the_first_time_once() -> None:
    """A second batch would begin every counter anew, and count nothing across the two."""
    made = counters(1)
    series, times, values = samples(made, 0, TIMES, 3.0)
    early = times < 150.0
    assert not left(made, (series[early], times[early], values[early])).size
    assert left(made, (series[~early], times[~early], values[~early])).tolist() == [0]


def test_a_series_that_is_not_there_yet_is_born_later() -> None:
    """The first error of a pod would be taken for its whole life."""
    made = counters(1)
    series, times, values = samples(made, 0, TIMES, 0.0)
    error = series[-1]
    made.extend(*(column[series != error] for column in (series, times, values)))
    made.extend(
        *(np.append(c, x) for c, x in zip(_next(series, error), (error, 300.0, 2.0), strict=True))
    )
    assert made.advance(END)[error].sum() == 2.0
    assert made.tally.births == 1


def _next(series: Ints, error: int) -> tuple[Ints, Floats, Floats]:
    """One more scrape of the series that were there."""
    there = np.unique(series[series != error])
    return there, np.full(len(there), 300.0), np.full(len(there), 1e5 / 3)
