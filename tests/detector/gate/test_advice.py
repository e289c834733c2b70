"""CPU and memory beside the verdict: told when they are out of line, never judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.advice import advise
from detector.gate.frame import Arm, Frame
from detector.gate.reason import ReasonCode
from detector.gate.verdict import Effect, Outcome, SignalVerdict
from detector.gate.window import Rows, window
from detector.series import FloatArray
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit

STEP, HISTORY, BINS = 15.0, 120, 80
REQUESTS = Family(metric="requests_total", shape=Shape.COUNTER)
CPU = Family(metric="cpu_seconds_total", shape=Shape.COUNTER, joined=True)
MEMORY = Family(metric="memory_bytes", shape=Shape.GAUGE, joined=True)
SIGNALS = (
    BoundSignal(
        signal=Signal(name="cpu", kind=Kind.GAUGE, unit="cores", judged=False),
        pack="test",
        unit=Unit.POD,
        total=CPU,
        load=REQUESTS,
    ),
    BoundSignal(
        signal=Signal(
            name="memory_growth", kind=Kind.GAUGE, unit="bytes", judged=False, grows=True
        ),
        pack="test",
        unit=Unit.POD,
        total=MEMORY,
    ),
)
PLAN = Plan(service="web", canary=(), control=((),), requests=REQUESTS, signals=SIGNALS)


def arm(name: str, pods: int, rate: FloatArray, gauges: dict[str, FloatArray]) -> Arm:
    """Pods that all have the same requests per second and the same gauges."""
    width = len(rate)
    return Arm(
        pods=tuple(f"{name}-{at}" for at in range(pods)),
        born=np.full(pods, -np.inf),
        age=np.full((pods, width), np.inf),
        seen=np.ones((pods, width)),
        requests=np.tile(rate * STEP, (pods, 1)),
        gauges={signal: np.tile(values, (pods, 1)) for signal, values in gauges.items()},
    )


def rollout(*, dearer: float = 1.0, leak: float = 0.0, load: float = 1.0) -> Frame:
    """A control whose load rises and falls, and a canary of two pods beside it.

    CPU is 0.2 cores and 10 ms a request, times `dearer`; memory grows by `leak` (log) in 10 min.
    """
    times = np.arange(-HISTORY, BINS) * np.float64(STEP)
    rate = 40.0 + 30.0 * np.sin(times / 900.0)
    theirs = arm("s", 4, rate, {"cpu": 0.2 + 0.01 * rate, "memory_growth": np.full(len(rate), 2e8)})
    begun = np.where(times >= 0, load * rate, 0.0)
    ours = {
        "cpu": np.where(times >= 0, dearer * (0.2 + 0.01 * begun), np.nan),
        "memory_growth": np.where(times >= 0, 2e8 * np.exp(leak * times / 600.0), np.nan),
    }
    return Frame(
        start=0.0,
        step=STEP,
        first=-HISTORY,
        interval=15.0,
        canary=arm("c", 2, begun, ours),
        control=theirs,
    )


def advice(frame: Frame, plan: Plan = PLAN) -> dict[str, SignalVerdict]:
    shown = advise(plan, window(frame, Rows(), 1.0, pods_told_apart=True), 1.0)
    return {signal.name: signal for signal in shown}


def effect(signal: SignalVerdict) -> Effect:
    assert signal.effect is not None
    return signal.effect


def test_a_like_canary_is_in_line() -> None:
    """Nobody is troubled by a release that uses what its control uses."""
    shown = advice(rollout())
    assert set(shown) == {"cpu", "memory_growth"}
    for signal in shown.values():
        assert signal.outcome is Outcome.PASS
        assert signal.reason.code is ReasonCode.HEALTHY
        assert effect(signal).value == pytest.approx(1.0, abs=0.01)


@given(st.floats(1.15, 3.0), st.floats(0.5, 1.5))
def test_dearer_requests_are_told_at_any_load(dearer: float, load: float) -> None:
    """Twice the CPU for the same work is a bill; half the traffic must not hide it."""
    cpu = advice(rollout(dearer=dearer, load=load))["cpu"]
    assert cpu.reason.code is ReasonCode.SUSPICIOUS
    assert effect(cpu).value == pytest.approx(dearer, rel=0.05)
    assert "more than the control" in cpu.reason.text


@given(st.floats(0.3, 2.0))
def test_load_alone_is_no_excess(load: float) -> None:
    """A canary with another share of the traffic uses other CPU; that is not its code's doing."""
    cpu = advice(rollout(load=load))["cpu"]
    assert cpu.outcome is Outcome.PASS
    assert effect(cpu).value == pytest.approx(1.0, abs=0.03)


def test_cpu_is_shown_per_request() -> None:
    """Core seconds a request on both sides, so that a person can check the factor."""
    cpu = advice(rollout(dearer=2.0))["cpu"]
    assert cpu.canary == pytest.approx(2.0 * (cpu.control or 0.0), rel=0.15)
    assert 0.01 < (cpu.control or 0.0) < 0.03


