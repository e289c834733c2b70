"""A service that always moves is not in an incident: what two hours of history say of it."""

from __future__ import annotations

import numpy as np
import pytest

from detector.gate.frame import Arm, Frame
from detector.gate.unrest import RESTLESS, count_unrest, scale_unrest
from detector.series import FloatArray

STEP, PAST, PODS = 15.0, 480, 4
EDGES = np.array([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0])
RNG = np.random.default_rng(3)


def frame(first: int = -PAST) -> Frame:
    """Two hours before the start, of pods that matter to nobody here."""
    nothing = np.zeros((0, -first))
    arm = Arm(
        pods=(),
        born=np.zeros(0),
        age=nothing,
        seen=nothing,
        requests=nothing,
        counts={},
        newest=0.0,
    )
    return Frame(start=0.0, step=STEP, first=first, interval=STEP, canary=arm, control=arm)


def events(rate: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Requests and events of each pod at a rate per request over time."""
    served = np.full((PODS, PAST), 1500.0)
    return served, RNG.poisson(served * rate).astype(np.float64)


def slowed(by: FloatArray) -> FloatArray:
    """Latency histograms (pods, T, B + 1) around 60 ms, moved by log factors over time."""
    middle = np.log(0.06) + by[None, :, None]
    below = 1 / (1 + np.exp(-(np.log(EDGES) - middle) / 0.3))
    below = np.broadcast_to(below, (PODS, PAST, len(EDGES)))
    whole = np.ones((PODS, PAST, 1))
    return 60.0 * np.diff(np.concatenate([0 * whole, below, whole], axis=2), axis=2)


def saw(period: int) -> FloatArray:
    """A saw-tooth between 0 and 1, of so many bins."""
    return np.arange(PAST) % period / period


def test_a_quiet_service_has_no_unrest() -> None:
    """Chance alone must not make a service look restless: its incidents would go unseen."""
    steady = np.full(PAST, 0.05)
    assert count_unrest(*events(steady), 0.05, frame(), 1.0) < 0.02
    assert scale_unrest(slowed(np.zeros(PAST)), EDGES, frame(), 1.0) == 0.0


def test_a_collectors_saw_tooth_is_a_habit() -> None:
    """A service that collects garbage each five minutes would never pass while it is waited for."""
    waving = np.where(saw(20) > 0.5, 0.09, 0.03)
    assert count_unrest(*events(waving), 0.06, frame(), 1.0) > RESTLESS
    assert scale_unrest(slowed(np.where(saw(20) > 0.5, 0.8, 0.0)), EDGES, frame(), 1.0) > RESTLESS


@pytest.mark.parametrize("minutes", [2, 5])
def test_one_incident_is_no_habit(minutes: int) -> None:
    """A service that had an outage this morning may have another now."""
    during = (np.arange(PAST) >= 200) & (np.arange(PAST) < 200 + 4 * minutes)
    broken = np.where(during, 0.2, 0.05)
    assert 0 < count_unrest(*events(broken), 0.05, frame(), 1.0) < RESTLESS
    assert 0 < scale_unrest(slowed(np.where(during, 0.6, 0.0)), EDGES, frame(), 1.0) < RESTLESS


def test_what_comes_after_the_start_is_no_history() -> None:
    """The attempt's own incidents must not teach the gate to overlook them."""
    half = PAST // 2
    restless = np.where(np.arange(PAST) < half, 0.05, np.where(saw(20) > 0.5, 0.09, 0.03))
    assert count_unrest(*events(restless), 0.05, frame(-half), 1.0) < 0.02


def test_no_history_is_no_unrest() -> None:
    """A service born with its rollout is judged like any other."""
    served, failed = events(np.full(PAST, 0.05))
    assert count_unrest(served, failed, 0.05, frame(0), 1.0) == 0.0
    assert scale_unrest(slowed(np.zeros(PAST)), EDGES, frame(0), 1.0) == 0.0
    assert count_unrest(0 * served, 0 * failed, 0.05, frame(), 1.0) == 0.0
