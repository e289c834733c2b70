"""Two workers count logs and traces of a topic; `serve` on their PostgreSQL judges by what is kept.

Real: Kafka with two partitions of logs, PostgreSQL, and three processes of ours.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pipelines.stores.postgres import PostgresDatabase
from pipelines.stores.worker_parts import progress_of
from tests.api.cli.process import served
from tests.api.cli.workers import eventually, make_topics, of_lines
from tests.kafka import running_kafka
from tests.pipelines.flows.counting import ERROR, INFO, logs_of
from tests.servers import running_postgres

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

LOGS, TRACES = "shop_logs", "shop_spans"
STEP_MS, STEPS, RELEASED, ASKED = 15_000, 100, 70, 60
STABLE, CANARY = tuple(f"5c4b8d-{end}" for end in "abcde"), tuple(f"6d9f7c-{end}" for end in "fgh")
PATIENCE_S = 120
CANARY_PODS, STABLE_PODS = '{pod=~"checkout-6d9f7c-.+"}', '{pod=~"checkout-5c4b8d-.+"}'
# Lines of the new error.
WHOLE = 2 * len(CANARY) * (STEPS - RELEASED)


def spans_of(pods: Sequence[str], at: int) -> bytes:
    """Requests of one step to some pods; each asks the service `bank`."""
    request = ExportTraceServiceRequest()
    for pod in pods:
        told = {"service.name": "checkout", "k8s.pod.name": f"checkout-{pod}"}
        held, bank = _held(request, told), _held(request, {"service.name": "bank"})
        for number in range(ASKED):
            trace = md5(f"{pod}{at}{number}".encode(), usedforsecurity=False).digest()
            root, call, answer = (n.to_bytes(8, "big") for n in (1, 2, 3))
            took = 20 + trace[0] % 30
            places = ((held, root, b"", 2), (held, call, root, 3), (bank, answer, call, 2))
            for spans, id, parent, kind in places:
                span = spans.add(trace_id=trace, span_id=id, parent_span_id=parent, kind=kind)
                span.name = "POST /charge" if spans is bank or kind == 3 else "POST /pay"
                span.start_time_unix_nano = at * 1_000_000
                span.end_time_unix_nano = (at + took) * 1_000_000
    return bytes(request.SerializeToString())


def _held(request: ExportTraceServiceRequest, told: dict[str, str]) -> Any:  # noqa: ANN401
    spans = request.resource_spans.add()
    for name, value in told.items():
        spans.resource.attributes.add(key=name).value.string_value = value
    return spans.scope_spans.add().spans


def send(kafka: str, start: int) -> None:
    """A release that writes a new error on one request in thirty, each other time to the other
    partition; no request of it fails.
    """
    producer = KafkaProducer(bootstrap_servers=[kafka], acks="all", linger_ms=20)
    for step in range(STEPS):
        at = start + step * STEP_MS
        pods = (*STABLE, *CANARY) if step >= RELEASED else STABLE
        for place, pod in enumerate(pods):
            said = [(INFO, f"order {step}{n} was placed") for n in range(10)]
            said += [
                (ERROR, f"charge {step}{n} failed: no route") for n in range(2 * (pod in CANARY))
            ]
            body = logs_of(said, at - 1, "checkout", pod)
            producer.send(LOGS, body, partition=(step + place) % 2, timestamp_ms=at)
        producer.send(TRACES, spans_of(pods, at - 1), partition=0, timestamp_ms=at)
    producer.flush(timeout=60)
    producer.close(timeout=5)


def asked(url: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401
    """What it answers."""
    request = urllib.request.Request(
        url + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server beside two workers that have counted all there is."""
    folder = tmp_path_factory.mktemp("beside")
    with running_kafka() as kafka, running_postgres() as postgres:
        make_topics(kafka.address, LOGS, TRACES)
        fleet = of_lines(kafka.address, folder, LOGS, TRACES)
        store = postgres.database("beside")
        try:
            workers = [fleet.start(store, name) for name in ("first", "second")]
            send(kafka.address, (int(time.time()) // 15 * 15 - 15 * STEPS) * 1000)
            eventually(lambda: sum(one.figure("partitions") for one in workers) == 3, PATIENCE_S)
            eventually(lambda: is_done(store), PATIENCE_S)
            yield from _serving(folder, store)
        finally:
            fleet.close()


def _serving(folder: Path, store: str) -> Iterator[str]:
    config = folder / "serve.yaml"
    config.write_text(f"source: {{kind: memory}}\nstore: {store}\n", encoding="utf-8")
    with served("--config", str(config), "--data", str(folder / "data")) as server:
        eventually(lambda: is_open(server.url), PATIENCE_S)
        yield server.url


def is_open(url: str) -> bool:
    """Whether it has compiled what it needs, and sees what workers kept."""
    try:
        return bool(asked(url, "/v1/services/checkout/graph")["edges"])
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return False


def is_done(store: str) -> bool:
    """Whether a checkpoint of each partition has all of its messages."""
    with closing(PostgresDatabase(store)) as database:
        found = {one.part: one.position for one in progress_of(database)}
    return sum(found.values()) + 3 == STEPS + STEPS * 5 + (STEPS - RELEASED) * 3


def test_the_verdict_names_the_line_that_both_partitions_had(judged: str) -> None:
    """Who reads topics with workers would have a gate that is blind to logs."""
    question = {"service": "checkout", "canary": CANARY_PODS, "control": STABLE_PODS}
    answer = asked(judged, "/v1/verdicts", question)
    [line] = next(one for one in answer["signals"] if one["name"] == "log_templates")["templates"]
    assert (answer["outcome"], answer["reason"]["code"]) == ("fail", "log_templates_up")
    assert "charge <num> failed: no route" in answer["reason"]["text"]
    # Two a pod and step; of the last step only what its partitions have told.
    assert line["lines"]["control"] == 0
    assert WHOLE - 12 <= line["lines"]["canary"] <= WHOLE


def test_templates_are_counted_over_partitions(judged: str) -> None:
    """Half of the lines would be missing where a person looks for them."""
    shown = asked(judged, "/v1/templates?service=checkout")["templates"]
    counts = {one["text"]: one["count"] for one in shown}
    placed = 10 * (STEPS * len(STABLE) + (STEPS - RELEASED) * len(CANARY))
    assert counts == {"charge <num> failed: no route": WHOLE, "order <num> was placed": placed}


def test_who_calls_whom_is_there_and_on_the_page(judged: str) -> None:
    """The map of services is of the spans that workers read."""
    edges = asked(judged, "/v1/services/checkout/graph")["edges"]
    with urllib.request.urlopen(f"{judged}/services/checkout", timeout=30) as page:
        shown = page.read().decode()
    calls = ASKED * (STEPS * len(STABLE) + (STEPS - RELEASED) * len(CANARY))
    assert {one["callee"]["name"]: one["total_calls"] for one in edges} == dict.fromkeys(
        ("checkout", "bank"), calls
    )
    assert "bank" in shown
