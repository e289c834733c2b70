"""A service that has native histograms only, pushed by OTLP to a real Prometheus 3, is judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.gate.verdict import Outcome
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from tests.pipelines.flows.shops import CANARY, STABLE, T0, Dialect
from tests.pipelines.flows.test_verdict_real import asked
from tests.pipelines.sources.otlp import Point, push
from tests.servers import RunningPrometheus, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow]

HISTORY_S, LENGTH_S, STEP_S = 3600, 1740, 30
RECEIVER = ("--web.enable-otlp-receiver", "--enable-feature=native-histograms")
SELECTOR = '{instance=~"checkout-6d9f7c-.+"}'
OTLP = Dialect(name="otlp", canary=SELECTOR, write=lambda serving: iter(()))
# Of 20 buckets by a quarter of an octave around 60 ms.
OFFSET = -24
SHAPE = np.exp(-0.5 * ((np.arange(20) - 8) / 3.0) ** 2)


def pushed(server: RunningPrometheus, errors: float, slower: int) -> None:
    """An hour of history and a rollout; `slower` in quarters of an octave."""
    rng = np.random.default_rng(5)
    held: dict[tuple[str, int], np.ndarray] = {}
    for at in range(-HISTORY_S, LENGTH_S + 1, STEP_S):
        points = []
        for pod in (*STABLE, *(CANARY if at >= 0 else ())):
            bad = errors if pod in CANARY else 0.004
            shape = np.roll(SHAPE, slower) if pod in CANARY else SHAPE
            for code, share in ((200, 1 - bad), (503, bad)):
                sent = rng.poisson(600 * share * shape / shape.sum())
                held[pod, code] = held.get((pod, code), np.zeros(20)) + sent
                points.append(point(pod, code, at, held[pod, code]))
        push(server.url, points)


def point(pod: str, code: int, at: int, counts: np.ndarray) -> Point:
    """One histogram of a pod that began with the history, or with the rollout."""
    begun = T0 - HISTORY_S if pod in STABLE else T0
    return Point(
        pod=pod, code=code, at=T0 + at, begun=begun - 5, scale=2, offset=OFFSET, counts=counts
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningPrometheus]:
    """A Prometheus that takes OTLP."""
    with running_prometheus("prometheus3", tmp_path, arguments=RECEIVER) as running:
        yield running


@pytest.mark.parametrize(
    ("errors", "slower", "outcome", "codes"),
    [
        pytest.param(0.004, 0, Outcome.PASS, {"healthy"}, id="healthy"),
        pytest.param(0.04, 0, Outcome.FAIL, {"error_rate_up"}, id="errors"),
        pytest.param(0.004, 3, Outcome.FAIL, {"latency_up", "tail95_up"}, id="slow"),
    ],
)
def test_native_histograms_are_judged_with_nothing_configured(
    server: RunningPrometheus, errors: float, slower: int, outcome: Outcome, codes: set[str]
) -> None:
    """What a new service sends by default must not end as `signal_missing`."""
    pushed(server, errors, slower)
    with PrometheusSource(SourceSettings(url=server.url)) as source:
        given = asked(source, OTLP)
    assert given[-1].outcome is outcome
    assert given[-1].reason.code in codes
