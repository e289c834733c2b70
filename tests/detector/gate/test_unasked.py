"""Lines that come with time and not with requests: what pods may have of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.frame import Frame
from detector.gate.unasked import lacking, unasked
from detector.gate.window import Rows, Window, window
from detector.series import FloatArray
from models.sequential.rows import ROWS, RowName
from tests.detector.gate.rollouts import Recipe, make

ROW = ROWS[RowName.LOGS]
BINS = 40


def windowed(canary: float, control: float, age: float = 1e6) -> Window:
    """Three canary pods and six of the control that serve so much in each bin, all so old."""
    frame = make(Recipe(seed=2, canary=3, control=6, bins=BINS, history=0))
    sides = ((frame.canary, canary), (frame.control, control))
    ours, theirs = (
        replace(
            arm,
            requests=np.full((len(arm.pods), BINS), each),
            age=np.full((len(arm.pods), BINS), age),
        )
        for arm, each in sides
    )
    return window(replace(frame, canary=ours, control=theirs), Rows(), 1.0, pods_told_apart=True)


def short(win: Window, since: int = 0) -> FloatArray:
    frame: Frame = win.frame
    return lacking(win, frame.canary.requests, frame.control.requests, since)


@given(st.floats(0.1, 1e4), st.floats(0.1, 1e4))
def test_a_pod_lacks_what_it_serves_less_than_a_pod_of_the_control(
    ours: float, theirs: float
) -> None:
    """Where each version's pods carry the same, nothing is excused; where fewer come, the rest."""
    lack = short(windowed(ours, theirs))
    np.testing.assert_allclose(lack, max(theirs - ours, 0.0), rtol=1e-9, atol=1e-6)


@given(st.integers(21, BINS - 1))
def test_it_is_the_same_whenever_it_is_read(since: int) -> None:
    """Polled each minute or read at once, a verdict is the same."""
    win = windowed(3.0, 50.0)
    np.testing.assert_allclose(short(win, since), short(win)[since:], rtol=1e-9)


def test_of_a_pod_whose_logs_are_not_read_nothing_is_expected() -> None:
    """Silence of a pipeline that is down is no good news."""
    win = windowed(3.0, 50.0)
    read = win.frame.canary.requests.copy()
    read[1] = 0.0
    lack = lacking(win, read, win.frame.control.requests, 0)
    may = unasked(ROW, win, read, 0)
    assert (lack[:, 1].max(), may[:, 1].max()) == (0.0, 0.0)
    assert min(lack[:, 0].min(), may[:, 0].min()) > 0.0


def test_without_a_control_nothing_is_lacking() -> None:
    """There is nobody to compare the load with."""
    win = windowed(3.0, 0.0)
    assert short(win).max() == 0.0


@given(st.floats(0.0, 2000.0))
def test_young_pods_may_write_more(age: float) -> None:
    """What they reach for is not there yet; ten minutes on they are like all others."""
    win = windowed(1.0, 1.0, age)
    may = unasked(ROW, win, win.frame.canary.requests, 0)
    old = ROW.idle * 15.0
    assert old <= may.min() <= old + ROW.starting * 15.0
    if age > 600.0:
        np.testing.assert_allclose(may, old, rtol=1e-3)
