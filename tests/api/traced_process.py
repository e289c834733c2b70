"""A process of a shop that traces itself by the OpenTelemetry SDK: `traced_process.py URL NAME`.

It takes its parent from the environment as `TRACEPARENT`, and starts the process that it calls.
"""

from __future__ import annotations

import os
import subprocess
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

HTTP = {"http.request.method": "POST", "url.scheme": "http"}
SQL = {
    "db.system": "postgresql",
    "db.name": "shop",
    "db.statement": "SELECT * FROM orders WHERE id = 17",
}
QUEUE = {"messaging.system": "kafka", "messaging.destination.name": "orders"}


def call(url: str, name: str) -> None:
    """Start another process as a part of the trace."""
    carrier: dict[str, str] = {}
    inject(carrier)
    own = {**os.environ, "TRACEPARENT": carrier["traceparent"]}
    subprocess.run([sys.executable, __file__, url, name], env=own, check=True)


def web(url: str, tracer: trace.Tracer) -> None:
    """The front: a request of a user, and a call."""
    with tracer.start_as_current_span(
        "POST", kind=SpanKind.CLIENT, attributes={**HTTP, "server.address": "checkout"}
    ):
        call(url, "checkout")


def checkout(url: str, tracer: trace.Tracer) -> None:
    """A query that fails, and a message."""
    with tracer.start_as_current_span("SELECT", kind=SpanKind.CLIENT, attributes=SQL) as span:
        span.record_exception(ValueError("no such order"))
        span.set_status(StatusCode.ERROR)
    sent = {**QUEUE, "messaging.operation.name": "send"}
    with tracer.start_as_current_span("send orders", kind=SpanKind.PRODUCER, attributes=sent):
        call(url, "mail")


def main() -> None:
    """One span of the server's side, and what follows from it."""
    url, name = sys.argv[1:]
    resource = Resource(
        {"service.name": name, "service.version": "2.3.1", "k8s.pod.name": f"{name}-1"}
    )
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", compression=Compression.Gzip)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop")
    parent = extract({"traceparent": os.environ.get("TRACEPARENT", "")})
    kind, told = SpanKind.SERVER, {**HTTP, "http.route": f"/{name}/{{id}}"}
    if name == "mail":
        kind, told = SpanKind.CONSUMER, {**QUEUE, "messaging.operation.name": "process"}
    with tracer.start_as_current_span(
        f"POST /{name}/17", context=parent, kind=kind, attributes=told
    ):
        steps = {"web": web, "checkout": checkout}
        if name in steps:
            steps[name](url, tracer)
    provider.shutdown()


if __name__ == "__main__":
    main()
