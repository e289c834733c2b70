"""One pod of the demo shop: a process with the shop's pages, its metrics, its log and its spans.

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

from api.demo.calls import CALLS, DATABASE, PAGES
from api.demo.faults import Behaviour
from api.demo.lines import IDLE_EVERY_S, Diary, log_to
from api.demo.receipts import send_receipt
from api.demo.tether import die_with_parent
from api.demo.traces import Passage, Traces
from api.demo.web import METRICS_TYPE, Exchange, Reply, listen, serving

__all__ = ["COLD_S", "OUT_OF_MEMORY", "Orders", "PodConfig", "main"]

# What the kernel's OOM killer leaves behind: 128 + SIGKILL.
OUT_OF_MEMORY = 137
MEDIAN_S, SIGMA = 0.04, 0.6
# A cold pod: connections to open, caches to fill. In seconds of the demo, 1/15 of real life's.
COLD_LOG, COLD_S = 0.8, 3.0


class PodConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a pod is started with; `log` is a file, `memory_limit` counts leaked bytes.

    `traces`: the port that spans are sent to, 0 for none.
    """

    name: str
    version: str
    parent: int
    log: str
    namespace: str = "shop"
    port: int = 0
    traces: int = 0
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
        self.diary = Diary(self.log, self._draw)
        self.traces = Traces(
            config.traces,
            pod=config.name,
            version=config.version,
            namespace=config.namespace,
            draw=self._draw,
        )
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
        begun, start = time.perf_counter(), time.time_ns()
        status = 500 if self._draw.random() < self.behaviour.errors else 200
        way = await self._go(exchange.path, is_failing=status == 500)
        self._leak()
        took = time.perf_counter() - begun
        self.requests.labels(exchange.method, exchange.path, str(status)).inc()
        self.seconds.labels(exchange.method, exchange.path).observe(took)
        self.diary.answered(exchange.method, exchange.path, status, took)
        self._receipt()
        if self.config.traces:
            end = start + round(1e9 * took)
            self.traces.add(exchange.method, exchange.path, (start, end), status, way)
        return Reply(status, b"sorry\n" if status == 500 else b"thank you\n")

    def duration(self, path: str) -> float:
        """Seconds that a request to `path` takes now."""
        age = time.monotonic() - self._born
        cold = math.exp(COLD_LOG * math.exp(-age / COLD_S))
        drawn = self._draw.lognormvariate(math.log(MEDIAN_S), SIGMA)
        behaviour = self.behaviour
        return drawn * PAGES[path] * behaviour.latency * cold * (1 + behaviour.query)

    async def _go(self, path: str, *, is_failing: bool) -> list[Passage]:
        """Wait for whom the page asks, one after the other; what fails is the last of them."""
        usual = self.duration(path) / (1 + self.behaviour.query)
        way, asked = [], CALLS[path]
        for call in asked:
            more = self.behaviour.query if call is DATABASE else 0.0
            start = time.time_ns()
            await asyncio.sleep(usual * (call.share + more))
            failed = is_failing and call is asked[-1]
            way.append(Passage(call, start, time.time_ns(), failed))
        await asyncio.sleep(usual * (1 - sum(call.share for call in asked)))
        return way

    def _receipt(self) -> None:
        """Each customer gets one, unless the shop has lost the address."""
        is_lost = self._draw.random() < self.behaviour.lost_receipts
        customer = {} if is_lost else {"email": "somebody@example.org"}
        send_receipt(self.log, self.diary.order(), customer)

    def _leak(self) -> None:
        if not self.behaviour.leak_bytes:
            return
        self._lost.append(bytearray(os.urandom(64) * (self.behaviour.leak_bytes // 64)))
        self._lost_bytes += self.behaviour.leak_bytes
        if self._lost_bytes > self.config.memory_limit:
            self.log.critical("out of memory after %d leaked bytes", self._lost_bytes)
            logging.shutdown()
            os._exit(OUT_OF_MEMORY)


async def _obey(orders: Orders) -> None:
    """Take behaviours from standard input until it ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        orders.behaviour = msgspec.json.decode(line, type=Behaviour)
        orders.log.info("now %s", orders.behaviour)


async def _idle(orders: Orders) -> None:
    """Write what is written now and then, until cancelled."""
    while True:
        await asyncio.sleep(IDLE_EVERY_S)
        orders.diary.idles()


async def _serve(config: PodConfig, listener: socket.socket) -> None:
    orders = Orders(config)
    async with serving(orders.respond, listener) as port:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        orders.diary.begins(config.name, config.version, port)
        beside = [asyncio.create_task(orders.traces.send()), asyncio.create_task(_idle(orders))]
        print(msgspec.json.encode({"port": port}).decode(), flush=True)  # noqa: T201
        try:
            await _obey(orders)
        finally:
            for task_beside in beside:
                task_beside.cancel()
            orders.log.info("%s stops", config.name)


def main() -> None:
    """Be a pod, as the JSON of the first argument says."""
    config = msgspec.json.decode(sys.argv[1], type=PodConfig)
    die_with_parent(config.parent, by=signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to(Path(config.log))
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_serve(config, listen(config.port)))


if __name__ == "__main__":
    main()
