"""Traces on one core: bytes of OTLP to RED metrics, the service graph and traces of interest.

Bodies are those of a shop of five services in two versions, 512 spans each, as batch exporters send
them: HTTP, RPC, SQL with statements, a queue, resources with Kubernetes' attributes; one body in
fifty comes twice. Time is that of the thread, the best of several passes over the same bodies.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.ending import concluded
from detector.spans.graph import graph
from detector.spans.operator import step
from detector.spans.red import red
from detector.spans.state import SpanState, opened
from pipelines.ingest.decoded import Window
from pipelines.ingest.spans.otlp import Otlp

__all__ = ["Told", "bodies", "measured", "spans_core_s"]

BEGAN_S = 1_764_000_000
OF_BODY = 512
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
# Operation, kind, who it calls: (service or "", attributes).
HTTP = {"http.request.method": "POST", "url.scheme": "http", "network.protocol.version": "1.1"}
SQL = {"db.system": "postgresql", "db.name": "shop", "db.user": "shop", "net.peer.name": "db-0"}


@dataclass(slots=True)
class Shop:
    """Writes traces, and keeps the spans of each process until a body of them is full."""

    random: random.Random
    at_ns: int = BEGAN_S * 10**9
    waiting: dict[tuple[str, str, int], list[Span]] = field(default_factory=dict)

    def trace(self) -> None:
        """A request to the front, and all that follows from it."""
        self.at_ns += 200_000
        trace = self.random.randbytes(16)
        version = "v2" if self.random.random() < 0.2 else "v1"
        served = self.serve(trace, b"", "web", version, "/checkout", 60.0)
        for service, path in (("cart", "/cart/{id}"), ("checkout", "/orders")):
            call = self.call(trace, served, "web", version, service, path)
            inner = self.serve(trace, call, service, version, path, 25.0)
            self.sql(trace, inner, service, version)
            self.sql(trace, inner, service, version)
            if service == "checkout":
                paid = self.rpc(trace, inner, version)
                self.sql(trace, paid, "payments", version)
                self.queue(trace, inner, version)

    def serve(
        self, trace: bytes, parent: bytes, service: str, version: str, route: str, ms: float
    ) -> bytes:
        """A server's side of an HTTP call."""
        path = f"{route}/{self.random.randrange(10**6)}"
        agent = {"user_agent.original": "python-httpx/0.28.1", "client.address": "10.4.7.19"}
        told = {**HTTP, **agent, "http.route": route, "url.path": path}
        return self.span(trace, parent, (service, version), (f"POST {route}", SERVER, ms), told)

    def call(
        self, trace: bytes, parent: bytes, service: str, version: str, to: str, route: str
    ) -> bytes:
        """A client's side of one."""
        told = {**HTTP, "server.address": to, "url.full": f"http://{to}:8080{route}?x={self.at_ns}"}
        return self.span(trace, parent, (service, version), ("POST", CLIENT, 30.0), told)

    def sql(self, trace: bytes, parent: bytes, service: str, version: str) -> bytes:
        """A statement with a value in it, as older instrumentations write it."""
        text = (
            f"SELECT id, state, total FROM orders WHERE customer = {self.random.randrange(10**6)}"  # noqa: S608
        )
        told = {**SQL, "db.statement": text}
        return self.span(trace, parent, (service, version), ("SELECT", CLIENT, 4.0), told)

    def rpc(self, trace: bytes, parent: bytes, version: str) -> bytes:
        """Both sides of a call of gRPC; the server's is given back."""
        told = {"rpc.system": "grpc", "rpc.service": "shop.Payments", "rpc.method": "Charge"}
        name = "shop.Payments/Charge"
        call = self.span(trace, parent, ("checkout", version), (name, CLIENT, 12.0), told)
        return self.span(trace, call, ("payments", version), (name, SERVER, 10.0), told)

    def queue(self, trace: bytes, parent: bytes, version: str) -> None:
        """A message, and who takes it."""
        told = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
        sent = {**told, "messaging.operation.name": "send"}
        call = self.span(trace, parent, ("checkout", version), ("send orders", PRODUCER, 1), sent)
        took = {**told, "messaging.operation.name": "process"}
        self.span(trace, call, ("mail", "v1"), ("process orders", CONSUMER, 8.0), took)

    def span(
        self,
        trace: bytes,
        parent: bytes,
        who: tuple[str, str],
        what: tuple[str, int, float],
        told: dict[str, str],
    ) -> bytes:
        """Write one; its id."""
        own = self.random.randbytes(8)
        start = self.at_ns + self.random.randrange(10**6)
        span = Span(
            trace_id=trace, span_id=own, parent_span_id=parent, name=what[0],
            kind=cast("Span.SpanKind.ValueType", what[1]),
            start_time_unix_nano=start,
            end_time_unix_nano=start + round(1e6 * what[2] * self.random.lognormvariate(0, 0.5)),
        )  # fmt: skip
        for key, value in told.items():
            span.attributes.add(key=key).value.string_value = value
        span.attributes.add(key="thread.id").value.int_value = 140_000
        if self.random.random() < 0.01:
            span.status.code = Status.STATUS_CODE_ERROR
        pod = self.random.randrange(3)
        self.waiting.setdefault((*who, pod), []).append(span)
        return own

    def full(self) -> Iterator[bytes]:
        """Bodies of processes that have enough for one."""
        for who, spans in self.waiting.items():
            while len(spans) >= OF_BODY:
                yield _body(who, spans[:OF_BODY])
                del spans[:OF_BODY]


