"""No rollout while the budget is gone: the gate of a configuration on a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from api.compose import Opened, open_gate
from api.settings import load_settings
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Outcome, Verdict
from pipelines.sources.memory import MemorySource
from tests.api.cli.served import serinus
from tests.pipelines.flows.shops import DIALECTS, LENGTH_S, T0, Faults, fill
from tests.pipelines.flows.test_verdict_real import recorded
from tests.pipelines.sources.history import Recorded, openmetrics
from tests.servers import RunningPrometheus, make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(180)]

CLIENT, DAY = DIALECTS[0], 86_400.0
DAYS = 7
# What failed of a thousand in the last week, of one that may; in an outage, or all the time.
SHARES = {"fine": 0.0004, "low": 0.0009, "gone": 0.0004}
# They decide nothing unless a policy says so.
ADVICE = {"cpu_per_request", "memory_growth"}


def promised(name: str) -> str:
    """An objective of checkout, on counters of its own."""
    selector = f'promised_total{{name="{name}"'
    return f"""
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: checkout
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{spec: {{query: '{selector},code="500"}}'}}}}}}
        total: {{metricSource: {{spec: {{query: '{selector}}}'}}}}}}
  timeWindow: [{{duration: {DAYS}d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.999}}]
"""


CONFIG = """
source: {url: "%s"}
objectives: [%s]
policies:
  fine: {budget: {slo: fine}}
  low: {budget: {slo: low}}
  gone: {budget: {slo: gone}}
  nowhere: {budget: {slo: nowhere}}
  careful: {budget: {slo: nowhere, hold_unknown: true}}
  all: {budget: {}}
  plain: {}
  plain_gauges: {signals: {cpu_per_request: {judged: true}, memory_growth: {judged: true}}}
  low_gauges:
    budget: {slo: low}
    signals: {cpu_per_request: {judged: true}, memory_growth: {judged: true}}
