"""Bins as the judge sees them: canary pods in rows, the control as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.frame import Arm, Frame
from detector.gate.window import ROWS_MAX, Rows, Window, arrange, window
from detector.series import FloatArray

STEP, BINS = 15.0, 60


def arm(name: str, requests: FloatArray, age: float = np.inf) -> Arm:
    return Arm(
        pods=tuple(f"{name}-{at}" for at in range(len(requests))),
        born=np.full(len(requests), -np.inf),
        age=np.full(requests.shape, age),
        seen=np.ones(requests.shape),
        requests=requests,
    )


def flat(*each: float) -> FloatArray:
    """Pods with the same requests in every bin."""
    return np.tile(np.array(each, np.float64)[:, None], (1, BINS))


def seen(
    ours: FloatArray, theirs: FloatArray, *, apart: bool = True, scale: float = 1.0, new: int = 0
) -> Window:
    frame = Frame(
        start=0.0,
        step=STEP,
        first=0,
        interval=STEP,
        canary=arm("c", ours),
        control=arm("s", theirs),
    )
    return window(frame, Rows(), scale, pods_told_apart=apart, new=new)


names = st.lists(st.integers(0, 60).map(lambda n: f"pod-{n}"), max_size=80)


@given(names, st.integers(0, 80))
def test_a_pod_keeps_its_row(pods: list[str], cut: int) -> None:
    """What was said of a pod stays with it, however many come later and however it is polled."""
    whole, parts = Rows(), Rows()
    placed = whole.place(tuple(pods))
    assert [*parts.place(tuple(pods[:cut])), *parts.place(tuple(pods[cut:]))] == placed
    assert whole.place(tuple(pods)) == placed
    assert all(0 <= row < ROWS_MAX for row in placed)
    assert whole.names == list(dict.fromkeys(pods))[:ROWS_MAX]


def test_later_pods_are_spread_over_all_rows() -> None:
    """Three hundred pods do not crowd into one row, where one bad one would drown."""
    placed = Rows().place(tuple(f"pod-{at}" for at in range(320)))
    crowds = np.bincount(placed, minlength=ROWS_MAX)
    assert crowds.min() >= 5
    assert crowds.max() <= 35


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_no_request_is_lost_in_rows(pods: int, seed: int) -> None:
    """The thirtieth pod shares a row, and everything it served is counted there."""
    values = np.random.default_rng(seed).integers(0, 50, (pods, 7)).astype(np.float64)
    rows = Rows()
    placed = tuple(rows.place(tuple(f"p{at}" for at in range(pods))))
    out = arrange(values, placed, len(rows.names))
    assert out.shape == (7, min(pods, ROWS_MAX))
    assert out.sum(axis=1) == pytest.approx(values.sum(axis=0))


def test_what_is_no_number_is_nothing() -> None:
    """A pod that is not born yet adds no requests to its row."""
    out = arrange(np.array([[np.nan, 2.0], [3.0, np.nan]]), (0, 0), 1)
    assert out.tolist() == [[3.0], [2.0]]


def test_a_shared_row_is_as_young_as_its_youngest() -> None:
    """A newcomer's cold start must not be hidden behind an older pod of its row."""
    rows = Rows()
    ages = np.array([[100.0] * BINS] * (ROWS_MAX + 1))
    ages[-1, :30], ages[-1, 30:] = np.nan, 5.0
    held = replace(arm("c", flat(*[1.0] * (ROWS_MAX + 1))), age=ages)
    frame = Frame(
        start=0.0, step=STEP, first=0, interval=STEP, canary=held, control=arm("s", flat(9.0))
    )
    seen_ = window(frame, rows, 1.0, pods_told_apart=True)
    shared = seen_.rows[-1]
    assert (seen_.age[:30, shared] == 100.0).all()
    assert (seen_.age[30:, shared] == 5.0).all()
    assert (np.delete(seen_.age, shared, axis=1) == 100.0).all()


@given(st.floats(0.1, 10.0))
def test_load_is_told_per_pod(ratio: float) -> None:
    """A canary pod with twice the traffic of a control pod is log 2 loaded, however many pods."""
    found = seen(flat(100 * ratio, 100 * ratio), flat(100.0, 100.0, 100.0))
    assert found.load[20:] == pytest.approx(np.full((BINS - 20, 2), np.log(ratio)), abs=1e-6)


