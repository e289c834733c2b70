"""Starts of containers as samples tell them: new ones, the same again, and restarts."""

from __future__ import annotations

import numpy as np
import pytest

from detector.gate.intake import Samples
from detector.gate.roster import Entry, Pod, Roster
from detector.gate.starts import Starts, Told
from detector.signals.plan import ArmName
from models.counters import Counters, Restart
from models.gauges import Gauges
from tests.detector.gate.traffic import ERRORS, plan

TARGET = 7


def starts() -> Starts:
    """A pod whose requests and whose start are scraped at once."""
    counters = Counters(start=0.0, step=15.0, settle=25.0, gap=60.0, frozen=0)
    gauges = Gauges(start=0.0, step=15.0, hold=60.0, frozen=0)
    roster = Roster(plan(ERRORS), counters, gauges, first=0)
    roster.pods = [Pod("a", ArmName.CANARY)]
    roster.entries = [Entry(0, 0, TARGET, counter=3), Entry(0, 1, TARGET, start=0)]
    roster.starts = 1
    return Starts(roster)


def take(made: Starts, *told: tuple[float, float]) -> tuple[Told, list[float]]:
    """Samples of the start series, (time, start); what they told, and their values after."""
    times, values = np.array(told).T
    samples = Samples(np.full(len(told), 1), times, values)
    after = values.copy()
    found = made.take(samples, np.zeros(len(told), np.int64), after)
    return found, after.tolist()


def test_the_first_start_is_told_with_its_scrape() -> None:
    """A process that began just before its first scrape would count nothing of it."""
    made = starts()
    found, counted = take(made, (10.0, 4.0), (25.0, 4.0))
    assert (found.began, found.restarts) == ({TARGET: (10.0, 4.0)}, {})
    assert counted == [0.0, 0.0]
    assert made.roster.pods[0].started == 4.0


@pytest.mark.parametrize("polls", [1, 2], ids=["at once", "poll by poll"])
def test_each_later_start_is_a_restart(polls: int) -> None:
    """A crash loop would look like one pod that runs."""
    made, told = starts(), [(10.0, 4.0), (25.0, 20.0), (40.0, 20.0), (55.0, 50.0)]
    size = len(told) // polls
    parts = [take(made, *told[at : at + size]) for at in range(0, len(told), size)]
    restarts = [time for found, _ in parts for time in found.restarts.get(TARGET, ())]
    assert restarts == [25.0, 55.0]
    assert [value for _, counted in parts for value in counted] == [0.0, 1.0, 1.0, 2.0]
    assert made.roster.pods[0].starts == [(10.0, 4.0), (25.0, 20.0), (55.0, 50.0)]


def test_a_clock_that_wavers_is_no_restart() -> None:
    """Start times come from a clock that is corrected: half a second later is the same start."""
    found, counted = take(starts(), (10.0, 4.0), (25.0, 4.5))
    assert (found.restarts, counted) == ({}, [0.0, 0.0])


def test_a_start_lies_between_the_scrapes_that_tell_it() -> None:
    """A wrong clock of a node would make the pod older than its last scrape, or not born yet."""
    made = starts()
    take(made, (10.0, -500.0), (25.0, -400.0), (40.0, 90.0))
    assert made.roster.pods[0].starts == [(10.0, -500.0), (25.0, 10.0), (40.0, 40.0)]


def test_a_counter_that_fell_is_a_restart_in_the_middle() -> None:
    """Without a start metric the pod's age would go on."""
    made = starts()
    made.fell([Restart(TARGET, 10.0, 25.0), Restart(99, 10.0, 25.0)])
    assert made.roster.pods[0].starts == [(25.0, 17.5)]


def test_where_a_metric_tells_starts_a_fall_tells_nothing_more() -> None:
    """One restart would make the pod young twice."""
    made = starts()
    take(made, (10.0, 4.0))
    made.fell([Restart(TARGET, 10.0, 25.0)])
    assert made.roster.pods[0].starts == [(10.0, 4.0)]
