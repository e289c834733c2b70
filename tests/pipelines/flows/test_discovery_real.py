"""Discovery on a real Prometheus of each version and VictoriaMetrics, beside that in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector.gate.request import VerdictRequest
from pipelines.flows.discovery import Discovery
from pipelines.packs import load_packs
from pipelines.sources.open import Source
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    T0,
    Labels,
    exposed,
    identity,
    kubelet,
    shop,
    source,
    state_metrics,
    target,
)
from tests.servers import (
    RunningPrometheus,
    fill_victoriametrics,
    make_blocks,
    running_prometheus,
    running_victoriametrics,
)

pytestmark = pytest.mark.real

PODS = (*STABLE, *CANARY)
OLDER = [
    s | {"pod": s["pod"].replace("5c4b8d", "7f6bcd"), "instance": f"older-{s['instance']}"}
    for s in shop()
    if "5c4b8d" in s["pod"]
]
ODD = [s | {"service": 'say "hi" \\ {x}', "job": "odd", "container": "odd"} for s in shop()]
GATEWAY = target(
    exposed("istio_source", workload="orders", version="v1"),
    namespace="istio-system",
    pod="gateway-5c4b8d-x2x7k",
    instance="gateway:15090",
)
SERIES: list[Labels] = [
    *shop(),
    *OLDER,
    *ODD,
    *GATEWAY,
    *(s for pod in PODS for s in kubelet(pod)),
    *(s for pod in PODS for s in state_metrics(pod)),
    *(
        s
        for pod in PODS
        for s in target(
            exposed("istio", **identity(pod)), namespace="mesh", pod=pod, instance=f"{pod}:15090"
        )
    ),
]


def openmetrics() -> str:
    """The same samples as `source` puts into memory: each minute, rising by one a second."""
    named: dict[str, list[Labels]] = defaultdict(list)
    for labels in SERIES:
        named[labels["__name__"]].append(labels)
    return "\n".join([*(line for metric in named for line in lines(named[metric])), "# EOF", ""])


def lines(series: list[Labels]) -> Iterator[str]:
    """Samples of one metric, series by series."""
    for labels in series:
        told = ",".join(f'{k}="{quoted(v)}"' for k, v in labels.items() if k != "__name__" and v)
        for minute in range(131):
            at = T0 - 7200 + 60 * minute
            yield f"{labels['__name__']}{{{told}}} {1000 + 60 * minute} {at:.3f}"


def in_milliseconds() -> str:
    """The same as VictoriaMetrics imports it."""
    cut = (line.rpartition(" ") for line in lines(SERIES))
    return "".join(f"{sample} {round(1000 * float(at))}\n" for sample, _, at in cut)


def quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


@contextmanager
def holding(name: str, folder: Path) -> Iterator[RunningPrometheus]:
    """A server of that name with the cluster."""
    if name == "victoriametrics":
        with running_victoriametrics(folder) as server:
            fill_victoriametrics(server, in_milliseconds())
            yield server
        return
    make_blocks(openmetrics(), folder / "data")
    with running_prometheus(name, folder) as server:
        yield server


@pytest.fixture(scope="module", params=["prometheus2", "prometheus3", "victoriametrics"])
def prometheus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    """A real source that holds the cluster."""
    name: str = request.param
    with (
        holding(name, tmp_path_factory.mktemp(name)) as server,
        PrometheusSource(SourceSettings(url=server.url)) as held,
    ):
        yield held


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(VerdictRequest(service="checkout", canary=BY_POD), id="by pod"),
        pytest.param(
            VerdictRequest(service="checkout", canary='{app_version="v2"}', namespace="shop"),
            id="by the cluster's account",
        ),
        pytest.param(
            VerdictRequest(
                service="checkout", canary=BY_POD, control='{pod=~"checkout-5c4b8d-.+"}'
            ),
            id="with a control",
        ),
        pytest.param(VerdictRequest(service="checkout", canary='{pod="none"}'), id="no canary"),
        pytest.param(VerdictRequest(service="chekout", canary=BY_POD), id="no service"),
        pytest.param(VerdictRequest(service='say "hi" \\ {x}', canary=BY_POD), id="odd name"),
        pytest.param(
            VerdictRequest(service="checkout", canary=BY_POD, namespace="shpo"), id="no namespace"
        ),
    ],
)
def test_a_real_prometheus_gives_the_same_plan(
    prometheus: Source, request_: VerdictRequest
) -> None:
    """What holds in the tests of memory holds at people's: names, notes and every matcher."""
    memory = source(SERIES)
    plans = [
        Discovery(load_packs(), held)(held, request_, start=T0, end=T0 + 600, timeout_s=10)
        for held in (prometheus, memory)
    ]
    assert plans[0] == plans[1]
    assert plans[0].signals or plans[0].notes
