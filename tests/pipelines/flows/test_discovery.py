"""From the text of an instrumentation to a verdict: discovery, gate and engine together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.signals.signal import Unit
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.shops import DIALECTS, KUBERNETES, T0, Dialect, Faults, fill

PACKS = load_packs()
HEALTHY, ERRORS, SLOW = Faults(), Faults(errors=0.03), Faults(slower=1.8)


def gate_of(held: MemorySource, now: Sequence[float]) -> Gate:
    """A gate as it is composed in life, at the last of the times."""
    return Gate(
        source=held,
        catalog=held,
        stores=memory_stores(),
        clock=lambda: now[-1],
        discover=Discovery(PACKS, held),
        session_factory=Session,
    )


def polled(held: MemorySource, dialect: Dialect, **asked: object) -> list[Verdict]:
    """The answers of a rollout that is asked each minute, up to the first fail."""
    now = [T0]
    gate = gate_of(held, now)
    given: list[Verdict] = []
    for second in range(60, 1740, 60):
        now.append(T0 + second)
        request = VerdictRequest(service="checkout", canary=dialect.canary, **asked)  # type: ignore[arg-type]
        given.append(gate.judge(request))
        if given[-1].outcome is Outcome.FAIL:
            break
    return given


@cache
def rollout(dialect: Dialect, faults: Faults) -> tuple[Verdict, ...]:
    """The same, once."""
    return tuple(polled(fill(dialect, faults), dialect))


each = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


@each
def test_a_healthy_canary_passes(dialect: Dialect) -> None:
    """Nothing was configured: the service's own metrics are enough to go on."""
    given = rollout(dialect, HEALTHY)
    assert given[-1].outcome is Outcome.PASS
    assert {s.name for s in given[-1].signals} >= {"error_rate", "latency", "tail95"}


@each
def test_errors_fail_the_canary(dialect: Dialect) -> None:
    """Three per cent of failed requests against four in a thousand."""
    last = rollout(dialect, ERRORS)[-1]
    assert (last.outcome, last.reason.code) == (Outcome.FAIL, "error_rate_up")


@each
def test_a_slow_canary_fails(dialect: Dialect) -> None:
    """Eight tenths slower; whichever unit the histogram has."""
    last = rollout(dialect, SLOW)[-1]
    assert last.outcome is Outcome.FAIL
    assert last.reason.code in {"latency_up", "tail95_up"}


@each
def test_both_arms_show_what_was_put_in(dialect: Dialect) -> None:
    """Rates and latencies are those of real users: no probe, no stream, no second report."""
    signals = {s.name: s for s in rollout(dialect, HEALTHY)[-1].signals}
    errors, latency = signals["error_rate"], signals["latency"]
    expected = 0.002 if dialect.name == "grpc" else 0.004
    assert errors.canary == pytest.approx(expected, rel=0.25)
    assert errors.control == pytest.approx(expected, rel=0.25)
    assert latency.canary == pytest.approx(0.06, rel=0.15)
    assert latency.control == pytest.approx(0.06, rel=0.15)


def test_restarting_pods_fail_the_canary() -> None:
    """Their requests look well in between; the cluster's account joined by pod shows it."""
    last = rollout(KUBERNETES, Faults(restarts_every_s=240))[-1]
    assert (last.outcome, last.reason.code) == (Outcome.FAIL, "restarts_up")


def test_containers_are_shown_beside_what_is_judged() -> None:
    """CPU per request leaves out sandbox and cgroup parent: four ms a request, no more."""
    signals = {s.name: s for s in rollout(KUBERNETES, HEALTHY)[-1].signals}
    cpu = signals["cpu_per_request"]
    assert (cpu.judged, cpu.unit) == (False, "CPU seconds per request")
    assert cpu.canary == pytest.approx(0.004, rel=0.01)


def test_a_verdict_says_that_a_series_is_no_pod() -> None:
    """A person who looks for the bad pod reads why none is named."""
    verdict = rollout(DIALECTS[-2], HEALTHY)[-1]
    assert any("one bad pod cannot be told apart" in note for note in verdict.notes)


def test_a_misspelt_canary_is_told_what_there_is() -> None:
    """The answer is inconclusive, and the next try is right."""
    held, now = fill(KUBERNETES, HEALTHY), [T0 + 600]
    request = VerdictRequest(service="checkout", canary='{pod=~"checkout-6d9f8c-.+"}')
    verdict = gate_of(held, now).judge(request)
    assert (verdict.outcome, verdict.reason.code) == (Outcome.INCONCLUSIVE, "no_canary_data")
    assert "checkout-6d9f7c-k8w2d" in verdict.reason.text


def test_a_control_that_is_gone_is_inconclusive() -> None:
    """Nothing to compare with is never good news."""
    held, now = fill(KUBERNETES, HEALTHY), [T0 + 600]
    request = VerdictRequest(
        service="checkout", canary=KUBERNETES.canary, control='{pod=~"checkout-aaaaa-.+"}'
    )
    verdict = gate_of(held, now).judge(request)
    assert (verdict.outcome, verdict.reason.code) == (Outcome.INCONCLUSIVE, "no_control_data")
    assert "checkout-5c4b8d" in verdict.reason.text


def test_the_same_rollout_by_its_hash_is_the_same_plan() -> None:
    """A hash that is no label of the series finds the pods whose names bear it."""
    held = fill(KUBERNETES, HEALTHY)
    plans = [
        Discovery(PACKS, held)(
            held,
            VerdictRequest(service="checkout", canary=canary),
            start=T0,
            end=T0 + 600,
            timeout_s=5,
        )
        for canary in (KUBERNETES.canary, '{rollouts_pod_template_hash="6d9f7c"}')
    ]
    assert plans[0].canary == plans[1].canary
    assert plans[0].signals == plans[1].signals
    assert plans[0].unit is Unit.POD
