"""CPU per load and growth of memory as evidence: only where promoted, fair to the healthy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.gate.frame import Frame
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.reason import ReasonCode
from detector.gate.verdict import Outcome, SignalVerdict
from detector.signals.plan import AgeGrowth, Plan
from tests.detector.gate.gauges import CPU, MEMORY, PROMOTED, SHOWN, Use, used
from tests.detector.gate.rollouts import Recipe, Run
from tests.profiles import HEAVY

# Three of nine pods at a third of the traffic: every pod carries the same.
EQUAL = Recipe(shares=(1 / 3,), requests=300.0, bins=100)


def judged(
    use: Use | None = None, recipe: Recipe = EQUAL, plan: Plan = PROMOTED, seed: int = 1
) -> Judgement:
    return Run(used(replace(recipe, seed=seed), use), plan=plan).all()


def signal(judgement: Judgement, name: str) -> SignalVerdict:
    return next(s for s in judgement.signals if s.name == name)


def test_a_dearer_release_fails_on_cpu_alone() -> None:
    """Requests that cost 60 % more are a bill; with its certificate the gate says so in time."""
    found = judged(Use(dearer=1.6))
    assert found.outcome is Outcome.FAIL
    assert found.reason.code == "cpu_per_request_up"
    cpu = signal(found, "cpu_per_request")
    assert cpu.judged
    assert (cpu.evidence or 0) >= (cpu.needed or np.inf)
    assert "CPU per request" in found.reason.text
    assert "a request" in found.reason.text
    assert cpu.effect is not None
    assert cpu.effect.value == pytest.approx(1.55, abs=0.15)
    assert (cpu.canary or 0) > 1.2 * (cpu.control or np.inf)


def test_a_leak_fails_on_growth_at_equal_age() -> None:
    """A heap that grows by a third in ten minutes fills the pod within the hour."""
    found = judged(Use(leak=0.3))
    assert found.outcome is Outcome.FAIL
    assert found.reason.code == "memory_growth_up"
    assert "10 minutes" in found.reason.text


@settings(HEAVY)
@given(st.integers(0, 10_000), st.sampled_from([(1 / 3,), (0.1, 0.2, 0.33), (0.05, 0.5)]))
def test_a_healthy_release_does_not_fail_on_gauges(seed: int, shares: tuple[float, ...]) -> None:
    """At any load: a canary that is what the control is must not be stopped by a chart."""
    found = judged(recipe=replace(EQUAL, shares=shares), seed=seed)
    assert found.outcome is not Outcome.FAIL
    for name in ("cpu_per_request", "memory_growth"):
        shown = signal(found, name)
        assert (shown.evidence or 0.0) < (shown.needed or np.inf)


def test_what_is_not_promoted_cannot_fail_and_has_no_track() -> None:
    """Without a certificate a gauge is advice, costs no alpha, and a poll no time."""
    run = Run(used(EQUAL, Use(dearer=2.0, leak=0.5)), plan=SHOWN)
    found = run.all()
    assert found.outcome is not Outcome.FAIL
    assert not {"cpu_per_request", "memory_growth"} & set(run.session.tracks)
    for name in ("cpu_per_request", "memory_growth"):
        shown = signal(found, name)
        assert (shown.judged, shown.evidence, shown.needed) == (False, 1.0, None)
        assert shown.reason.code is ReasonCode.SUSPICIOUS


def test_a_promoted_gauge_is_told_once() -> None:
    """Two lines of one signal, one of them advice, would contradict each other."""
    names = [s.name for s in judged().signals]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("told", [True, False])
def test_a_policy_has_the_last_word(told: bool) -> None:
    """People may promote a gauge, and take a promotion back."""
    policy = Policy(signals={"cpu_per_request": SignalPolicy(judged=told)})
    plan = SHOWN if told else PROMOTED
    found = Run(used(EQUAL, Use(dearer=1.6)), policy=policy, plan=plan).all()
    assert (found.outcome is Outcome.FAIL) is told
    assert signal(found, "cpu_per_request").judged is told


def test_a_filling_cache_is_no_leak() -> None:
    """Every start fills its heap; the canary's does what the stable starts did at that age."""
    memory = signal(judged(Use(fills=1.5)), "memory_growth")
    assert memory.judged
    assert (memory.evidence or 0.0) < 5.0


def test_without_stable_starts_growth_stays_advice() -> None:
    """No stable pod was ever that young within the history: nothing says what is usual."""
    run = Run(used(EQUAL, Use(starts=(), leak=0.3)), plan=PROMOTED)
    found = run.all()
    assert found.outcome is not Outcome.FAIL
    grown = signal(found, "memory_growth")
    assert (grown.evidence or 0.0) <= 1.01


def test_a_canary_at_a_load_that_nobody_knows_is_not_judged_on_cpu() -> None:
    """A pod that carries a fifth of what any other carries uses its fixed cost for few requests."""
    few = replace(EQUAL, shares=(0.03,))
    cpu = signal(judged(Use(dearer=1.5), few), "cpu_per_request")
    assert (cpu.evidence or 0.0) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("every", [1, 7, 100])
def test_how_often_it_is_polled_changes_nothing(every: int) -> None:
    """Gauges are judged at every boundary, whoever asks and when."""
    frame = used(EQUAL, Use(dearer=1.6, leak=0.2))
    run, at_once = Run(frame, plan=PROMOTED), Run(frame, plan=PROMOTED)
    last = None
    for bin_ in range(every, 101, every):
        last = run.to(bin_)
    run.to(100)
    whole = at_once.to(100)
    assert last is not None
    first, other = run.session.first_fail, whole.first_fail
    assert first is not None
    assert other is not None
    assert (first.at, first.signal) == (other.at, other.signal)
    for name, track in run.session.tracks.items():
        sums = at_once.session.tracks[name].present().log_l
        assert track.present().log_l == pytest.approx(sums, rel=1e-6, abs=1e-4)


def holes(frame: Frame, name: str) -> Frame:
    """The frame in which the canary's gauge is never there."""
    empty = np.full(frame.canary.requests.shape, np.nan)
    canary = replace(frame.canary, gauges={**frame.canary.gauges, name: empty})
    return replace(frame, canary=canary)


@pytest.mark.parametrize("bound", [CPU, MEMORY], ids=lambda b: b.signal.name)
def test_a_gauge_that_is_not_there_says_nothing(bound: object) -> None:
    """A kubelet that is not scraped is neither good nor bad news."""
    name = bound.signal.name  # type: ignore[attr-defined]
    found = Run(holes(used(EQUAL), name), plan=PROMOTED).all()
    assert signal(found, name).evidence == pytest.approx(1.0, abs=1e-3)
    assert found.outcome is not Outcome.FAIL


def test_starts_of_earlier_weeks_say_what_is_usual_while_young() -> None:
    """Stable pods are days old; without earlier starts no leak is found within the hour."""
    told = tuple(
        AgeGrowth(window=at, median=0.3 if at == 0 else 0.01, variance=4e-4, starts=9)
        for at in range(4)
    )
    memory = replace(MEMORY, usual=told)
    plan = replace(PROMOTED, signals=(*PROMOTED.signals[:-1], memory))
    old = Use(starts=(), leak=0.3)
    assert judged(old, plan=plan).outcome is Outcome.FAIL
    healthy = judged(replace(old, leak=0.0), plan=plan)
    assert healthy.outcome is not Outcome.FAIL
