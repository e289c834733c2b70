"""Golden: what each shipped pack finds in series of real exporters' names, on a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.capacity.packs import shipped_capacity
from detector.capacity.resource import Kind, Resource
from pipelines.capacity.ranges import PrometheusRanges
from pipelines.capacity.reading import Reading
from pipelines.capacity.wanted import ByHand, Wanted
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from tests.pipelines.capacity.world import exposed, openmetrics
from tests.servers import RunningPrometheus, make_blocks, running_prometheus

pytestmark = pytest.mark.real
START = 1_795_000_800 // 7200 * 7200
HOURS = 26
END = START + 3600 * HOURS
EVERYTHING = ("kubernetes_workloads", "kubernetes_cluster", "node_exporter", "services")
WANTED = Wanted(packs=shipped_capacity(), days=1, teams={"shop": ("web", "orders")})
# By pack, resource and title: service, used at last, limit, requested, replicas.
GOLDEN = {
    ("kubernetes_workloads.cpu", "web"): ("web", 0.5, 1.0, 0.5, 2),
    ("kubernetes_workloads.cpu", "postgres"): ("db", 0.1, None, None, 1),
    ("kubernetes_workloads.memory", "web"): ("web", 3e8, 5e8, 2.5e8, 2),
    ("kubernetes_workloads.memory", "postgres"): ("db", 1e9, None, None, 1),
    ("kubernetes_quota.cpu", "requests.cpu of quota team"): ("", 5.5, 8.0, None, 1),
    ("kubernetes_quota.memory", "limits.memory of quota team"): ("", 8e9, 1.6e10, None, 1),
    ("kubernetes_quota.storage", "requests.storage of quota team"): ("", 2e11, 1e12, None, 1),
    ("kubernetes_quota.pods", "count/pods of quota team"): ("", 12.0, 50.0, None, 1),
    ("kubernetes_nodes.cpu", "requested of all nodes"): ("", 1.0, 7.8, None, 1),
    ("kubernetes_nodes.memory", "requested of all nodes"): ("", 5e8, 3e10, None, 1),
    ("kubernetes_nodes.pods", "pods of all nodes"): ("", 2.0, 220.0, None, 1),
    ("kubernetes_volumes.bytes", "data-db-0"): ("", 6.3e10, 1e11, None, 1),
    ("kubernetes_volumes.inodes", "inodes of data-db-0"): ("", 11.0, 6553600.0, None, 1),
    ("node_exporter.filesystem", "/ of n1:9100"): ("", 6e10, 9.5e10, None, 1),
    ("node_exporter.inodes", "inodes of / of n1:9100"): ("", 1e6, 6e6, None, 1),
    ("node_exporter.memory", "n1:9100"): ("", 1.2e10, 1.6e10, None, 1),
    ("hikaricp.pool", "HikariPool-1"): ("orders", 7.0, 10.0, None, 2),
    ("jvm.live_heap", "heap"): ("orders", 2e8, 5e8, None, 1),
    ("jvm.heap", "heap"): ("batch", 1.5e8, 5e8, None, 1),
    ("process.files_micrometer", "files of a process"): ("orders", 90.0, 1048576.0, None, 1),
    ("process.files", "files of a process"): ("stock", 31.0, 1024.0, None, 1),
    ("go_sql.pool", "stock"): ("stock", 12.0, 20.0, None, 1),
    ("go_sql.pool", "unbounded"): ("stock", 4.0, None, None, 1),
    ("postgres.connections", "pg-0:9187"): ("pg", 62.0, 97.0, None, 1),
    ("redis.memory", "redis://r-0:6379"): ("redis", 4e8, 1e9, None, 1),
    ("redis.clients", "clients of redis://r-0:6379"): ("redis", 50.0, 10000.0, None, 1),
    ("kafka.lag", "lag of mailer on orders"): ("", 0.2, 1.0, None, 1),
    ("kafka.partitions", "broker k-0:9404"): ("", 350.0, 4000.0, None, 1),
}  # fmt: skip


@pytest.fixture(scope="module", params=["prometheus2", "prometheus3"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningPrometheus]:
    """A Prometheus with a day of all exporters."""
    folder: Path = tmp_path_factory.mktemp("capacity")
    make_blocks(openmetrics(exposed(*EVERYTHING), start=START, hours=HOURS), folder / "data")
    with running_prometheus(request.param, folder) as running:
        yield running


@pytest.fixture
def reading(server: RunningPrometheus) -> Iterator[Reading]:
    """What reads it."""
    settings = SourceSettings(url=server.url)
    ranges = PrometheusRanges(settings)
    with PrometheusSource(settings) as source:
        yield Reading(ranges=ranges, names=source, wanted=WANTED)
    ranges.close()


def told(one: Resource) -> tuple[str, float, float | None, float | None, int]:
    """What is compared."""
    limit = None if one.limit is None else one.limit.now
    requested = None if one.requested is None else one.requested.now
    return one.service, float(one.usage.values[-1]), limit, requested, one.replicas


def test_each_pack_finds_what_it_says(reading: Reading) -> None:
    """Whoever runs these exporters is told of the right resources, amounts and limits."""
    read = reading.read(END, timeout_s=120)
    found = {(one.source, one.name): told(one) for one in read.resources}
    assert read.left_out == ()
    assert found.keys() == GOLDEN.keys()
    for key, (service, used, *rest) in GOLDEN.items():
        assert found[key][0] == service, key
        assert found[key][1] == pytest.approx(used, rel=0.02), key
        assert found[key][2:] == tuple(rest), key


def test_usage_follows_the_requests_of_a_pod(reading: Reading) -> None:
    """The load of a workload is its pods' mean, whatever the status was."""
    read = reading.read(END, timeout_s=120)
    cpu = next(one for one in read.resources if one.key.startswith("eu/shop/web/cpu/web"))
    assert cpu.driver_name == "requests"
    assert cpu.driver is not None
    assert cpu.driver.values[-1] == pytest.approx((36000 + 3600 + 7200) / 3600 / 2, rel=0.02)
    assert (cpu.team, cpu.cluster, cpu.namespace) == ("shop", "eu", "shop")
    assert len(cpu.driver.values) == len(cpu.usage.values) == 24


