"""A real collector at the real doors for logs: what it exports is understood and not lost."""

from __future__ import annotations

import gzip
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import zstandard
from opentelemetry.exporter.otlp.proto.http import Compression

from detector.logs.lines import Level
from pipelines.testing import FaultServer
from pipelines.testing.log_sink import MemoryLogSink
from tests.api.test_logs_real import logger_to, receiving_logs, say_all
from tests.api.test_push_real import until
from tests.collector.collecting import running_collector
from tests.collector.test_collector import SOON
from tests.pipelines.ingest.logs.logways import GOLDEN

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.e2e]


def otlp(url: str, path: str = "/v1/logs", **more: object) -> dict[str, dict[str, Any]]:
    """OTLP over HTTP, packed as it comes."""
    return {"otlp_http": {"logs_endpoint": url + path, "retry_on_failure": SOON, **more}}


EXPORTERS: Mapping[str, Callable[[str], dict[str, dict[str, Any]]]] = {
    "otlp": otlp,
    "json": lambda url: otlp(url, encoding="json"),
    "zstd": lambda url: otlp(url, compression="zstd"),
    "as-to-loki": lambda url: otlp(url, "/otlp/v1/logs"),
}


@pytest.mark.parametrize("name", EXPORTERS)
def test_what_it_exports_is_the_same_by_every_door(name: str, tmp_path: Path) -> None:
    """Message, level, trace, and the stack of what was thrown."""
    with (
        receiving_logs() as (url, sink),
        running_collector(tmp_path, EXPORTERS[name](url), signal="logs") as collector,
    ):
        with logger_to(collector.url, Compression.Gzip) as logger:
            trace = say_all(logger)
        until(lambda: len(sink.lines()) == 4, "four lines")
    placed, _, thrown, within = sink.lines()
    assert (placed.message, placed.level) == (b"order 7 placed", Level.INFO)
    assert thrown.message.endswith(b"KeyError: 'cart'\n")
    assert (within.level, within.trace) == (Level.ERROR, trace)
    assert (placed.origin.service, placed.origin.pod) == ("checkout", "checkout-1")


def test_it_comes_again_after_a_full_queue(tmp_path: Path) -> None:
    """What was put off is delivered once there is room, and once only."""
    with (
        receiving_logs() as (url, sink),
        running_collector(tmp_path, otlp(url), signal="logs") as collector,
    ):
        sink.is_full = True
        opening = threading.Thread(target=_make_room, args=(sink,))
        opening.start()
        with logger_to(collector.url, Compression.Gzip) as logger:
            say_all(logger)
        opening.join()
        until(sink.lines, "what was put off")
    assert len(sink.lines()) == 4


def _make_room(sink: MemoryLogSink) -> None:
    until(lambda: sink.refusals >= 2, "two refusals")
    sink.is_full = False


# A program of its own file: what is recorded tells nothing of the machine that recorded it.
SHOP = """
def check_out(logger):
    logger.info("order %d placed", 7, extra={"customer": "c-1"})
    logger.warning("slow: %.1f s", 2.5)
    try:
        raise KeyError("cart")
    except KeyError:
        logger.exception("cannot check out")
"""


def check_out(logger: logging.Logger) -> None:
    """Run it."""
    names: dict[str, Any] = {}
    exec(compile(SHOP, "shop/cart.py", "exec"), names)  # noqa: S102
    names["check_out"](logger)


@pytest.mark.skipif("SERINUS_RECORD" not in os.environ, reason="writes the golden bytes anew")
@pytest.mark.parametrize("name", ["otlp", "json", "zstd"])
def test_its_bytes_are_recorded(name: str, tmp_path: Path) -> None:
    """For `tests/pipelines/ingest/logs/test_golden_logs.py`."""
    with (
        FaultServer() as server,
        running_collector(tmp_path, EXPORTERS[name](server.url), signal="logs") as collector,
    ):
        server.behave(b"{}")
        with logger_to(collector.url, Compression.Gzip) as logger:
            check_out(logger)
        until(lambda: server.requests, "a request")
    body = server.requests[0].body
    unpack = zstandard.ZstdDecompressor().decompressobj().decompress
    assert b"cart.py" in (unpack(body) if name == "zstd" else gzip.decompress(body))
    ending = {"otlp": "otlp.gz", "json": "json.gz", "zstd": "otlp.zst"}[name]
    (GOLDEN / f"opentelemetry-collector.logs.{ending}").write_bytes(body)
