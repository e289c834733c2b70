"""An OpenTelemetry collector as a process: OTLP in, and out whatever its exporters send."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import free_port, require_server

__all__ = ["RunningCollector", "running_collector"]

READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCollector:
    """`url` takes OTLP over HTTP; `log` is the file with its messages."""

    url: str
    log: Path


@contextmanager
def running_collector(
    folder: Path, exporters: Mapping[str, Mapping[str, Any]], *, signal: str = "metrics"
) -> Iterator[RunningCollector]:
    """Start it with some exporters; it sends each request on as it comes. Stopped at the end."""
    binary, port = require_server("collector"), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "collector.json", folder / "collector.log"
    tree = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": exporters,
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {signal: {"receivers": ["otlp"], "exporters": list(exporters)}},
        },
    }
    # What is JSON is YAML, too.
    config.write_text(json.dumps(tree), encoding="utf-8")
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [str(binary), f"--config=file:{config}"], stdout=sink, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, port, log)
        yield RunningCollector(url=f"http://127.0.0.1:{port}", log=log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < give_up:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the collector is not ready:\n{log.read_text(errors='replace')[-2000:]}")
