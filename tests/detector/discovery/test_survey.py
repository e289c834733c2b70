"""Services at a glance, also where the source finds them too many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detector.discovery.asked import Asked
from detector.discovery.census import Sighting, census
from detector.discovery.looking import Look
from detector.discovery.splits import SplitKind
from detector.discovery.survey import Glance, glances, hidden, sight
from detector.errors import SourceError
from detector.ports import MetricCatalog
from detector.series import Query
from detector.signals.packs import shipped_packs
from pipelines.sources.memory import MemorySource
from tests.detector.discovery.clusters import T0, endpoints, shop, source


def look(catalog: MetricCatalog) -> Look:
    """Now."""
    return Look(catalog=catalog, start=T0 + 600, end=T0 + 600, timeout_s=5)


def told(catalog: MetricCatalog) -> dict[str, Glance]:
    """All services by name."""
    found = census(look(catalog), shipped_packs(), names=catalog.metrics(timeout_s=5))
    seen, _ = glances(look(catalog), shipped_packs(), found.sightings)
    return {one.service: one for one in seen}


@dataclass
class Narrow:
    """A catalogue that refuses to tell more than so many series at once."""

    held: MemorySource
    most: int
    code: str = "query_rejected"

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        return self.held.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        found = self.held.series(queries, start, end, timeout_s=timeout_s)
        if len(found) > self.most:
            raise SourceError("over the budget", code=self.code, retryable=False)
        return found

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        return self.held.label_values(label, queries, start, end, timeout_s=timeout_s)


def sighting(service: str) -> Sighting:
    """A service by the usual metric."""
    return Sighting(
        service=service, pack="prometheus-client", metric="http_requests_total", label="service"
    )


def eight() -> MemorySource:
    """Eight services of one pod each."""
    pods = [f"svc{number}-5c4b8d-x2x7k" for number in range(8)]
    return source(*(endpoints("prometheus_client", pod, service=pod.split("-")[0]) for pod in pods))


def test_a_service_is_told_with_pods_namespace_and_split() -> None:
    """What a list shows of each."""
    one = told(source(shop()))["checkout"]
    assert (one.pods, one.namespaces) == (6, ("shop",))
    assert one.split is not None
    assert one.split.kind in {SplitKind.NAME, SplitKind.HASH}


def test_what_is_looked_at_first_is_what_the_pack_names_first() -> None:
    """The list and the plan speak of the same metric."""
    assert told(source(shop()))["checkout"].metrics[0] == "http_requests_total"


def test_a_source_that_finds_all_too_many_is_asked_in_halves() -> None:
    """Two hundred services of ten pods are more than one answer may hold."""
    whole, narrow = told(eight()), told(Narrow(eight(), most=40))
    assert {name: one.pods for name, one in narrow.items()} == {
        name: one.pods for name, one in whole.items()
    }


def test_one_service_that_is_too_wide_is_named_and_the_others_are_shown() -> None:
    """A service with a million series does not hide the rest."""
    sightings = [sighting(f"svc{number}") for number in range(8)]
    seen, skipped = glances(look(Narrow(eight(), most=0)), shipped_packs(), sightings)
    assert [one.pods for one in seen] == [0] * 8
    assert len(skipped) == 8
    assert "over the budget" in skipped[0].why


def test_a_source_that_is_down_is_not_asked_again_and_again() -> None:
    """Halves are for what is too much, not for what does not answer."""
    narrow = Narrow(eight(), most=0, code="source_unavailable")
    sightings = [sighting("svc1"), sighting("svc2")]
    _, skipped = glances(look(narrow), shipped_packs(), sightings)
    assert len(skipped) == 2


def test_one_service_is_found_with_all_its_series() -> None:
    """Both versions."""
    asked = Asked(
        service="checkout", canary=(), control=None, namespace=None, cluster=None,
        across_clusters=False, time_scale=1.0,
    )  # fmt: skip
    held = source(shop())
    found = sight(look(held), shipped_packs(), held.metrics(timeout_s=5), asked)
    assert found is not None
    assert len({labels["pod"] for labels in found.candidate.series}) == 6
    assert found.note == ()


def test_durations_in_two_units_are_told() -> None:
    """One is read, and which one is not left to be guessed."""
    both = shop()
    for labels in shop():
        if labels["__name__"] == "http_request_duration_seconds_bucket":
            both.append({**labels, "__name__": "http_request_duration_milliseconds_bucket"})
    asked = Asked(
        service="checkout", canary=(), control=None, namespace=None, cluster=None,
        across_clusters=False, time_scale=1.0,
    )  # fmt: skip
    held = source(both)
    found = sight(look(held), shipped_packs(), held.metrics(timeout_s=5), asked)
    assert found is not None
    (note,) = found.note
    assert "from http_request_duration_seconds_bucket" in note
    assert "not from http_request_duration_milliseconds_bucket" in note


def test_a_histogram_without_its_last_bucket_is_named() -> None:
    """A relabelling that drops `+Inf` takes the latency with it."""
    cut = [labels for labels in shop() if labels.get("le") not in {"+Inf", "inf"}]
    held = source(cut)
    (found,) = hidden(look(held), shipped_packs(), held.metrics(timeout_s=5), "checkout")
    assert found.what == "http_request_duration_seconds_bucket"
    assert 'le="+Inf"' in found.why


def test_a_whole_histogram_is_not_hidden() -> None:
    """Nothing is said of what is right."""
    held = source(shop())
    assert not list(hidden(look(held), shipped_packs(), held.metrics(timeout_s=5), "checkout"))
