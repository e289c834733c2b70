"""Celery workers through the whole gate: discovered, read and judged with nothing configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.gate.aa import AaKind, AaResult, AaSignal, PlaceboKind, Scope, Tally
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.signals.packs import shipped_packs
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores

T0 = 1_790_000_000.0
STEP, HISTORY_S, LENGTH_S = 15.0, 7200.0, 1500.0
STABLE = tuple(f"mailer-5c4b8d-{end}" for end in ("x2x7k", "b9fqz", "m4c8t", "h7k2w"))
CANARY = tuple(f"mailer-6d9f7c-{end}" for end in ("k8w2d", "t4j6s", "p5q6r"))
EDGES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Numbers = NDArray[Any]
EXPORTER = {
    "job": "celery-exporter",
    "service": "celery-exporter",
    "namespace": "monitoring",
    "pod": "celery-exporter-7f9d8b-x2x7k",
    "instance": "10.0.0.9:9808",
}


@dataclass(slots=True)
class Workers:
    """Celery workers, each with 20 tasks a second, as one exporter counts them."""

    failing: float = 0.002
    retried: float = 0.001
    slower: float = 1.0
    dearer: float = 1.0
    source: MemorySource = field(default_factory=lambda: MemorySource(retention_s=1e9))
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def __post_init__(self) -> None:
        for pod in STABLE:
            self._worker(pod, T0 - HISTORY_S, failing=0.002, retried=0.001, slower=1.0, dearer=1.0)
        for pod in CANARY:
            self._worker(
                pod,
                T0,
                failing=self.failing,
                retried=self.retried,
                slower=self.slower,
                dearer=self.dearer,
            )

    def _worker(
        self, pod: str, born: float, *, failing: float, retried: float, slower: float, dearer: float
    ) -> None:
        times = np.arange(born, T0 + LENGTH_S, STEP)
        wave = 300.0 + 100.0 * np.sin(times / 1800.0)
        ran = self.rng.poisson(wave)
        self._count(pod, "celery_task_started_total", {}, times, ran)
        failed = self.rng.binomial(ran, failing)
        self._count(pod, "celery_task_failed_total", {"exception": "OSError"}, times, failed)
        self._count(pod, "celery_task_retried_total", {}, times, self.rng.binomial(ran, retried))
        self._runtimes(pod, times, ran - failed, slower)
        noise = np.exp(self.rng.normal(0, 0.05, len(times)))
        self._cpu(pod, times, dearer * (0.5 + 0.02 * ran) * noise)

    def _runtimes(self, pod: str, times: Numbers, ran: Numbers, slower: float) -> None:
        left = 0.2 * slower
        below = 1 - np.exp(-np.array([*EDGES, np.inf]) / left)
        each = self.rng.multinomial(ran, np.diff(below, prepend=0.0))
        for edge, counts in zip([*EDGES, np.inf], np.cumsum(each, axis=1).T, strict=True):
            le = "+Inf" if edge == np.inf else f"{edge}"
            self._count(pod, "celery_task_runtime_bucket", {"le": le}, times, counts)

    def _count(
        self,
        pod: str,
        metric: str,
        labels: Mapping[str, str],
        times: Numbers,
        more: Numbers,
    ) -> None:
        own = {"name": "mail.tasks.send", "hostname": pod, "queue_name": "mail", **labels}
        self.source.add({"__name__": metric, **EXPORTER, **own}, times, np.cumsum(more))

    def _cpu(self, pod: str, times: Numbers, seconds: Numbers) -> None:
        labels = {"namespace": "shop", "pod": pod, "container": "worker", "cpu": "total"}
        target = {"job": "kubelet", "instance": "node-1:10250"}
        name = {"__name__": "container_cpu_usage_seconds_total"}
        self.source.add({**name, **labels, **target}, times, np.cumsum(seconds))

    def asked(self, minutes: float, aa: AaResult | None = None) -> Verdict:
        """The verdict after some minutes."""
        stores = memory_stores()
        if aa is not None:
            stores.aa.save(aa)
        gate = Gate(
            source=self.source,
            catalog=self.source,
            stores=stores,
            clock=lambda: T0 + 60 * minutes,
            discover=Discovery(shipped_packs(), self.source),
            session_factory=Session,
        )
        return gate.judge(REQUEST)


REQUEST = VerdictRequest(
    service="mailer",
    canary='{rollouts_pod_template_hash="6d9f7c"}',
    started_at=datetime.fromtimestamp(T0, UTC),
)


def certificate(name: str) -> AaResult:
    """A self-check of 400 clean placebos, at other loads too."""
    clean = Tally(placebos=400, reached=0, near=0)
    signal = AaSignal(
        name=name, judged=False, all=clean, quantile=-4.0, unequal=clean, light=90, heavy=90
    )
    return AaResult(
        scope=Scope(tenant="default", cluster=None, namespace=None, service="mailer"),
        at=T0 - 3600,
        since=T0 - 20 * 86_400,
        until=T0 - 3600,
        policy="default",
        engine="1",
        kinds=(AaKind(kind=PlaceboKind.OLD, placebos=400, failed=0, reached=0),),
        signals=(signal,),
    )


def names(verdict: Verdict) -> set[str]:
    return {signal.name for signal in verdict.signals}


def test_a_healthy_worker_passes() -> None:
    """A queue's release goes on without a line of configuration."""
    verdict = Workers().asked(20)
    assert {"error_rate", "latency", "cpu_per_request"} <= names(verdict)
    assert verdict.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        pytest.param({"failing": 0.03}, "error_rate_up", id="tasks fail"),
        pytest.param({"retried": 0.03}, "error_rate_up", id="tasks are tried again and again"),
        pytest.param({"slower": 1.8}, "latency_up", id="tasks take longer"),
    ],
)
def test_a_bad_worker_fails(made: dict[str, Any], reason: str) -> None:
    """Failed tasks, tasks that are tried again, and slow ones are found on a canary's workers."""
    verdict = Workers(**made).asked(20)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reason.code == reason


def test_cpu_fails_only_with_the_service_s_own_certificate() -> None:
    """What the self-check certified is judged, as of the attempt's start; else it is advice."""
    workers = Workers(dearer=1.7)
    assert workers.asked(20).outcome is not Outcome.FAIL
    verdict = workers.asked(20, certificate("cpu_per_request"))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reason.code == "cpu_per_request_up"
