"""A real Prometheus with a shop whose canaries go on for some minutes after the test began."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers import make_blocks, running_prometheus

__all__ = ["BAD", "HEALTHY", "STABLE", "UNKNOWN", "shop"]

# Hashes of ReplicaSets: Argo's arguments, and part of the pods' names.
STABLE, HEALTHY, BAD, UNKNOWN = "5c4b8d", "6d9f7c", "7f8b9d", "8a9c4e"
NAMES = ("x2x7k", "b9fqz", "m4c8t", "zz6vd", "h7k2w", "q5n9p")
STEP_S = 15
PAST_S, CANARY_S, FUTURE_S = 2 * 3600, 30 * 60, 10 * 60
RATE = 20
BUCKETS = (
    ("0.05", 0.35),
    ("0.1", 0.7),
    ("0.25", 0.93),
    ("0.5", 0.985),
    ("1.0", 0.998),
    ("+Inf", 1),
)


@contextmanager
def shop(folder: Path) -> Iterator[str]:
    """URL of a Prometheus with `checkout`: stable pods, a healthy canary, one that fails 5 %.

    Its samples reach ten minutes into the future, so that queries at the clock's time see a
    service that is alive, without anything that scrapes.
    """
    make_blocks(openmetrics(time.time()), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


def openmetrics(now: float) -> str:
    """Two hours and ten minutes, each family in one piece, each series in order of time."""
    arms = [(STABLE, 6, now - PAST_S, 0.004)]
    arms += [(HEALTHY, 3, now - CANARY_S, 0.004), (BAD, 3, now - CANARY_S, 0.05)]
    pods = [
        (f"checkout-{hash_}-{name}", born, errors)
        for hash_, count, born, errors in arms
        for name in NAMES[:count]
    ]
    end = now + FUTURE_S
    lines = ["# TYPE http_requests counter"]
    for pod, born, errors in pods:
        shares = (('code="200"', 1 - errors), ('code="500"', errors))
        lines += counters("http_requests_total", pod, shares, born, end)
    lines.append("# TYPE http_request_duration_seconds histogram")
    for pod, born, _ in pods:
        buckets = [(f'le="{bound}"', share) for bound, share in BUCKETS]
        lines += counters("http_request_duration_seconds_bucket", pod, buckets, born, end)
        lines += counters("http_request_duration_seconds_count", pod, (("", 1.0),), born, end)
        lines += counters("http_request_duration_seconds_sum", pod, (("", 0.12),), born, end)
    return "\n".join([*lines, "# EOF", ""])


def counters(
    name: str, pod: str, shares: Sequence[tuple[str, float]], born: float, end: float
) -> Iterator[str]:
    """Lines of one pod's series of a metric; each counts its share of the requests."""
    own = f'service="checkout",namespace="shop",pod="{pod}",instance="{pod}:8080",job="checkout"'
    offset = zlib.crc32(pod.encode()) % 15_000 / 1000
    for label, share in shares:
        labels = f"{own},{label}" if label else own
        for index in range(int((end - born) // STEP_S)):
            at = born + index * STEP_S + offset
            yield f"{name}{{{labels}}} {round(index * STEP_S * RATE * share)} {at:.3f}"