"""


def week() -> Iterator[Recorded]:
    """What objectives count: a hundred requests a second, and an outage two days ago."""
    times = np.arange(T0 - (DAYS + 1) * DAY, T0 + LENGTH_S, 300.0)
    hurt = np.abs(times - (T0 - 2 * DAY)) <= 1800
    for name, share in SHARES.items():
        failing = np.where(hurt & (name == "gone"), 0.5, share)
        for code, part in (("200", 1 - failing), ("500", failing)):
            labels = {"__name__": "promised_total", "name": name, "code": code}
            yield Recorded(labels, times, np.cumsum(30_000 * part))


@lru_cache(maxsize=1)
def history() -> str:
    """A rollout of checkout beside its stable pods, and the week of its objectives."""
    shop: MemorySource = fill(CLIENT, Faults())
    return openmetrics([*recorded(shop), *week()])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPrometheus]:
    """A Prometheus that holds it."""
    folder = tmp_path_factory.mktemp("prometheus")
    make_blocks(history(), folder / "data")
    with running_prometheus("prometheus2", folder) as running:
        yield running


@dataclass(slots=True)
class Clock:
    """Where it is now."""

    at: float = T0

    def __call__(self) -> float:
        return self.at


def config_of(url: str, folder: Path) -> Path:
    """A file as people write it."""
    file, slo = folder / "serinus.yaml", folder / "slo.yaml"
    slo.write_text("---".join(promised(name) for name in SHARES), "utf-8")
    file.write_text(CONFIG % (url, slo), "utf-8")
    return file


@contextmanager
def gate(url: str, folder: Path, clock: Clock) -> Iterator[Opened]:
    """The gate of that file."""
    opened = open_gate(load_settings(config_of(url, folder)), in_memory=True, clock=clock)
    try:
        yield opened
    finally:
        opened.close()


def rollout(opened: Opened, clock: Clock, policy: str) -> list[Verdict]:
    """What a controller is told each minute by a policy."""
    given = []
    for second in range(60, 1740, 60):
        clock.at = T0 + second
        asked = VerdictRequest(
            service="checkout", canary=CLIENT.canary, policy=policy, rollout=policy
        )
        given.append(opened.gate.judge(asked))
    return given


def rolled(url: str, folder: Path, policy: str) -> list[Verdict]:
    clock = Clock()
    with gate(url, folder, clock) as opened:
        return rollout(opened, clock, policy)


def limits(verdict: Verdict) -> dict[str, tuple[float, float]]:
    """What is tolerated and what is the limit, by signal."""
    return {
        signal.name: (signal.effect.tolerate, signal.effect.limit)
        for signal in verdict.signals
        if signal.effect is not None and signal.effect.limit is not None
    }


def test_nothing_passes_while_the_budget_is_gone(server: RunningPrometheus, tmp_path: Path) -> None:
    """A healthy canary that passes by the same policy without a budget."""
    plain = rolled(server.url, tmp_path, "plain")
    assert plain[-1].outcome is Outcome.PASS
    given = rolled(server.url, tmp_path, "gone")
    assert {one.outcome for one in given} == {Outcome.INCONCLUSIVE}
    last = given[-1]
    assert last.reason.code == "budget_burning"
    assert "The error budget of gone is gone" in last.reason.text
    (spent,) = last.spent
    assert spent.name == "gone"
    assert spent.budget.left == pytest.approx(1 - (0.0004 * 168 + 0.4996) / 0.168, abs=0.35)
    assert spent.budget.left is not None
    assert spent.budget.left < 0


def test_what_is_left_lets_it_go_on(server: RunningPrometheus, tmp_path: Path) -> None:
    """With limits as they are written."""
    fine, plain = (rolled(server.url, tmp_path, name)[-1] for name in ("fine", "plain"))
    assert (fine.outcome, fine.limits) == (Outcome.PASS, 1.0)
    assert fine.spent[0].budget.left == pytest.approx(0.6, abs=0.01)
    assert limits(fine) == limits(plain)


def test_limits_are_halved_below_a_fifth(server: RunningPrometheus, tmp_path: Path) -> None:
    """Of every signal that decides; what only advises has no limit of the policy."""
    low, plain = (rolled(server.url, tmp_path, name)[-1] for name in ("low", "plain"))
    assert low.spent[0].budget.left == pytest.approx(0.1, abs=0.01)
    assert low.limits == 0.5
    assert any("0.5 times" in note for note in low.notes)
    whole, half = limits(plain), limits(low)
    assert whole.keys() == half.keys() != set()
    assert half["error_rate"] == pytest.approx(tuple(0.5 * one for one in whole["error_rate"]))
    same = {name for name in whole if half[name][1] >= whole[name][1]}
    assert same == ADVICE


def test_what_is_judged_by_wish_is_halved_too(server: RunningPrometheus, tmp_path: Path) -> None:
    """Gauges decide where a policy says so."""
    low, plain = (rolled(server.url, tmp_path, f"{name}_gauges")[-1] for name in ("low", "plain"))
    whole, half = limits(plain), limits(low)
    assert {name for name in ADVICE if half[name][1] >= whole[name][1]} == set()


def test_of_several_the_worst_counts(server: RunningPrometheus, tmp_path: Path) -> None:
    """A policy that names none looks at all of the service."""
    given = rolled(server.url, tmp_path, "all")
    assert {one.outcome for one in given} == {Outcome.INCONCLUSIVE}
    assert {one.name for one in given[-1].spent} == set(SHARES)


def test_what_is_not_known_is_never_fine(server: RunningPrometheus, tmp_path: Path) -> None:
    """An objective that is not there tightens, and holds where that was asked for."""
    (tightened,), (held,) = (
        rolled(server.url, tmp_path, name)[-1:] for name in ("nowhere", "careful")
    )
    assert tightened.limits == 0.5
    assert tightened.spent[0].budget.left is None
    assert (held.outcome, held.reason.code) == (Outcome.INCONCLUSIVE, "budget_burning")


@pytest.mark.parametrize(("policy", "code"), [("plain", 0), ("fine", 0), ("gone", 3)])
def test_the_command_says_it_by_its_code(
    server: RunningPrometheus, tmp_path: Path, policy: str, code: int
) -> None:
    """A pipeline stops there; what was due at a moment is due whenever it is asked."""
    at = datetime.fromtimestamp(T0 + 1680, UTC).isoformat()
    words = ["check", "--service", "checkout", "--canary", CLIENT.canary, "--as-of", at]
    config = str(config_of(server.url, tmp_path))
    result = serinus(*words, "--policy", policy, "--config", config)
    assert result.exit_code == code, result.output
    assert ("The error budget of gone is gone" in result.stdout) is (policy == "gone")
