"""Who calls whom over HTTP, from a real exporter's spans."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.compose import open_gate
from api.serving import serving_app
from api.settings import Settings
from api.streaming import Streaming, open_streaming
from pipelines.sources.memory import MemorySource
from tests.pipelines.flows.test_spans import spans


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


def test_spans_are_counted_in_metrics(client: TestClient) -> None:
    """Whether any come is seen before anybody misses them."""
    assert "serinus_logs_spans_total 100.0" in client.get("/metrics").text
