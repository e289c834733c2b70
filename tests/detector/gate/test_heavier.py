"""Memory beyond older pods of the control: told where it is certain, and never as less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.frame import Arm, Frame
from detector.gate.heavier import heavier
from detector.gate.promotion import MEMORY
from detector.gate.verdict import Effect
from detector.gate.window import Rows, window
from detector.series import FloatArray

STEP, BINS, HISTORY = 15.0, 80, 40
GIB = 2.0**30


def arm(name: str, held: FloatArray, *, age: float, load: float = 20.0) -> Arm:
    """Pods that hold so much each, serve the same, and are so old at the end."""
    pods, width = len(held), HISTORY + BINS
    ages = age - STEP * np.arange(width - 1, -1, -1)
    return Arm(
        pods=tuple(f"{name}-{at}" for at in range(pods)),
        born=np.full(pods, -np.inf),
        age=np.tile(np.where(ages > 0, ages, np.nan), (pods, 1)),
        seen=np.ones((pods, width)),
        requests=np.tile(np.where(ages > 0, load * STEP, 0.0), (pods, 1)),
        gauges={MEMORY: np.where(ages > 0, held[:, None], np.nan)},
    )


def frame(
    ours: float = 1.0,
    *,
    pods: int = 3,
    age: float = 1200.0,
    older: float = 864_000.0,
    load: float = 20.0,
    spread: float = 0.0,
) -> Frame:
    """Canary pods of `ours` GiB beside six of one GiB, which differ by `spread` in logs."""
    differ = np.exp(spread * np.linspace(-1, 1, 6))
    return Frame(
        start=0.0,
        step=STEP,
        first=-HISTORY,
        interval=15.0,
        canary=arm("c", np.full(pods, ours * GIB), age=age, load=load),
        control=arm("s", GIB * differ, age=older),
    )


def seen(one: Frame, scale: float = 1.0) -> Effect | None:
    """What is told of it."""
    return heavier(window(one, Rows(), scale, pods_told_apart=True))


@given(st.floats(1.3, 5.0), st.integers(1, 6))
def test_more_memory_is_told_with_its_interval(more: float, pods: int) -> None:
    """A release that holds a third more at twenty minutes will not hold less in a week."""
    found = seen(frame(more, pods=pods))
    assert found is not None
    assert found.kind == "ratio"
    assert found.value == pytest.approx(more, rel=1e-6)
    assert found.low is not None
    assert found.high is not None
    assert 1.0 < found.low < more < found.high


@given(st.floats(0.05, 1.03), st.integers(1, 6))
def test_as_much_or_less_says_nothing(held: float, pods: int) -> None:
    """A young heap is small: that is no saving."""
    assert seen(frame(held, pods=pods)) is None


@given(st.floats(1.0, 3.0), st.floats(1.0, 2.0))
def test_more_is_never_told_as_less(more: float, times: float) -> None:
    """What holds more memory has no smaller effect."""
    less, much = seen(frame(more)), seen(frame(more * times))
    if less is not None:
        assert much is not None
        assert much.value is not None
        assert less.value is not None
        assert much.value >= less.value * (1 - 1e-9)


def test_pods_that_differ_among_themselves_need_a_larger_step() -> None:
    """Where stable pods hold half or twice as much, a third more is none."""
    assert seen(frame(1.3)) is not None
    assert seen(frame(1.3, spread=0.7)) is None
    assert seen(frame(4.0, spread=0.7)) is not None


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (frame(2.0, age=500.0), "start-up holds what is given back"),
        (frame(2.0, older=300.0), "the control is younger, and will grow as well"),
        (frame(2.0, load=40.0), "it serves twice as much"),
        (frame(2.0, pods=0), "there is no canary"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_cannot_be_compared_says_nothing(one: Frame, why: str) -> None:
    """Nobody is held by what a like pod would show, too."""
    assert seen(one) is None, why


def test_less_load_hides_no_step() -> None:
    """With a tenth of the traffic it holds half more all the same."""
    assert seen(frame(1.5, load=2.0)) is not None


def test_a_service_without_memory_says_nothing() -> None:
    """No metric, no effect."""
    bare = frame(2.0)
    assert seen(replace(bare, canary=replace(bare.canary, gauges={}))) is None
    assert seen(replace(bare, control=replace(bare.control, gauges={}))) is None


def test_gaps_are_no_levels() -> None:
    """Of ten minutes most must have been seen."""
    one = frame(2.0)
    held = one.canary.gauges[MEMORY].copy()
    held[:, -30:] = np.nan
    assert seen(replace(one, canary=replace(one.canary, gauges={MEMORY: held}))) is None


def test_young_pods_beside_grown_ones_do_not_count() -> None:
    """A pod that was replaced a minute ago is no canary that saves memory."""
    one = frame(1.5)
    ages, held = one.canary.age.copy(), one.canary.gauges[MEMORY].copy()
    ages[0], held[0] = 60.0, 0.1 * GIB
    mixed = replace(one, canary=replace(one.canary, age=ages, gauges={MEMORY: held}))
    found = seen(mixed)
    assert found is not None
    assert found.value == pytest.approx(1.5, rel=1e-6)


def test_a_faster_clock_counts_its_own_seconds() -> None:
    """A demo in which a minute stands for fifteen is old enough sooner."""
    quick = frame(2.0, age=60.0, older=10_000.0)
    assert seen(quick) is None
    faster = replace(
        quick,
        step=1.0,
        canary=arm("c", np.full(3, 2 * GIB), age=1200.0),
        control=arm("s", np.full(6, GIB), age=9000.0),
    )
    of = {name: replace(part, age=part.age / 15) for name, part in
          (("canary", faster.canary), ("control", faster.control))}  # fmt: skip
    assert seen(replace(faster, canary=of["canary"], control=of["control"]), 1 / 15) is not None
