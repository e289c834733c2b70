"""From spans at the door to an anomaly that shows them: over HTTP, by a clock that tests move."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from api.app import create_app
from api.receiving import take_metrics
from api.settings import Settings
from api.streaming import OpenStream, Streaming
from api.traces_settings import TracesSection
from api.tracing import take_spans
from detector.spans.series import FAILED, LATENCY
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from pipelines.flows.followers import Followers
from pipelines.flows.spans import SpanFlow
from pipelines.ingest.columnar import packed
from pipelines.stores.anomalies import SqlAnomalies
from pipelines.stores.events import SqlEvents
from pipelines.stores.retention import Retention
from tests.api.doors import quiet_logs
from tests.pipelines.flows.logging import Clock, Life, opened
from tests.pipelines.flows.scripted import World

pytestmark = pytest.mark.slow

BEGAN_S, STEP_S, MS = 1_764_000_000, 15, 10**6
# More than the hour in which series are counted first.
CALM = 75 * 60 // STEP_S
# Whoever sends spans chooses their names.
ROUTE = "/orders/<script>alert(1)</script>\x1b[31m"
TOOK = "http_server_request_duration_seconds_sum"
SETTINGS = Settings(traces=TracesSection(url="https://tempo.example.org/trace/{trace_id}"))


@dataclass(slots=True)
class Shop:
    """A serinus and who sends to it; ids of traces are as hostile as ids can be."""

    folder: Path
    life: Life = field(init=False)
    client: TestClient = field(init=False)
    draw: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    step: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.open(Clock(BEGAN_S))

    def open(self, clock: Clock) -> None:
        """A process on the folder, with the doors and routes of `serinus serve`."""
        quiet_logs()
        self.life = life = opened(self.folder, clock)
        app = create_app(World().gate, SETTINGS)
        take_spans(app, SpanFlow(life.taking), clock)
        take_metrics(app, life.stream, clock)
        streaming = Streaming(
            lambda: OpenStream(
                stream=life.stream,
                database=life.database,
                anomalies=SqlAnomalies(life.database),
                followers=Followers(SqlEvents(life.database)),
                retention=Retention(life.database, keep_s=86_400),
                close=life.close,
            )
        )
        assert streaming.wait(30)
        app.state.context = replace(app.state.context, streaming=streaming)
        self.client = TestClient(app, base_url="http://127.0.0.1")

    def send(self, steps: int, *, slow_ms: float = 0.0, failing: float = 0.0) -> None:
        """So many steps of spans, and a counter of how long requests took altogether."""
        for _ in range(steps):
            self.step += 1
            self.life.clock.now = BEGAN_S + STEP_S * self.step
            self.push("/v1/traces", self.spans(slow_ms, failing), "application/x-protobuf")
            self.push("/v1/columns", self.counter(), "application/msgpack")
        assert self.life.stream.drain(60)

    def push(self, path: str, body: bytes, kind: str) -> None:
        """Post a message that is taken."""
        told = self.client.post(path, content=body, headers={"Content-Type": kind})
        assert told.status_code in (200, 204), told.text

    def spans(self, slow_ms: float, failing: float) -> bytes:
        """Some dozen requests with a query each; the slow ones and those that fail are some."""
        message = ExportTraceServiceRequest()
        of = message.resource_spans.add()
        for key, value in {"service.name": "checkout", "service.version": "v7"}.items():
            of.resource.attributes.add(key=key).value.string_value = value
        spans = of.scope_spans.add().spans
        for nth in range(32):
            trace = b"\xff" * 8 + self.draw.randbytes(8)
            query = self.draw.lognormvariate(3, 0.3) + slow_ms
            start = round((self.life.clock.now - 0.3 * nth - 1) * 1e9)
            whole = spans.add(trace_id=trace, span_id=b"<whole>\x00", kind=2)
            whole.start_time_unix_nano = start
            whole.end_time_unix_nano = start + round((query + 5) * MS)
            whole.attributes.add(key="http.request.method").value.string_value = "POST"
            whole.attributes.add(key="http.route").value.string_value = ROUTE
            whole.status.code = 2 if self.draw.random() < failing else 0
            part = spans.add(trace_id=trace, span_id=b"<query>\x00", kind=3)
            part.parent_span_id = whole.span_id
            part.start_time_unix_nano = start + MS
            part.end_time_unix_nano = start + MS + round(query * MS)
            part.attributes.add(key="db.system").value.string_value = "postgresql"
            part.attributes.add(key="db.query.summary").value.string_value = "SELECT orders"
            self.seconds += (query + 5) / 1e3
        body: bytes = message.SerializeToString()
        return body

    def counter(self) -> bytes:
        """How many seconds the service's requests took so far."""
        labels = (("__name__", TOOK), ("service_name", "checkout"))
        at = np.array([1000 * round(self.life.clock.now)], np.int64)
        columns = Columns(series=np.zeros(1, np.int32), at=at, value=np.array([self.seconds]))
        return packed([SeriesInfo(labels=labels, kind=SeriesKind.CUMULATIVE)], columns)

    def anomalies(self, metric: str) -> list[dict[str, Any]]:
        """What the API tells."""
        told = self.client.get("/v1/anomalies", params={"service": "checkout", "metric": metric})
        found: list[dict[str, Any]] = told.json()["anomalies"]
        return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that was calm for over an hour, and slow for three minutes then."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    made.send(CALM)
    assert made.anomalies(LATENCY) == []
    made.send(12, slow_ms=400)
    yield made
    made.life.close()