@given(st.floats(0.06, 1.0))
def test_a_leak_is_told_by_its_growth(leak: float) -> None:
    """Per ten minutes, beside the control's own growth."""
    memory = advice(rollout(leak=leak))["memory_growth"]
    assert memory.reason.code is ReasonCode.SUSPICIOUS
    assert memory.canary == pytest.approx(np.expm1(leak), rel=1e-3)
    assert effect(memory).value == pytest.approx(np.exp(leak), rel=1e-3)
    assert memory.control == pytest.approx(0.0, abs=1e-9)
    assert memory.unit == "ratio per 10 minutes"


@given(st.floats(-1.0, 0.0))
def test_memory_that_shrinks_is_fine(leak: float) -> None:
    """Only growth is out of line."""
    assert advice(rollout(leak=leak))["memory_growth"].outcome is Outcome.PASS


@given(st.floats(0.5, 3.0), st.floats(-1.0, 1.0))
def test_advice_is_never_evidence(dearer: float, leak: float) -> None:
    """E is one and nothing is needed: a chart can neither stop nor clear a release."""
    for signal in advice(rollout(dearer=dearer, leak=leak)).values():
        assert (signal.judged, signal.required, signal.evidence) == (False, False, 1.0)
        assert signal.needed is None
        assert signal.outcome is not Outcome.FAIL
        low, value, high = (getattr(effect(signal), n) for n in ("low", "value", "high"))
        assert low <= value <= high


@pytest.mark.parametrize("side", ["canary", "control"])
def test_a_side_without_the_gauge_is_not_shown(side: str) -> None:
    """A missing exporter is not a usage of nothing."""
    frame = rollout()
    bare = replace(getattr(frame, side), gauges={})
    assert advice(replace(frame, **{side: bare})) == {}


def test_gaps_alone_are_no_advice() -> None:
    """A gauge of NaN throughout says nothing, and says it without an error."""
    frame = rollout()
    silent = {name: np.full_like(values, np.nan) for name, values in frame.canary.gauges.items()}
    assert advice(replace(frame, canary=replace(frame.canary, gauges=silent))) == {}


def test_other_signals_are_left_to_the_judge() -> None:
    """Errors and latency are never advice."""
    errors = replace(SIGNALS[0], signal=Signal(name="cpu", kind=Kind.RATIO))
    assert advice(rollout(dearer=3.0), replace(PLAN, signals=(errors,))) == {}


# -- levels

LAG = BoundSignal(
    signal=Signal(name="event_loop_lag", kind=Kind.GAUGE, unit="seconds", judged=False),
    pack="test",
    unit=Unit.POD,
    total=Family(metric="lag_seconds", shape=Shape.GAUGE),
)


def lagging(canary: float, control: float, wobble: float = 0.0) -> SignalVerdict:
    """What is said of a level that differs."""
    frame = rollout()
    rng = np.random.default_rng(5)
    shape = frame.control.requests.shape
    theirs = {"event_loop_lag": control * np.exp(rng.normal(0, wobble, shape))}
    ours = {"event_loop_lag": np.full(frame.canary.requests.shape, canary)}
    changed = replace(
        frame,
        canary=replace(frame.canary, gauges=ours),
        control=replace(frame.control, gauges=theirs),
    )
    return advice(changed, replace(PLAN, signals=(LAG,)))["event_loop_lag"]


@given(st.floats(0.001, 100.0))
def test_a_like_level_is_in_line(level: float) -> None:
    """An event loop that is as late as the control's is no news."""
    shown = lagging(level, level)
    assert shown.outcome is Outcome.PASS
    assert shown.canary == pytest.approx(level)
    assert shown.control == pytest.approx(level)


@given(st.floats(0.001, 100.0), st.floats(2.0, 50.0))
def test_a_higher_level_is_told(level: float, times: float) -> None:
    """A queue before the thread pool shows before latency does."""
    shown = lagging(times * level, level, wobble=0.1)
    assert shown.reason.code is ReasonCode.SUSPICIOUS
    assert (shown.canary or 0) > (shown.control or 0)
    assert shown.unit == "seconds"


def test_a_queue_that_was_always_empty_is_told_when_it_fills() -> None:
    """Zero has no logarithm, and three waiting requests are three too many."""
    assert lagging(3.0, 0.0).reason.code is ReasonCode.SUSPICIOUS
    assert lagging(0.0, 0.0).outcome is Outcome.PASS
    assert lagging(0.0, 3.0).outcome is Outcome.PASS


def test_what_is_judged_is_not_shown_again() -> None:
    """A promoted gauge has a line of its own."""
    frame = rollout(dearer=2.0)
    arranged = window(frame, Rows(), 1.0, pods_told_apart=True)
    left = [s.name for s in advise(PLAN, arranged, 1.0, besides=frozenset({"cpu"}))]
    assert left == ["memory_growth"]
