"""A real sender at the real doors for logs: the OpenTelemetry SDK behind Python's own logging."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from api.app import create_app
from api.receiving_logs import take_logs
from api.settings import Settings
from detector.logs.lines import Level
from pipelines.testing.log_sink import MemoryLogSink
from tests.api.cli.served import serving
from tests.api.doors import quiet_logs
from tests.api.test_push_real import until
from tests.pipelines.flows.scripted import World

pytestmark = pytest.mark.real

RESOURCE = {
    "service.name": "checkout",
    "service.version": "1.4.2",
    "k8s.pod.name": "checkout-1",
    "k8s.namespace.name": "shop",
}


@contextmanager
def receiving_logs() -> Iterator[tuple[str, MemoryLogSink]]:
    """The app on a port, and where lines that are pushed to it go."""
    quiet_logs()
    sink = MemoryLogSink()
    app = create_app(World().gate, Settings())
    take_logs(app, sink)
    with serving(app) as url:
        yield url, sink


@contextmanager
def logger_to(url: str, compression: Compression) -> Iterator[logging.Logger]:
    """A logger whose records the SDK exports; all of them are on their way at the end."""
    exporter = OTLPLogExporter(endpoint=f"{url}/v1/logs", compression=compression)
    provider = LoggerProvider(Resource(RESOURCE))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    with warnings.catch_warnings():
        # It has moved to a package of its own, which is no more than it is here.
        warnings.simplefilter("ignore")
        handler = LoggingHandler(logger_provider=provider)
    logger = logging.getLogger(f"tests.shop.{compression.value}")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        provider.shutdown()


def say_all(logger: logging.Logger) -> str:
    """One of each that a service may say; the trace that one of them is in."""
    logger.info("order %d placed", 7, extra={"customer": "c-1"})
    logger.warning("slow: %.1f s", 2.5)
    try:
        raise KeyError("cart")
    except KeyError:
        logger.exception("cannot check out")
    tracer = TracerProvider().get_tracer("shop")
    with tracer.start_as_current_span("checkout") as span:
        logger.error("within a span")
        return f"{span.get_span_context().trace_id:032x}"


@pytest.mark.parametrize("compression", list(Compression))
def test_what_a_python_service_logs_is_told_as_it_was_said(compression: Compression) -> None:
    """Message, level, origin, trace, and what was thrown with its frames."""
    with receiving_logs() as (url, sink):
        with logger_to(url, compression) as logger:
            trace = say_all(logger)
        until(lambda: len(sink.lines()) == 4, "four lines")
    placed, slow, thrown, within = sink.lines()
    assert (placed.message, placed.level) == (b"order 7 placed", Level.INFO)
    assert (slow.message, slow.level) == (b"slow: 2.5 s", Level.WARN)
    assert thrown.message.startswith(b"cannot check out\nTraceback (most recent call last):\n")
    assert thrown.message.endswith(b"KeyError: 'cart'\n")
    assert (within.level, within.trace) == (Level.ERROR, trace)
    origin = placed.origin
    assert (origin.service, origin.version, origin.pod) == ("checkout", "1.4.2", "checkout-1")
    assert origin.namespace == "shop"


def test_what_was_put_off_is_sent_again() -> None:
    """The SDK keeps a batch for which there was no room, and brings it once."""
    with receiving_logs() as (url, sink):
        sink.is_full = True
        opening = threading.Thread(target=_make_room, args=(sink,))
        opening.start()
        with logger_to(url, Compression.Gzip) as logger:
            say_all(logger)
        opening.join()
        until(sink.lines, "what was put off")
    assert len(sink.lines()) == 4


def _make_room(sink: MemoryLogSink) -> None:
    until(lambda: sink.refusals >= 1, "a refusal")
    sink.is_full = False