def test_later_only_what_is_new_is_read(reading: Reading) -> None:
    """A refresh costs the source hours, not months, and tells the same."""
    first = reading.read(END - 3600 * 4, timeout_s=120)
    assert isinstance(reading.ranges, PrometheusRanges)
    before = reading.ranges.cost.samples
    second = reading.read(END, timeout_s=120)
    cost = reading.ranges.cost.samples - before
    fresh = Reading(ranges=reading.ranges, names=reading.names, wanted=WANTED).read(
        END, timeout_s=120
    )
    assert cost < 0.4 * before
    assert len(first.resources) == len(second.resources)
    for one, other in zip(second.resources, fresh.resources, strict=True):
        assert one.key == other.key
        np.testing.assert_allclose(one.usage.values, other.usage.values, rtol=1e-9)


def test_resources_of_a_person_stand_beside(reading: Reading) -> None:
    """Licences, and whatever else no exporter knows the limit of."""
    seats = ByHand(
        name="seats", kind=Kind.LICENCES, unit="seats", usage="sum(process_open_fds)", limit=40.0,
        service="crm", team="sales", planned=((1000 * (END + 86_400), 80.0),),
    )  # fmt: skip
    reading.wanted = replace(WANTED, packs=(), by_hand=(seats,))
    (one,) = reading.read(END, timeout_s=60).resources
    assert (one.key, one.source, one.team) == ("//crm/licences/seats", "by hand", "sales")
    assert told(one) == ("crm", 31.0, 40.0, None, 1)
    assert one.limit is not None
    assert one.limit.at(1000 * (END + 2 * 86_400)) == 80.0


def test_what_is_too_much_is_left_out_and_said(reading: Reading) -> None:
    """The fullest come first; nothing is cut off in silence."""
    reading.wanted = replace(WANTED, most=3)
    read = reading.read(END, timeout_s=60)
    assert [one.source for one in read.resources] == [
        "hikaricp.pool", "kubernetes_quota.cpu", "node_exporter.memory",
    ]  # fmt: skip
    assert sum(int(one.name.split(" of ")[0]) for one in read.left_out) == len(GOLDEN) - 3


def test_a_query_that_is_refused_leaves_out_its_own(reading: Reading) -> None:
    """One wrong query in the configuration hides no disk that fills."""
    wrong = ByHand(name="wrong", kind=Kind.OTHER, unit="x", usage="sum(", limit=1.0)
    good = ByHand(name="good", kind=Kind.OTHER, unit="x", usage="vector(2)", limit=4.0)
    reading.wanted = Wanted(by_hand=(wrong, good), days=1)
    read = reading.read(END, timeout_s=60)
    assert [one.name for one in read.resources] == ["good"]
    assert [one.name for one in read.left_out] == ["wrong"]
    assert "parse error" in read.left_out[0].why
