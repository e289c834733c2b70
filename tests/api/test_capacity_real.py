"""Three months of blocks in a real Prometheus become dates, over the doors that people use."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.capacity import open_capacity
from api.capacity_settings import CapacitySection
from api.compose import open_services
from api.settings import Settings
from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from pipelines.stores.memory import memory_stores
from tests.api.doors import Door
from tests.servers import require_server, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow]
DAY = 86_400
DAYS = 90
END = 1_790_000_000 // (7 * DAY) * 7 * DAY
START = END - DAYS * DAY
SCRAPE_S = 120
ROLLOUT = END - 30 * DAY
GIB = 2.0**30


def openmetrics(rng: np.random.Generator) -> str:
    """A claim that fills in 12 days, a workload whose memory a rollout raised, and its requests."""
    times = np.arange(START, END + 1, SCRAPE_S)
    days, hours = (times - START) / DAY, times / 3600
    wave = np.sin(2 * np.pi * (hours - 9) / 24)
    load = np.clip(40 + 30 * wave + rng.normal(0, 1, len(times)), 1, None)
    pod = 'cluster="eu",namespace="shop",pod="web-6d9f7c-aaaaa"'
    memory = 200e6 + 20e6 * (wave + 1) + 150e6 * (times >= ROLLOUT) + rng.normal(0, 1e6, len(times))
    series = {
        'kubelet_volume_stats_used_bytes{cluster="eu",namespace="shop",persistentvolumeclaim="data"}':
            40 * GIB + 0.5 * GIB * days + rng.normal(0, 0.05 * GIB, len(times)),
        'kubelet_volume_stats_capacity_bytes{cluster="eu",namespace="shop",persistentvolumeclaim="data"}':
            np.full(len(times), 91 * GIB),
        f'container_memory_working_set_bytes{{{pod},container="web"}}': memory,
        f'container_cpu_usage_seconds_total{{{pod},container="web"}}':
            np.cumsum(SCRAPE_S * (0.05 + 0.01 * load)),
        f'http_requests_total{{{pod},service="web",code="200"}}': np.cumsum(SCRAPE_S * load),
        f'kube_pod_owner{{{pod},owner_kind="ReplicaSet",owner_name="web-6d9f7c"}}':
            np.ones(len(times)),
        f'kube_pod_status_phase{{{pod},phase="Running"}}': np.ones(len(times)),
        f'kube_pod_container_resource_limits{{{pod},container="web",resource="memory",unit="byte"}}':
            np.full(len(times), 600e6),
        f'kube_pod_container_resource_requests{{{pod},container="web",resource="cpu",unit="core"}}':
            np.full(len(times), 4.0),
    }  # fmt: skip
    lines: list[str] = []
    for name, values in sorted(series.items()):
        lines.append(f"# TYPE {name.split('{')[0]} unknown")
        lines += [f"{name} {v:.10g} {t}" for v, t in zip(values, times, strict=True)]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with these months."""
    folder: Path = tmp_path_factory.mktemp("months")
    text = folder / "history.om"
    text.write_text(openmetrics(np.random.default_rng(7)), encoding="utf-8")
    command = [str(require_server("promtool")), "tsdb", "create-blocks-from", "openmetrics",
               "--max-block-duration=512h", str(text), str(folder / "data")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    text.unlink()
    with running_prometheus("prometheus3", folder) as server:
        yield server.url


@dataclass(slots=True)
class Served:
    """A client of the app, and how much its first assessment cost the source."""

    client: TestClient
    samples: int
    queries: int


@pytest.fixture(scope="module")
def served(url: str) -> Iterator[Served]:
    """An app on it, assessed once; its clock stands at the end of the months."""
    section = CapacitySection(enabled=True, teams={"shop": ("web",)})
    settings = Settings.model_validate({"source": {"url": url}, "capacity": section})
    stores = memory_stores()
    at = 1000 * ROLLOUT
    rollout = ChangeEvent(
        source="ci", id="1", subject="web/7", at=at, kind=ChangeKind.DEPLOYMENT,
        phase=ChangePhase.SUCCEEDED, place=Place(service="web", namespace="shop"),
    )  # fmt: skip
    stores.changes.add("default", [rollout])
    with PrometheusSource(SourceSettings(url=url)) as source:
        capacity = open_capacity(settings, source, stores, clock=lambda: END)
        assert capacity is not None
        capacity.refreshing.look()
        assert capacity.refreshing.problem == ""
        door = Door(settings=settings, more={"clock": lambda: END})
        context = door.app.state.context
        services = open_services(settings, source, clock=lambda: END)
        door.app.state.context = replace(context, capacity=capacity, services=services)
        cost = capacity.refreshing.reads.ranges.cost  # type: ignore[attr-defined]
        yield Served(door.client, cost.samples, cost.queries)
        capacity.close()


def found(served: Served, **asked: str) -> dict[str, object]:
    """The one resource that is asked for."""
    answer = served.client.get("/v1/capacity", params={**asked, "curves": "true"})
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["resources"]
    assert isinstance(one, dict)
    return one


def test_the_date_of_a_disk_is_near_the_truth(served: Served) -> None:
    """It fills by half a GiB a day: 6 GiB are left, for twelve days."""
    disk = found(served, kind="disk")
    assert (disk["name"], disk["namespace"], disk["unit"]) == ("data", "shop", "bytes")
    dates = disk["exhaustion"]
    assert isinstance(dates, dict)
    p50 = datetime.fromisoformat(dates["p50"]).timestamp()
    assert abs(p50 - (END + 12 * DAY)) < 3 * DAY
    assert dates["chance"] > 0.9


def test_a_rollout_that_raised_memory_is_a_step_and_no_trend(served: Served) -> None:
    """The limit holds for ever, though the month's mean went up."""
    memory = found(served, kind="memory")
    assert (memory["service"], memory["team"], memory["name"]) == ("web", "shop", "web")
    dates, headroom = memory["exhaustion"], memory["headroom"]
    assert isinstance(dates, dict)
    assert isinstance(headroom, dict)
    assert dates["p50"] is None
    assert headroom["share"] == pytest.approx(390 / 600, abs=0.03)


def test_cpu_follows_requests_and_is_requested_too_much(served: Served) -> None:
    """0.01 cores a request a second; four cores for at most one."""
    cpu = found(served, kind="cpu")
    driver, sizing = cpu["driver"], cpu["sizing"]
    assert isinstance(driver, dict)
    assert isinstance(sizing, dict)
    assert driver["name"] == "requests"
    assert driver["slope"] == pytest.approx(0.01, rel=0.1)
    assert (sizing["action"], sizing["what"]) == ("lower", "request")
    assert sizing["to"] < 2


def test_reading_is_bounded(served: Served) -> None:
    """Months by the hour, in weekly chunks: some hundred small queries, no raw samples."""
    assert served.samples < 30 * 2160
    assert served.queries < 300


def test_a_query_and_a_signal_are_foretold(served: Served) -> None:
    """By the same rhythm, in PromQL or by the service's name."""
    query = 'sum(rate(http_requests_total{service="web"}[5m]))'
    by_query = served.client.get("/v1/forecasts", params={"query": query, "horizon_days": 2})
    asked = {"service": "web", "signal": "requests", "horizon_days": "2"}
    by_name = served.client.get("/v1/forecasts", params=asked)
    assert by_query.status_code == by_name.status_code == 200, by_name.text
    assert "http_requests_total" in by_name.json()["of"]
    for answer in (by_query.json(), by_name.json()):
        values = [point["value"] for point in answer["points"]]
        assert len(values) == 48
        assert 5 < min(values) < 20
        assert 60 < max(values) < 80


def test_a_query_that_prometheus_refuses_is_told(served: Served) -> None:
    """In its own words."""
    answer = served.client.get("/v1/forecasts", params={"query": "sum by (up)"})
    assert answer.status_code == 422
    assert "parse error" in answer.json()["detail"]
