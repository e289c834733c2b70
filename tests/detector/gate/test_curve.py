from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.gate.curve import TRAFFIC, Curve, curves
from detector.gate.frame import Counts, Frame, truncated
from detector.signals.plan import Family, Plan
from detector.signals.signal import Kind, Shape
from tests.detector.gate.rollouts import PLAN, Recipe, bound, dropped, make

MEMORY = bound("memory_growth", Kind.GAUGE, Family(metric="bytes", shape=Shape.GAUGE))
FRAME = make(Recipe(seed=3, bins=100, history=200))


def drawn(frame: Frame, plan: Plan = PLAN, most: int = 1000) -> dict[str, Curve]:
    return {curve.signal: curve for curve in curves(frame, plan, most=most)}


def exposed(frame: Frame, curve: Curve) -> NDArray[np.bool_]:
    """Which points lie after the start."""
    return np.asarray(curve.times > frame.start, np.bool_)


@given(most=st.integers(1, 400), end=st.integers(1, 100))
def test_every_request_is_drawn_once_however_coarse(most: int, end: int) -> None:
    """A coarser picture shows the same traffic: no point is dropped at an edge."""
    frame = truncated(FRAME, end)
    traffic = drawn(frame, most=most)[TRAFFIC]
    begins = np.append(traffic.times[0] - _first_width(traffic, frame), traffic.times[:-1])
    total = (traffic.canary * (traffic.times - begins)).sum()
    assert total == pytest.approx(frame.canary.requests.sum())
    assert len(traffic.times) <= most + 2


def _first_width(curve: Curve, frame: Frame) -> float:
    """The first point may begin within a group of bins."""
    shown = max(-frame.first, 0) - max(40, 0.25 * (frame.first + frame.bins))
    begin = frame.start + (frame.first + max(0.0, np.floor(shown))) * frame.step
    return float(curve.times[0] - begin)


@given(end=st.integers(40, 99))
def test_points_stay_where_they_are_as_time_goes_on(end: int) -> None:
    """A page that refreshes does not show another past."""
    before, after = drawn(truncated(FRAME, end))["error_rate"], drawn(FRAME)["error_rate"]
    same = np.isin(before.times, after.times)
    assert same.all()
    at = np.isin(after.times, before.times)
    np.testing.assert_allclose(after.canary[at], before.canary)


def test_share_is_what_was_drawn_with() -> None:
    """Errors of 5 % look like 5 %, those of the control like its own."""
    found = drawn(make(Recipe(errors=0.01, more_errors=0.05, requests=400.0)))["error_rate"]
    assert np.nanmean(found.canary) == pytest.approx(0.06, rel=0.1)
    assert np.nanmean(found.control) == pytest.approx(0.01, rel=0.2)
    assert (found.unit, found.measure) == ("ratio", "share of requests")


def test_median_and_tail_are_those_of_the_requests() -> None:
    """The median was 60 ms; a canary slower by half shows it, in the tail too."""
    found = drawn(make(Recipe(slower=0.405, requests=400.0)))
    assert np.nanmedian(found["latency"].control) == pytest.approx(0.06, rel=0.1)
    assert np.nanmedian(found["latency"].canary) == pytest.approx(0.09, rel=0.1)
    assert np.nanmedian(found["tail95"].canary) > 1.2 * np.nanmedian(found["tail95"].control)
    assert found["tail99"].measure == "99th percentile"


def test_nothing_served_is_a_hole_and_not_a_zero() -> None:
    """Before the canary there was no canary, which is not the same as no errors."""
    found = drawn(FRAME)["error_rate"]
    before = ~exposed(FRAME, found)
    assert before.any()
    assert np.isnan(found.canary[before]).all()
    assert np.isfinite(found.control[before]).all()


def test_an_arm_without_bad_requests_has_none() -> None:
    """The error series is born with the first error: until then the line lies at zero."""
    canary = replace(FRAME.canary, counts={})
    found = drawn(replace(FRAME, canary=canary))["error_rate"]
    assert (found.canary[exposed(FRAME, found)] == 0).all()


def test_restarts_add_up_from_the_start_on() -> None:
    """One restart on one of three pods is a third, and stays drawn."""
    x = np.zeros_like(FRAME.canary.requests)
    x[1, 200 + 20] = 1.0
    n = np.ones_like(x)
    canary = replace(FRAME.canary, counts={"restarts": Counts(n=n, x=x)})
    found = drawn(replace(FRAME, canary=canary))["restarts"]
    assert found.canary[-1] == pytest.approx(1 / 3)
    assert found.canary[exposed(FRAME, found)][0] == 0.0
    assert np.isnan(found.canary[~exposed(FRAME, found)]).all()


def test_gauge_is_the_mean_of_the_pods_that_have_one() -> None:
    """A pod that is not there yet does not pull memory down."""
    values = np.full_like(FRAME.canary.requests, 100.0)
    values[0] = np.nan
    values[1] = 300.0
    canary = replace(FRAME.canary, gauges={"memory_growth": values})
    found = drawn(replace(FRAME, canary=canary), replace(PLAN, signals=(MEMORY,)))
    assert found["memory_growth"].canary == pytest.approx(200.0)
    assert np.isnan(found["memory_growth"].control).all()


def test_gauge_with_a_load_is_what_one_request_takes() -> None:
    """Twice the traffic takes twice the CPU: that is no regression, and looks like none."""
    cpu = replace(MEMORY, load=PLAN.requests)
    canary = replace(
        FRAME.canary, gauges={"memory_growth": 0.02 * FRAME.canary.requests / FRAME.step}
    )
    found = drawn(replace(FRAME, canary=canary), replace(PLAN, signals=(cpu,)))["memory_growth"]
    assert found.canary[exposed(FRAME, found)] == pytest.approx(0.02)
    assert found.measure == "mean per request"


def test_a_pod_that_nobody_asks_does_not_tell_what_a_request_takes() -> None:
    """The first seconds of a process do not squash the chart of all that follows."""
    requests = FRAME.canary.requests.copy()
    requests[:, 200] = 0.01
    cpu = replace(MEMORY, load=PLAN.requests)
    values = np.full_like(requests, 0.1)
    canary = replace(FRAME.canary, requests=requests, gauges={"memory_growth": values})
    found = drawn(replace(FRAME, canary=canary), replace(PLAN, signals=(cpu,)))["memory_growth"]
    points = found.canary[exposed(FRAME, found)]
    assert np.isnan(points[0])
    assert np.isfinite(points[1:]).all()
    assert np.nanmax(points) < 10 * np.nanmedian(points)


def test_what_was_never_seen_is_not_drawn() -> None:
    """A signal without a series makes no empty chart."""
    arms = [replace(arm, counts={}, histograms={}) for arm in (FRAME.canary, FRAME.control)]
    assert list(drawn(replace(FRAME, canary=arms[0], control=arms[1]))) == [TRAFFIC]


@pytest.mark.parametrize("end", [-5, 0])
def test_before_the_start_there_is_nothing_to_compare(end: int) -> None:
    """History alone makes no chart."""
    assert curves(truncated(FRAME, end), PLAN, most=100) == ()


def test_history_that_was_dropped_is_not_missed() -> None:
    """A frame may begin after the start of the attempt."""
    found = drawn(dropped(FRAME, 30))
    assert len(found["error_rate"].times) == 70
    assert np.isfinite(found["error_rate"].canary).all()