def test_a_latency_that_rose_is_shown_with_traces(shop: Shop) -> None:
    """Each with a link, how long it took, how long that usually is, and what took the time."""
    (found,) = shop.anomalies(LATENCY)
    slow = [one for one in found["traces"] if one["why"] == "slowest"]
    (usual,) = [one for one in found["traces"] if one["why"] == "ordinary"]
    assert len(slow) >= 3
    for one in slow:
        assert one["url"] == f"https://tempo.example.org/trace/{one['trace_id']}"
        assert one["duration_s"] > 0.4
        assert one["usual_s"] < 0.1
        assert (one["spent"][0]["operation"], one["version"]) == ("SELECT orders", "v7")
        assert one["spent"][0]["seconds"] > 0.4
    assert usual["duration_s"] < 0.1
    assert shop.client.get(found["links"]["self"]).json() == found


def test_so_is_the_metric_that_the_service_counts_itself(shop: Shop) -> None:
    """Who has request metrics looks at those first."""
    (found,) = shop.anomalies(TOOK.removesuffix("_sum"))
    assert [one["why"] for one in found["traces"][:3]] == ["slowest"] * 3
    assert found["traces"][0]["spent"][0]["operation"] == "SELECT orders"


def test_what_senders_chose_does_nothing(shop: Shop) -> None:
    """Ids are hexadecimal whatever bytes they were, names have no commands in them."""
    (found,) = shop.anomalies(LATENCY)
    for one in found["traces"]:
        assert set(one["trace_id"] + one["span_id"]) <= set("0123456789abcdef")
        assert "\x1b" not in one["operation"]
        assert one["operation"].startswith("POST /orders/")
    told = shop.client.get("/v1/anomalies")
    assert told.headers["Content-Type"] == "application/json"


def test_errors_that_rose_are_shown_by_requests_that_failed(shop: Shop) -> None:
    """After a restart in between, which the first one's traces outlive."""
    before = shop.anomalies(LATENCY)
    shop.life.close()
    shop.open(shop.life.clock)
    assert shop.anomalies(LATENCY) == before
    shop.send(12, slow_ms=400, failing=0.5)
    (found,) = shop.anomalies(FAILED)
    assert [one["failed"] for one in found["traces"][:3]] == [True] * 3
    assert found["traces"][0]["why"] == "failed"