def _body(who: tuple[str, str, int], spans: Sequence[Span]) -> bytes:
    request = ExportTraceServiceRequest()
    of = request.resource_spans.add()
    pod = f"{who[0]}-{who[1]}-7d9f8c-{who[2]}"
    for key, value in {
        "service.name": who[0], "service.version": who[1], "k8s.pod.name": pod,
        "k8s.namespace.name": "shop", "k8s.cluster.name": "eu-1", "service.instance.id": pod,
        "telemetry.sdk.language": "python", "telemetry.sdk.version": "1.40.0",
    }.items():  # fmt: skip
        of.resource.attributes.add(key=key).value.string_value = value
    scope = of.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.shop"
    scope.spans.extend(spans)
    body: bytes = request.SerializeToString()
    return body


def bodies(count: int, seed: int = 7) -> list[bytes]:
    """So many bodies of the shop, always the same; one in fifty comes twice."""
    shop = Shop(random.Random(seed))
    found: list[bytes] = []
    while len(found) < count:
        for _ in range(200):
            shop.trace()
        for body in shop.full():
            found += [body, body] if len(found) % 50 == 49 else [body]
    return found[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a pass over the bodies took (seconds of the thread), and what came of it."""

    reading_s: float
    counting_s: float
    spans: int
    state: SpanState

    @property
    def core_s(self) -> float:
        """Spans a second on one core."""
        return self.spans / (self.reading_s + self.counting_s)


def measured(pushed: Sequence[bytes]) -> Told:
    """Read and count all bodies, each a tenth of a second after the one before."""
    otlp, state = Otlp(), opened(seed=1)
    window = Window(oldest=0, newest=2 * BEGAN_S * 1000)
    reading = counting = 0.0
    spans = 0
    for nth, body in enumerate(pushed):
        began = time.thread_time()
        decoded = otlp.decode(body, window, BEGAN_S * 1000 + 100 * nth)
        between = time.thread_time()
        state, _ = step(state, decoded.spans)
        reading += between - began
        counting += time.thread_time() - between
        spans += decoded.taken
    return Told(reading_s=reading, counting_s=counting, spans=spans, state=state)


def spans_core_s(*, quick: bool = False) -> float:
    """Spans a second on one core, the best of several passes."""
    return _best(bodies(200 if quick else 600), 3 if quick else 7).core_s


def _best(pushed: Sequence[bytes], passes: int) -> Told:
    measured(pushed[:20])
    return max((measured(pushed) for _ in range(passes)), key=lambda told: told.core_s)


def main() -> int:
    """The table, the file, and whether it suffices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer bodies, fewer passes")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    pushed = bodies(200 if given.quick else 600)
    told = _best(pushed, 3 if given.quick else 7)
    figures = {
        "spans_core_s": told.core_s,
        "read_core_s": told.spans / told.reading_s,
        "counted_core_s": told.spans / told.counting_s,
        "spans": told.spans,
        "series": sum(1 for _ in red(told.state)),
        "edges": len(graph(told.state).edges),
        "traces_kept": len(told.state.traces),
    }
    for name, value in figures.items():
        print(f"{name:<16}{value:>14,.0f}")
    size = sum(map(len, pushed)) / told.spans
    print(f"{size:.0f} bytes a span, {OF_BODY} spans a body")
    return concluded(
        figures, {}, {"spans_core_s": (">=", 50_000)}, {"bytes_a_span": size}, given.json
    )


if __name__ == "__main__":
    raise SystemExit(main())
