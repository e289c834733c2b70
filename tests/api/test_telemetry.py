"""`/metrics`: in the format that Prometheus reads, bounded, and with what each rollout costs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.telemetry import Telemetry, rendered
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.metered import ACCOUNTS_MAX, MeteredSource
from pipelines.testing import FakeSource, Fault
from tests.api.doors import Door, failing_door, passing_door
from tests.pipelines.flows.scripted import World

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(door: Door) -> Samples:
    """The samples of `/metrics` as a scraper reads them."""
    told = door.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(told.text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, "a series came twice"
            found[key] = sample.value
    return found


def test_verdicts_are_counted_by_what_they_said() -> None:
    """So that somebody sees how many were inconclusive and why."""
    door = failing_door()
    door.at(70).post()
    for second in (400, 410):
        door.at(second).post()
    found = {dict(labels)["reason"]: n for (name, labels), n in scraped(door).items()
             if name == "serinus_verdicts_total"}  # fmt: skip
    assert found["error_rate_up"] == 2
    assert sum(found.values()) == 3


def test_requests_are_counted_by_route_and_not_by_path() -> None:
    """A path may hold a token, and there are endlessly many."""
    door = passing_door()
    for i in range(30):
        door.get(f"/v1/verdicts/{i}")
        door.get(f"/nothing/{i}")
        door.client.request(f"M{i}", "/healthz")
    routes = {dict(labels)["route"] for (name, labels) in scraped(door) if "http_request" in name}
    methods = {dict(labels)["method"] for (name, labels) in scraped(door) if "http_request" in name}
    assert routes == {"/v1/verdicts/{id}", "/healthz", "none"}
    assert methods == {"GET", "other"}


def metered(source: FakeSource) -> tuple[Door, MeteredSource]:
    """A door whose source counts for whom it was asked."""
    counted = MeteredSource(source)
    door = Door(world=World(source=counted), more={"source": counted})  # type: ignore[arg-type]
    return door, counted


def test_each_rollout_has_its_cost() -> None:
    """Somebody whose Prometheus is busy sees by whom."""
    source = FakeSource()
    World(source=source).shop()
    door, _ = metered(source)
    door.at(400).post(rollout="web")
    labels = (("rollout", "web"), ("service", "checkout"))
    found = scraped(door)
    assert found["serinus_rollout_queries_total", labels] >= 3
    assert found["serinus_rollout_samples_total", labels] > 100


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a/b", "ü", " a "])
def test_any_name_makes_a_label_that_can_be_read(name: str) -> None:
    """One strange service must not break the scrape of all."""
    door, _ = metered(FakeSource())
    door.at(400).post(service=name, rollout=name)
    names = {
        (dict(labels)["service"], dict(labels)["rollout"])
        for series, labels in scraped(door)
        if series == "serinus_rollout_queries_total"
    }
    assert names == {(name, name)}


def test_rollouts_without_end_do_not_make_series_without_end() -> None:
    """Those beyond share one account."""
    door, counted = metered(FakeSource())
    for i in range(ACCOUNTS_MAX + 20):
        door.at(400).post(service=f"s{i}")
    assert len(counted.charges) <= ACCOUNTS_MAX + 1
    assert sum(c.queries for c in counted.charges.values()) >= ACCOUNTS_MAX + 20


def test_a_failed_read_is_charged_too() -> None:
    """It cost the source its time."""
    door, counted = metered(FakeSource(fault=Fault.DOWN))
    door.at(400).post()
    assert [charge.queries > 0 for charge in counted.charges.values()] == [True]


class Costly(FakeSource):
    """A source that keeps books."""

    def __init__(self) -> None:
        super().__init__()
        self.cost = Cost()
        self.skew = Skew()


def test_a_source_that_keeps_books_shows_them() -> None:
    """Queries, retries, failures, time, bytes."""
    telemetry, source = Telemetry("1"), Costly()
    telemetry.watch_source(MeteredSource(source))
    text = rendered(telemetry).decode()
    assert all(
        f"serinus_source_{name}_total 0.0" in text
        for name in ("queries", "query_retries", "query_failures", "query_seconds", "query_bytes")
    )


def test_what_runs_is_told() -> None:
    """Version and engine, as labels of a constant one."""
    labels = [dict(labels) for (name, labels) in scraped(Door()) if name == "serinus_build_info"]
    assert [set(found) for found in labels] == [{"version", "engine"}]


def test_an_error_of_ours_is_counted() -> None:
    """It is what people put an alert on."""
    door = passing_door()
    door.world.stores.verdicts.rows = None  # type: ignore[attr-defined]
    door.post()
    assert scraped(door)["serinus_unexpected_errors_total", ()] == 1


def test_two_apps_count_apart() -> None:
    """Registries are their own: the demo and tests run several in a process."""
    first, second = passing_door(), passing_door()
    first.post()
    names = {name for name, _ in scraped(second)}
    assert "serinus_verdicts_total" not in names
