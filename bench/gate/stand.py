"""What the polling bench runs beside itself: a fleet, a Prometheus, a serinus, and their meter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2
import numpy as np
import psutil

from bench.gate.fleet import Fleet, scraping
from tests.servers import free_port, running_postgres, running_prometheus

__all__ = ["Meter", "Stand", "standing"]

ROOT = Path(__file__).resolve().parents[2]
SERVE = "from api.cli import main; main()"
EXPOSE = (
    "import json, sys; from bench.gate.fleet import Fleet, serve;"
    " serve(Fleet(**json.loads(sys.argv[1])), int(sys.argv[2]))"
)
READY_WITHIN_S = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Addresses of both servers, and their processes."""

    fleet: Fleet
    url: str
    prometheus: str
    ours: int
    source: int


@contextmanager
def standing(rollouts: int, scrape_s: float, *, postgres: bool = False) -> Iterator[Stand]:
    """All of it, with canaries that have been scraped twice."""
    canary_s = 3 * scrape_s
    fleet = Fleet(rollouts=rollouts, born=time.time(), canary_s=canary_s)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        stack.enter_context(_exposing(fleet, port))
        config = scraping(fleet, port, scrape_s)
        source = stack.enter_context(
            running_prometheus("prometheus3", folder / "prometheus", config=config)
        )
        store = None
        if postgres:
            store = stack.enter_context(running_postgres()).database("polling")
        url, ours = stack.enter_context(_serving(source.url, folder, store))
        time.sleep(max(0.0, fleet.born + canary_s + 2 * scrape_s - time.time()))
        yield Stand(fleet=fleet, url=url, prometheus=source.url, ours=ours, source=source.pid)


@contextmanager
def _exposing(fleet: Fleet, port: int) -> Iterator[None]:
    told = json.dumps(asdict(fleet))
    process = subprocess.Popen([sys.executable, "-c", EXPOSE, told, str(port)], cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def _serving(prometheus: str, folder: Path, store: str | None) -> Iterator[tuple[str, int]]:
    """`serinus serve` as it is installed, with its defaults."""
    port, log = free_port(), folder / "serve.log"
    words = ["serve", "--prometheus", prometheus, "--data", str(folder), "--port", str(port)]
    own = {"SERINUS_LOG__LEVEL": "warning"} | ({"SERINUS_STORE": store} if store else {})
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SERINUS_")} | own
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, *words], cwd=ROOT, env=environment, stderr=sink
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _await(f"{url}/readyz", process, log)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(40)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < give_up:
        try:
            if httpx2.get(url, timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{url} was not ready in time: {log.read_text(encoding='utf-8')[-2000:]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What two processes had used by a moment."""

    at: float
    cpu: float
    rss_mb: float
    source_cpu: float


class Meter:
    """CPU and memory of serinus, and the CPU of its source."""

    def __init__(self, ours: int, source: int) -> None:
        self._ours, self._source = psutil.Process(ours), psutil.Process(source)
        self._seen: list[Spent] = []

    def look(self) -> None:
        """Note what they have used by now."""
        ours, source = self._ours.cpu_times(), self._source.cpu_times()
        self._seen.append(
            Spent(
                at=time.monotonic(),
                cpu=ours.user + ours.system,
                rss_mb=self._ours.memory_info().rss / 2**20,
                source_cpu=source.user + source.system,
            )
        )

    @property
    def seconds(self) -> float:
        """From the first look to the last."""
        return self._seen[-1].at - self._seen[0].at

    @property
    def cpu(self) -> float:
        """Seconds of CPU that serinus took in that time."""
        return self._seen[-1].cpu - self._seen[0].cpu

    @property
    def source_cpu(self) -> float:
        """Those of the source, scraping included."""
        return self._seen[-1].source_cpu - self._seen[0].source_cpu

    @property
    def rss_mb(self) -> float:
        """Memory at the last look."""
        return self._seen[-1].rss_mb

    @property
    def rss_growth_mb(self) -> float:
        """From the median of the first fifth of the looks to that of the last."""
        sizes = [one.rss_mb for one in self._seen]
        part = max(len(sizes) // 5, 1)
        return float(np.median(sizes[-part:]) - np.median(sizes[:part]))
