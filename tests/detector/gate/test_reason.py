"""Codes of a fail: every judged signal has a scenario that ends in its own `_up`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detector.gate.frame import Frame
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.reason import SIGNAL_NAMES, ReasonCode, up
from detector.gate.verdict import Outcome
from tests.detector.gate.rollouts import PLAN, Recipe, Run, make

# Buckets of a tenth of a second, of a quarter, and of more than half of one.
USUAL, SLOW, SLOWEST = 4, 6, 8
JUDGED = ("error_rate", "latency", "tail95", "tail99", "restarts")


def harmed(**recipe: float) -> Frame:
    """A rollout of seventeen minutes that is worse by a recipe."""
    return make(Recipe(seed=5, bins=70, requests=400.0, **recipe))  # type: ignore[arg-type]


def tailed(to: int, usual: float, more: float) -> Frame:
    """A share of all requests is slow on both sides for ever, and more of the canary's."""
    frame = harmed()
    for arm, share in ((frame.control, usual), (frame.canary, usual + more)):
        counts = arm.histograms["latency"].counts
        moved = np.floor(share * counts.sum(axis=2))
        moved = np.minimum(moved, counts[..., USUAL])
        counts[..., USUAL] -= moved
        counts[..., to] += moved
    return frame


def judged(frame: Frame, name: str) -> Judgement:
    """By one signal alone."""
    off = SignalPolicy(judged=False, required=False)
    signals = dict.fromkeys(JUDGED, off) | {name: SignalPolicy(judged=True)}
    return Run(frame, Policy(signals=signals), PLAN).all()


SCENARIOS: dict[str, Callable[[], Frame]] = {
    "error_rate": lambda: harmed(more_errors=0.03),
    "latency": lambda: harmed(slower=0.5),
    "tail95": lambda: tailed(SLOW, 0.03, 0.12),
    "tail99": lambda: tailed(SLOWEST, 0.007, 0.05),
    "restarts": lambda: harmed(restarts_per_hour=60.0),
}


@pytest.mark.parametrize("name", JUDGED)
def test_every_judged_signal_can_fail_under_its_own_code(name: str) -> None:
    """A code that nothing produces is a page of documentation about nothing."""
    said = judged(SCENARIOS[name](), name)
    assert (said.outcome, said.reason.code) == (Outcome.FAIL, f"{name}_up")
    assert said.first_fail is not None
    assert said.first_fail.signal == name


@pytest.mark.parametrize("name", JUDGED)
def test_the_same_harm_fails_nothing_where_it_is_only_shown(name: str) -> None:
    """Who switches a signal off has it off: its harm is shown and stops no release."""
    other = "restarts" if name != "restarts" else "error_rate"
    said = judged(SCENARIOS[name](), other)
    assert said.outcome is not Outcome.FAIL


def test_codes_of_signals_are_no_other_codes() -> None:
    """A controller that matches `latency_up` never meets it as anything else."""
    codes = [up(name) for name in SIGNAL_NAMES]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & set(ReasonCode)


def test_every_bound_signal_has_a_name_of_the_list() -> None:
    """The list of codes is closed over the signals that packs can bind."""
    assert set(JUDGED) <= set(SIGNAL_NAMES)
    assert {s.signal.name for s in PLAN.signals} <= set(SIGNAL_NAMES)
