"""kill -9 of a real `serinus serve` while a real exporter sends: each line is counted once."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from tests.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 240.0


@contextmanager
def serving(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that takes lines."""
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve"]
    process = subprocess.Popen(
        [*command, "--data", str(data), "--port", str(port)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _until(lambda: "judges" in _get(port, "/readyz")["stream"])
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _get(port: int, path: str) -> dict[str, Any]:
    told: dict[str, Any] = httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=30).json()
    return told


def _until(is_so: Any) -> None:  # noqa: ANN401
    give_up = time.monotonic() + WITHIN_S
    while time.monotonic() < give_up:
        try:
            if is_so():
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError("not within the time")


@contextmanager
def exporter(port: int) -> Iterator[logging.Logger]:
    """A logger whose every record is sent at once, and acknowledged."""
    resource = Resource.create({"service.name": "checkout", "k8s.pod.name": "checkout-1"})
    provider = LoggerProvider(resource=resource)
    url = f"http://127.0.0.1:{port}/v1/logs"
    provider.add_log_record_processor(
        SimpleLogRecordProcessor(OTLPLogExporter(endpoint=url, timeout=120))
    )
    log = logging.getLogger("tests.killed")
    handler = LoggingHandler(logger_provider=provider)
    log.addHandler(handler)
    log.propagate = False
    try:
        yield log
    finally:
        log.removeHandler(handler)
        provider.shutdown()


def counts(port: int) -> dict[str, int]:
    """Lines by template, without those that the exporter says of itself."""
    told = _get(port, "/v1/templates?service=checkout")["templates"]
    return {one["text"]: one["count"] for one in told}


def test_each_line_that_was_acknowledged_is_counted_once(tmp_path: Path) -> None:
    """Whoever is killed in the midst of a rollout has not lost the errors of it."""
    port, sent = free_port(), 0
    for lines in (30, 7, 12):
        with serving(tmp_path, port), exporter(port) as log:
            for _ in range(lines):
                log.error("payment of order %d failed", sent)
                sent += 1
    with serving(tmp_path, port):
        _until(lambda: counts(port) == {"payment of order <num> failed": sent})