def test_one_busy_control_pod_is_not_the_control() -> None:
    """Load is compared with the median pod, so that a hot one does not excuse anything."""
    found = seen(flat(100.0), flat(100.0, 100.0, 5000.0))
    assert found.load[20:] == pytest.approx(0.0)


def test_where_pods_are_not_told_apart_load_is_unknown() -> None:
    """Series of a proxy are no pods: no load, and a control of one."""
    found = seen(flat(100.0), flat(900.0, 10.0), apart=False)
    assert not found.load.any()
    assert (found.effective == 1.0).all()


@given(st.lists(st.floats(1.0, 1000.0), min_size=1, max_size=8))
def test_a_control_amounts_to_no_more_than_its_pods(each: list[float]) -> None:
    """One pod that serves nearly all is one; equal ones count in full."""
    found = seen(flat(10.0), flat(*each)).effective
    assert (found >= 1.0).all()
    assert (found <= len(each)).all()
    assert (seen(flat(10.0), flat(*[each[0]] * len(each))).effective == len(each)).all()
    assert (seen(flat(10.0), flat(1e6, *each)).effective[30:] == 1.0).all()


def test_young_control_pods_stand_back_while_old_ones_serve() -> None:
    """A control that is being replaced is judged by its settled pods, not by cold starts."""
    control = arm("s", flat(100.0, 100.0))
    ages = control.age.copy()
    ages[1] = 200.0
    frame = Frame(
        start=0.0,
        step=STEP,
        first=0,
        interval=STEP,
        canary=arm("c", flat(10.0)),
        control=replace(control, age=ages),
    )
    half = window(frame, Rows(), 1.0, pods_told_apart=True)
    assert (half.control == 100.0).all()
    fast = window(frame, Rows(), 0.5, pods_told_apart=True)
    assert (fast.control == 200.0).all()
    busy = replace(frame.control, requests=flat(100.0, 101.0))
    assert (
        window(replace(frame, control=busy), Rows(), 1.0, pods_told_apart=True).control == 201.0
    ).all()


def test_a_starved_control_is_marked() -> None:
    """With under one request in twenty on the control there is nothing to compare with."""
    assert not seen(flat(100.0), flat(100.0)).starved.any()
    assert (seen(flat(1000.0), flat(10.0)).starved[20:] > 0).all()


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_lately_is_what_each_side_served_in_five_minutes(canary: int, control: int) -> None:
    """A starved control is told by it, and so is one that came back."""
    found = seen(flat(canary), flat(control))
    since = (20 - np.maximum(20 - np.arange(1, BINS + 1), 0))[:, None]
    sides = np.stack([found.control, found.requests.sum(axis=1)], axis=1)
    assert found.lately == pytest.approx(sides * since)


@given(st.integers(0, BINS - 1))
def test_later_bins_alone_are_the_same(since: int) -> None:
    """What is read from a bin on does not depend on what was read before it."""
    found = seen(flat(1.0, 2.0), flat(3.0, 4.0))
    values = np.arange(2.0 * BINS).reshape(2, BINS)
    assert np.array_equal(found.canary(values, since), found.canary(values)[since:])
    assert np.array_equal(found.reference(values, since), found.reference(values)[since:])


@given(st.integers(0, BINS - 1), st.integers(0, BINS - 1))
def test_values_may_leave_out_what_came_before(since: int, more: int) -> None:
    """Counts of tails are made of the bins that are read alone: they must meet the same pods."""
    found = seen(flat(1.0, 2.0), flat(3.0, 4.0))
    values = np.arange(2.0 * BINS).reshape(2, BINS)
    short = values[:, min(since, more) :]
    assert np.array_equal(found.canary(short, since), found.canary(values, since))
    assert np.array_equal(found.reference(short, since), found.reference(values, since))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_pods_in_order_are_rows_as_pods_in_any_order(rows: list[int]) -> None:
    """The short way for pods that each have a row gives what summing them gives."""
    count = max(rows) + 1
    values = np.arange(5.0 * len(rows)).reshape(len(rows), 5)
    values[0, 0] = np.nan
    expected = np.zeros((count, 5))
    for row, pod in zip(rows, np.nan_to_num(values), strict=True):
        expected[row] += pod
    assert np.array_equal(arrange(values, tuple(rows), count), expected.T)
