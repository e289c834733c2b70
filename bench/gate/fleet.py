"""A fleet of rollouts as one process that a Prometheus scrapes: many services, every pod alive.

Each service has as many rollouts as wanted, each of some stable pods and canary pods that come
`canary_s` later. A page tells a few rollouts; its counters grow by what time has passed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from detector.series import FloatArray

__all__ = ["Fleet", "scraping", "serve"]

_PER_PAGE = 10
_PER_POD = 12.0
_ERRORS = 0.004
_EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
_BELOW = np.append(1 - np.exp(-((_EDGES / 0.08) ** 0.9)), 1.0)
_ROUTES = ("/api/cart", "/api/search")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How many rollouts, of how many pods each.

    `born`: when the stable pods came, unix seconds; `canary_s`: how much later the canaries do.
    """

    rollouts: int
    per_service: int = 2
    canary: int = 2
    stable: int = 4
    born: float = 0.0
    canary_s: float = 45.0

    @property
    def pages(self) -> int:
        """How many targets tell it all."""
        return -(-self.rollouts // _PER_PAGE)

    def page(self, number: int) -> range:
        """The rollouts of a page."""
        begin = number * _PER_PAGE
        return range(begin, min(begin + _PER_PAGE, self.rollouts))

    def service(self, rollout: int) -> str:
        """The service of a rollout."""
        return f"svc-{rollout // self.per_service:04d}"

    def name(self, rollout: int) -> str:
        """The name of its workload."""
        return f"{self.service(rollout)}-{'abcdefgh'[rollout % self.per_service]}"

    def question(self, rollout: int) -> dict[str, object]:
        """What its controller posts."""
        name = self.name(rollout)
        return {
            "service": self.service(rollout),
            "namespace": "prod",
            "rollout": name,
            "canary": f'{{pod=~"{name}-6d9f7c-.+"}}',
            "control": f'{{pod=~"{name}-5c4b8d-.+"}}',
            "revision": "v2",
            "weight": 20,
        }


class Page:
    """The text of some rollouts' pods, and the sums in it."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        self.rng = np.random.default_rng(number)
        self.told_at = fleet.born
        stable, canary = ([*_pods(fleet, number, c)] for c in (False, True))
        self.born = np.array(
            [fleet.born] * len(stable) + [fleet.born + fleet.canary_s] * len(canary)
        )
        self.sums = np.zeros((len(self.born), _WIDTH))
        self.heads = [_template(stable), _template([*stable, *canary])]
        self.stable = len(stable)

    def text(self, now: float) -> str:
        """All samples as they are now."""
        there = len(self.born) if now >= self.born[-1] else self.stable
        self._grow(now, there)
        rows = np.hstack([self.sums[:there], self._levels(there)])
        return self.heads[there > self.stable] % tuple(rows.ravel().tolist())

    def _grow(self, now: float, there: int) -> None:
        lasted = np.minimum(now - self.told_at, now - self.born[:there])
        self.told_at = now
        requests = self.rng.poisson(_PER_POD * lasted)
        failed = self.rng.binomial(requests, _ERRORS)
        first = self.rng.binomial(requests - failed, 0.7)
        lost = self.rng.binomial(failed, 0.5)
        shares = np.diff(_BELOW, prepend=0.0)
        below = self.rng.multinomial(requests, shares).cumsum(axis=1)
        busy = 0.02 * lasted + requests * 0.004 * self.rng.normal(1, 0.03, there)
        parts = [first, requests - failed - first, lost, failed - lost]
        counted = [*parts, *below.T, below @ np.ones(len(_BELOW)) * 0.01, requests, busy]
        self.sums[:there] += np.stack(counted, axis=1)

    def _levels(self, there: int) -> FloatArray:
        memory = 2e8 * np.exp(self.rng.normal(0, 0.01, there))
        return np.stack([memory, np.zeros(there), self.born[:there]], axis=1)


def _pods(fleet: Fleet, page: int, is_canary: bool) -> Iterator[str]:
    """Labels of the pods of a page."""
    count, hashed = (fleet.canary, "6d9f7c") if is_canary else (fleet.stable, "5c4b8d")
    for rollout in fleet.page(page):
        for number in range(count):
            pod = f"{fleet.name(rollout)}-{hashed}-{number:05d}"
            yield f'namespace="prod",pod="{pod}",service="{fleet.service(rollout)}"'


def _lines(labels: str) -> Iterator[str]:
    """The series of a pod."""
    told = f'{labels},job="shop",instance="{labels.split(chr(34))[3]}:8080"'
    for code in ("200", "500"):
        for path in _ROUTES:
            yield f'http_requests_total{{{told},code="{code}",path="{path}"}} %d'
    for edge in [*(f"{edge:g}" for edge in _EDGES), "+Inf"]:
        yield f'http_request_duration_seconds_bucket{{{told},le="{edge}"}} %d'
    yield f"http_request_duration_seconds_sum{{{told}}} %.3f"
    yield f"http_request_duration_seconds_count{{{told}}} %d"
    own = labels.rsplit(",", 1)[0] + ',container="app"'
    yield f"container_cpu_usage_seconds_total{{{own}}} %.4f"
    yield f"container_memory_rss{{{own}}} %d"
    yield f"kube_pod_container_status_restarts_total{{{own}}} %d"
    yield f"process_start_time_seconds{{{told}}} %.2f"


# Sums of a pod; its gauges follow.
_WIDTH = len([*_lines('namespace="n",pod="p",service="s"')]) - 3


def _template(pods: list[str]) -> str:
    return "\n".join(line for pod in pods for line in _lines(pod)) + "\n"


def scraping(fleet: Fleet, port: int, interval_s: float) -> str:
    """The configuration of a Prometheus that scrapes each page as a target."""
    lines = [
        "global:",
        f"  scrape_interval: {interval_s:g}s",
        f"  scrape_timeout: {interval_s:g}s",
        "scrape_configs:",
        "  - job_name: fleet",
        "    honor_labels: true",
        "    static_configs:",
    ]
    for number in range(fleet.pages):
        path = f"{{__metrics_path__: /{number}, page: '{number}'}}"
        lines += [f"      - targets: ['127.0.0.1:{port}']", f"        labels: {path}"]
    return "\n".join(lines) + "\n"


def serve(fleet: Fleet, port: int) -> None:
    """Tell all pages until the process ends."""
    pages = [Page(fleet, number) for number in range(fleet.pages)]

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = pages[int(self.path[1:] or 0)].text(time.time()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to the terminal."""

    ThreadingHTTPServer(("127.0.0.1", port), Door).serve_forever()
