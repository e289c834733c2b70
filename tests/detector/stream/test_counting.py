"""Which counters count a service's requests, by the packs that are shipped."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.counting import Cell, Part
from tests.detector.stream.services import counting

COUNTING = counting()
COUNTER = SeriesKind.CUMULATIVE
WHERE = {"namespace": "shop", "service": "checkout", "pod": "checkout-1"}


def cell_of(metric: str, labels: Mapping[str, str], kind: SeriesKind = COUNTER) -> Cell | None:
    """The cell of one series of the shop."""
    told = {"__name__": metric, **WHERE, **labels}
    return COUNTING.cell(SeriesInfo(labels=tuple(sorted(told.items())), kind=kind))


@pytest.mark.parametrize(
    ("metric", "labels", "part"),
    [
        ("http_requests_total", {"code": "200"}, Part.GOOD),
        ("http_requests_total", {"code": "404"}, Part.GOOD),
        ("http_requests_total", {"code": "503"}, Part.BAD),
        ("http_requests_total", {"status": "500"}, Part.BAD),
        ("http_requests_total", {"code": "PaymentRequired", "status": "500"}, Part.BAD),
        ("http_requests_total", {}, Part.GOOD),
        ("http_request_duration_seconds_bucket", {"le": "0.1"}, Part.BELOW),
    ],
)
def test_requests_and_failures_are_told_as_discovery_tells_them(
    metric: str, labels: dict[str, str], part: Part
) -> None:
    """What the gate takes for a failure is one here, too."""
    found = cell_of(metric, labels)
    assert found is not None
    assert (found.service, found.namespace, found.part) == ("checkout", "shop", part)


@pytest.mark.parametrize("kind", [SeriesKind.CUMULATIVE, SeriesKind.DELTA])
def test_both_temporalities_are_counted(kind: SeriesKind) -> None:
    """OpenTelemetry sends either."""
    assert cell_of("http_requests_total", {"code": "200"}, kind) is not None


def test_a_gauge_of_the_name_of_a_counter_is_none() -> None:
    """What goes up and down counts nothing."""
    assert cell_of("http_requests_total", {"code": "200"}, SeriesKind.GAUGE) is None


def test_probes_are_no_traffic() -> None:
    """A health check each second would hide the errors of a quiet service."""
    assert cell_of("http_requests_total", {"code": "200", "path": "/healthz"}) is None
    assert cell_of("http_requests_total", {"code": "200", "path": "/cart"}) is not None


def test_what_nobody_knows_is_not_counted() -> None:
    """Thousands of other metrics cost nothing."""
    assert cell_of("queue_length_total", {}) is None


def test_pods_of_one_service_share_their_cells() -> None:
    """They come and go; the sum stays."""
    one, other = (cell_of("http_requests_total", {"code": "200", "pod": pod}) for pod in "ab")
    assert one == other
    assert cell_of("http_requests_total", {"code": "200", "namespace": "test"}) != one


def test_a_proxy_s_two_reports_of_one_request_are_not_added_up() -> None:
    """Istio tells each request twice; the destination's report counts."""
    mesh = {
        "response_code": "200",
        "request_protocol": "http",
        "destination_canonical_service": "checkout",
        "destination_service_namespace": "shop",
    }
    told, asked = (
        cell_of("istio_requests_total", {"reporter": side, **mesh})
        for side in ("destination", "source")
    )
    assert told is not None
    assert asked is not None
    assert (told.metric, told.part) == (asked.metric, asked.part)
    assert told.group != asked.group
