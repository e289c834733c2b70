"""A real Prometheus with two hours of a service `checkout` whose canary is twenty minutes old."""

from __future__ import annotations

import contextlib
import math
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.servers import make_blocks, require_server, running_prometheus

STEP_S = 15
HISTORY_S = 2 * 3600
CANARY_S = 20 * 60
STABLE = [
    f"checkout-5c4b8d-{name}" for name in ("x2x7k", "b9fqz", "m4c8t", "zz6vd", "h7k2w", "q5n9p")
]
CANARY = [f"checkout-6d9f7c-{name}" for name in ("k8w2d", "t4j6s", "v9c4m")]
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0)
SHARES = (0.35, 0.7, 0.93, 0.985, 0.998)  # of requests at most that long


def wait_until_ok(url: str, *, within_s: float) -> None:
    """Return as soon as the address answers 200; raises TimeoutError after `within_s`."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(url, timeout=2) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer 200")


def openmetrics(now: float) -> str:
    """The history as text, each family in one piece and each series in order of time."""
    start = now - HISTORY_S
    pods = [(pod, start) for pod in STABLE] + [(pod, now - CANARY_S) for pod in CANARY]
    lines = ["# TYPE http_requests counter"]
    for pod, born in pods:
        for code, share in (("200", 0.996), ("500", 0.004)):
            lines += _counter("http_requests_total", pod, f'code="{code}"', share, born, now)
    lines.append("# TYPE http_request_duration_seconds histogram")
    for pod, born in pods:
        for bound, share in zip(BOUNDS, SHARES, strict=True):
            lines += _counter(_BUCKET, pod, f'le="{bound}"', share, born, now)
        lines += _counter(_BUCKET, pod, 'le="+Inf"', 1.0, born, now)
        lines += _counter("http_request_duration_seconds_count", pod, "", 1.0, born, now)
        lines += _counter("http_request_duration_seconds_sum", pod, "", 0.12, born, now)
    return "\n".join([*lines, "# EOF", ""])


_BUCKET = "http_request_duration_seconds_bucket"


def _counter(
    name: str, pod: str, extra: str, share: float, born: float, now: float
) -> Iterator[str]:
    own = f'service="checkout",namespace="shop",pod="{pod}",instance="{pod}:8080",job="checkout"'
    labels = f"{own},{extra}" if extra else own
    for index in range(int((now - born) // STEP_S)):
        # 20 requests/s and a slow swell; the pods' phases differ as scrapes do.
        requests = index * STEP_S * 20 + 60 * math.sin(index / 40 + len(pod))
        at = born + index * STEP_S + (hash_of(pod) % 1000) / 1000
        yield f"{name}{{{labels}}} {max(0, round(requests * share))} {at:.3f}"


def hash_of(text: str) -> int:
    return zlib.crc32(text.encode())


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Base address of the server; it stops at the end."""
    require_server("prometheus2")
    make_blocks(openmetrics(time.time()), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url
