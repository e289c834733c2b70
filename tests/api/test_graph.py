"""Who calls whom over HTTP, from a real exporter's spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.compose import open_gate
from api.serving import serving_app
from api.settings import Settings
from api.streaming import Streaming, open_streaming
from pipelines.sources.memory import MemorySource
from tests.pipelines.flows.logging import Clock
from tests.pipelines.flows.test_spans import CART, MS, SHOP, spans


@pytest.fixture
def streaming(tmp_path: Path) -> Iterator[Streaming]:
    """A stream that has taken spans."""
    made = open_streaming(Settings(data=tmp_path))
    assert made.wait(60), made.words
    assert made.logs.spans.put("default", spans(0, 40))
    assert made.logs.spans.put("default", spans(100, 10, failed=True))
    assert made.stream.drain(60)
    yield made
    made.close()


@pytest.fixture
def client(streaming: Streaming, tmp_path: Path) -> Iterator[TestClient]:
    """The app over it."""
    settings = Settings(data=tmp_path)
    opened = open_gate(settings, source=MemorySource())
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    yield TestClient(app, base_url="http://127.0.0.1")
    opened.close()


def test_calls_between_services_are_told_with_rate_errors_and_time(client: TestClient) -> None:
    """What fails here is felt there: whom to ask in an incident."""
    answer = client.get("/v1/services/cart/graph")
    assert answer.status_code == 200, answer.text
    edges = answer.json()["edges"]
    (between,) = [e for e in edges if e["caller"]["name"] == "shop"]
    assert (between["callee"]["name"], between["callee"]["version"]) == ("cart", "v2")
    assert (between["calls"], between["failed"], between["error_ratio"]) == (50, 10, 0.2)
    assert between["p50_s"] == pytest.approx(0.03, rel=0.1)


@pytest.mark.parametrize("path", ["/v1/services/nobody/graph"])
def test_a_service_without_spans_has_no_graph(client: TestClient, path: str) -> None:
    """It is not told that nobody calls it."""
    assert client.get(path).status_code == 404


def test_another_tenant_sees_nothing_of_it(client: TestClient) -> None:
    """Who runs what is nobody else's."""
    headers = {"X-Scope-OrgID": "other"}
    assert client.get("/v1/services/cart/graph", headers=headers).status_code == 404


def slower(streaming: Streaming, minutes: int = 12) -> None:
    """Two versions of the cart side by side, the second takes twice as long."""
    clock = Clock(streaming.logs.taking.of("default").taken / 1000)
    streaming.logs.taking._clock = clock
    for minute in range(minutes):
        clock.now += 60
        for nth, version in enumerate(("v1", "v2")):
            made = spans(10_000 * (nth + 1) + 100 * minute, 40)
            cart = replace(CART, version=version)
            took = made.duration * (nth + 1)
            start = made.start + minute * 60_000 * MS
            made = replace(made, origins=(SHOP, cart), duration=took, start=start)
            assert streaming.logs.spans.put("default", made)
    assert streaming.stream.drain(60)


def test_where_a_canary_spends_more_time_is_told_in_a_sentence(
    client: TestClient, streaming: Streaming
) -> None:
    """It is slower, and in what: nobody has to read traces."""
    slower(streaming)
    asked = {"canary": "v2", "control": "v1"}
    answer = client.get("/v1/services/cart/comparison", params=asked)
    assert answer.status_code == 200, answer.text
    first = answer.json()["shifts"][0]
    assert (first["entry"], first["operation"]) == ("GET /cart", "GET /cart")
    assert first["difference_s"] == pytest.approx(0.03, rel=0.15)
    assert first["is_certain"]
    assert "cart v2" in first["text"]
    assert min(first["canary_traces"], first["control_traces"]) >= 20


@pytest.mark.parametrize(
    ("query", "status"),
    [("canary=v2", 422), ("canary=v2&control=v1&measure=luck", 422), ("canary=v9&control=v8", 200)],
)
def test_a_comparison_needs_two_sides(client: TestClient, query: str, status: int) -> None:
    """Versions that nobody runs have no differences, which is not an error."""
    assert client.get(f"/v1/services/cart/comparison?{query}").status_code == status


def test_spans_are_counted_in_metrics(client: TestClient) -> None:
    """Whether any come is seen before anybody misses them."""
    assert "serinus_logs_spans_total 100.0" in client.get("/metrics").text
