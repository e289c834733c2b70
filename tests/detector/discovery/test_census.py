"""Which services there are: found by labels alone, bounded, and honest about what was skipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from detector.discovery.census import Census, CensusBudget, census
from detector.discovery.looking import Look
from detector.errors import SourceError
from detector.ports import MetricCatalog
from detector.series import Query
from detector.signals.packs import shipped_packs
from pipelines.sources.memory import MemorySource
from tests.detector.discovery.clusters import T0, add, endpoints, shop, source, target


def look(catalog: MetricCatalog) -> Look:
    """Now."""
    return Look(catalog=catalog, start=T0 + 600, end=T0 + 600, timeout_s=5)


def counted(catalog: MetricCatalog, budget: CensusBudget | None = None) -> Census:
    """The census of all that is there."""
    names = catalog.metrics(timeout_s=5)
    return census(look(catalog), shipped_packs(), names=names, budget=budget)


def many(count: int) -> MemorySource:
    """Services of one pod each."""
    held = MemorySource(retention_s=1e9)
    for number in range(count):
        labels = {"__name__": "http_requests_total", "service": f"svc-{number:04d}", "code": "200"}
        add(held, [{**labels, "pod": f"p{number}"}], since=T0 + 500)
    return held


@dataclass
class Counting:
    """A catalogue that counts calls, and fails for the metrics it is told to."""

    held: MemorySource
    fails: frozenset[str] = frozenset()
    asked: list[tuple[str, Query]] = field(default_factory=list)
    series_calls: int = 0

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        return self.held.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        self.series_calls += 1
        return self.held.series(queries, start, end, timeout_s=timeout_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        self.asked.append((label, queries[0]))
        if queries[0].metric in self.fails:
            raise SourceError(f"{queries[0].metric} has too many series", code="query_rejected")
        return self.held.label_values(label, queries, start, end, timeout_s=timeout_s)


def test_a_service_is_found_by_what_counts_its_requests() -> None:
    """The first minute begins with a name that people know."""
    found = counted(source(shop()))
    assert found.services == ("checkout",)
    assert found.sightings[0].metric == "http_requests_total"
    assert found.sightings[0].label == "service"


def test_two_services_of_two_instrumentations_are_both_found() -> None:
    """A company has more than one way to count."""
    other = endpoints("opentelemetry_http", "cart-5c4b8d-x2x7k", service="cart")
    found = counted(source(shop(), other))
    assert set(found.services) >= {"cart", "checkout"}


def test_only_labels_are_asked_for_however_many_series_there_are() -> None:
    """Ten million series would come as ten million label sets."""
    catalog = Counting(many(40))
    found = counted(catalog)
    assert len(found.services) == 40
    assert catalog.series_calls == 0
    assert len(catalog.asked) <= 4


def test_a_series_without_the_first_label_is_found_by_the_next() -> None:
    """A job that nobody scrapes through an operator still has its name in the label `job`."""
    bare = target(endpoints("prometheus_client", "cart-5c4b8d-x2x7k", service="cart"), job="cart")
    for labels in bare:
        labels.pop("service")
    found = counted(source(shop(), bare))
    labels_of = {one.service: one.label for one in found.sightings}
    assert labels_of == {"checkout": "service", "cart": labels_of["cart"]}
    assert labels_of["cart"] != "service"


def test_a_metric_that_is_too_wide_is_named_and_the_others_are_looked_at() -> None:
    """One metric with ten million series must not hide the other services."""
    other = endpoints("opentelemetry_http", "cart-5c4b8d-x2x7k", service="cart")
    catalog = Counting(source(shop(), other), fails=frozenset({"http_requests_total"}))
    found = counted(catalog)
    assert "cart" in found.services
    assert [one.what for one in found.skipped] == ["http_requests_total"]
    assert "too many series" in found.skipped[0].why


def test_a_failing_metric_is_asked_once() -> None:
    """We are guests: what is refused is not asked for under twelve other labels."""
    catalog = Counting(source(shop()), fails=frozenset({"http_requests_total"}))
    counted(catalog)
    assert sum(query.metric == "http_requests_total" for _, query in catalog.asked) == 1


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_no_more_calls_are_made_than_the_budget_allows(calls: int) -> None:
    """A catalogue of a thousand metrics ends in time, and says so."""
    other = endpoints("opentelemetry_http", "cart-5c4b8d-x2x7k", service="cart")
    catalog = Counting(source(shop(), other))
    found = counted(catalog, CensusBudget(calls=calls))
    assert len(catalog.asked) <= calls
    assert any("budget" in one.why for one in found.skipped)


def test_more_services_than_are_listed_are_counted() -> None:
    """A label with a value per request must not become a list of millions."""
    found = counted(many(30), CensusBudget(services=10))
    assert len(found.services) == 10
    assert "20 more" in found.skipped[0].why


def test_a_job_with_its_namespace_is_called_by_its_own_name() -> None:
    """`shop/checkout` is what people call checkout."""
    series = [{"__name__": "http_requests_total", "job": "shop/checkout", "code": "200"}]
    assert counted(source(series)).services == ("checkout",)


@pytest.mark.parametrize(
    "value", ["shop-checkout-8080@kubernetes", "shop-checkout-canary-8080@kubernetes"]
)
def test_a_service_in_a_proxys_spelling_is_called_by_its_own_name(value: str) -> None:
    """Namespace, port and role are what a proxy puts around it."""
    series = [{"__name__": "traefik_service_requests_total", "service": value, "code": "200"}]
    (one,) = counted(source(series)).services
    assert "checkout" in one
    assert "canary" not in one
    assert "8080" not in one


def test_a_source_without_known_metrics_has_no_services() -> None:
    """An empty list, and how many metrics were looked through."""
    found = counted(source([{"__name__": "go_goroutines", "job": "x"}]))
    assert (found.services, found.skipped, found.metrics) == ((), (), 1)
