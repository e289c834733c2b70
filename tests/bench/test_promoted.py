"""The bench of promoted gauges draws the same worlds for the same seed, and counts what it says."""

from __future__ import annotations

import numpy as np
import pytest

from bench.gate.frames import binned
from bench.gate.promoted import CPU, MEMORY, Outcome, World, figures_of, usual_of, with_gauges
from bench.gate.rates import expected
from bench.gate.rollout import draw


def outcome(
    world: World, signal: str | None, minutes: float | None = None, *, lasting: bool = True
) -> Outcome:
    return Outcome(world=world, in_scope=True, lasting=lasting, signal=signal, minutes=minutes)


def test_only_gauges_count_as_their_false_alarms() -> None:
    """What other signals do to healthy rollouts is another bench's figure."""
    healthy = [outcome(World.HEALTHY, s) for s in (None, None, CPU, "error_rate")]
    figures = figures_of(healthy)
    assert figures["false_rollback_rate"] == pytest.approx(0.25)
    assert figures["false_by_others"] == 1.0


def test_a_fault_is_found_by_its_own_signal() -> None:
    """A leak that fails on latency says nothing of the slopes."""
    faulty = [
        outcome(World.CPU, CPU, 6.0),
        outcome(World.CPU, "latency", 2.0),
        outcome(World.LEAK, MEMORY, 21.0),
        outcome(World.LEAK, None, lasting=False),
    ]
    figures = figures_of(faulty)
    assert (figures["cpu_found"], figures["cpu_median_minutes"]) == (0.5, 6.0)
    assert (figures["leaks_found"], figures["leaks_found_all"]) == (1.0, 0.5)


@pytest.mark.parametrize("leaking", [False, True])
def test_a_seed_gives_the_same_gauges(leaking: bool) -> None:
    """A figure that nobody can draw again proves nothing."""
    rollout = draw(12)
    rates = expected(rollout)
    frames = [with_gauges(binned(rollout, rates), rollout, rates, leaking=leaking) for _ in "ab"]
    for name in (CPU, MEMORY):
        one, other = (frame.canary.gauges[name] for frame in frames)
        assert np.array_equal(one, other, equal_nan=True)
    assert usual_of(rollout) == usual_of(rollout)


def test_a_leaking_canary_grows_by_a_third_in_ten_minutes() -> None:
    """What the bench calls a leak is one, and the control has none."""
    rollout = draw(12)
    rates = expected(rollout)
    bare = binned(rollout, rates)
    healthy, faulty = (
        with_gauges(bare, rollout, rates, leaking=leaking) for leaking in (False, True)
    )
    grown = np.log(faulty.canary.gauges[MEMORY] / healthy.canary.gauges[MEMORY])
    minutes = np.minimum(bare.canary.age, 7200.0) / 600.0
    known = np.isfinite(grown) & (minutes > 0)
    assert grown[known] / minutes[known] == pytest.approx(np.log(1.35), rel=1e-6)
    usual, other = (f.control.gauges[MEMORY] for f in (healthy, faulty))
    assert np.array_equal(usual, other, equal_nan=True)
