"""One pod of the demo shop: a process that serves the shop's pages, its metrics and its log.

It is told on standard input how to behave (`Behaviour` as JSON lines), says its port on standard
output once it listens, and ends when standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

import msgspec
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from api.demo.faults import Behaviour
from api.demo.tether import die_with_parent
from api.demo.web import METRICS_TYPE, Exchange, Reply, listen, serving

__all__ = ["OUT_OF_MEMORY", "PAGES", "Orders", "PodConfig", "main"]

# What the kernel's OOM killer leaves behind: 128 + SIGKILL.
OUT_OF_MEMORY = 137
PAGES = {"/checkout": 1.0, "/cart": 0.7, "/orders": 1.25}
MEDIAN_S, SIGMA = 0.04, 0.6
# A cold pod: connections to open, caches to fill. In seconds of the demo, 1/15 of real life's.
COLD_LOG, COLD_S = 0.8, 3.0


class PodConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a pod is started with; `log` is a file, `memory_limit` counts leaked bytes."""

    name: str
    version: str
    parent: int
    log: str
    port: int = 0
    memory_limit: int = 24_000_000


class Orders:
    """The shop's work: draws how long a request takes and whether it succeeds, and counts it."""

    def __init__(self, config: PodConfig, *, seed: int | None = None) -> None:
        self.config = config
        self.behaviour = Behaviour()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "http_requests_total", "Requests.", ("method", "path", "code"), registry=self.registry
        )
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "Seconds from request to answer.",
            ("method", "path"),
            registry=self.registry,
        )
        self.log = logging.getLogger("shop")
        self._draw = random.Random(seed)
        self._born = time.monotonic()
        self._lost: list[bytearray] = []
        self._lost_bytes = 0

    async def respond(self, exchange: Exchange) -> Reply:
        """Answer a request; pages are counted, metrics and health are not."""
        if exchange.path == "/metrics":
            return Reply(200, generate_latest(self.registry), METRICS_TYPE)
        if exchange.path == "/healthz":
            return Reply()
        if exchange.path not in PAGES:
            return Reply(404, b"no such page\n")
        return await self._serve(exchange)

    async def _serve(self, exchange: Exchange) -> Reply:
        begun = time.perf_counter()
        await asyncio.sleep(self.duration(exchange.path))
        status = 500 if self._draw.random() < self.behaviour.errors else 200
        self._leak()
        took = time.perf_counter() - begun
        self.requests.labels(exchange.method, exchange.path, str(status)).inc()
        self.seconds.labels(exchange.method, exchange.path).observe(took)
        self._write(exchange, status, took)
        return Reply(status, b"sorry\n" if status == 500 else b"thank you\n")

    def duration(self, path: str) -> float:
        """Seconds that a request to `path` takes now."""
        age = time.monotonic() - self._born
        cold = math.exp(COLD_LOG * math.exp(-age / COLD_S))
        drawn = self._draw.lognormvariate(math.log(MEDIAN_S), SIGMA)
        return drawn * PAGES[path] * self.behaviour.latency * cold

    def _leak(self) -> None:
        if not self.behaviour.leak_bytes:
            return
        self._lost.append(bytearray(os.urandom(64) * (self.behaviour.leak_bytes // 64)))
        self._lost_bytes += self.behaviour.leak_bytes
        if self._lost_bytes > self.config.memory_limit:
            self.log.critical("out of memory after %d leaked bytes", self._lost_bytes)
            logging.shutdown()
            os._exit(OUT_OF_MEMORY)

    def _write(self, exchange: Exchange, status: int, took: float) -> None:
        line = "%s %s %d %.1f ms"
        if status == 500:
            line = "%s %s %d %.1f ms: payment refused: connection to payments:8443 reset"
        level = logging.ERROR if status == 500 else logging.INFO
        self.log.log(level, line, exchange.method, exchange.path, status, 1000 * took)


async def _obey(orders: Orders) -> None:
    """Take behaviours from standard input until it ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        orders.behaviour = msgspec.json.decode(line, type=Behaviour)
        orders.log.info("now %s", orders.behaviour)


async def _serve(config: PodConfig, listener: socket.socket) -> None:
    orders = Orders(config)
    async with serving(orders.respond, listener) as port:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        orders.log.info("%s %s listens on port %d", config.name, config.version, port)
        print(msgspec.json.encode({"port": port}).decode(), flush=True)  # noqa: T201
        try:
            await _obey(orders)
        finally:
            orders.log.info("%s stops", config.name)


def main() -> None:
    """Be a pod, as the JSON of the first argument says."""
    config = msgspec.json.decode(sys.argv[1], type=PodConfig)
    die_with_parent(config.parent, by=signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _log_to(Path(config.log))
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_serve(config, listen(config.port)))


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=path, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )


if __name__ == "__main__":
    main()
