"""A real Prometheus with a shop whose pods go on serving for some minutes after the test began."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import make_blocks, running_prometheus

__all__ = ["BAD", "HEALTHY", "STABLE", "UNKNOWN", "shop"]

# Hashes of ReplicaSets: Argo's arguments, and part of the pods' names.
STABLE, HEALTHY, BAD, UNKNOWN = "5c4b8d", "6d9f7c", "7f8b9d", "8a9c4e"
NAMES = ("x2x7k", "b9fqz", "m4c8t", "zz6vd", "h7k2w", "q5n9p")
STEP_S = 15
PAST_S, CANARY_S, SWITCH_S, FUTURE_S = 2 * 3600, 30 * 60, 15 * 60, 10 * 60
RATE = 20
BUCKETS = (
    ("0.05", 0.35),
    ("0.1", 0.7),
    ("0.25", 0.93),
    ("0.5", 0.985),
    ("1.0", 0.998),
    ("+Inf", 1),
)


@dataclass(frozen=True, slots=True)
class Arm:
    """Pods of one ReplicaSet; they exist from `born` on and serve from `since` until `until`."""

    service: str
    hash: str
    pods: int
    errors: float
    born: float
    since: float
    until: float = math.inf

    def served(self, at: float) -> float:
        """Requests of each pod up to a time."""
        return RATE * max(0.0, min(at, self.until) - self.since)

    def names(self) -> list[str]:
        return [f"{self.service}-{self.hash}-{name}" for name in NAMES[: self.pods]]


@contextmanager
def shop(folder: Path, *, quiet: bool = False) -> Iterator[str]:
    """URL of a Prometheus that knows two services.

    `checkout`: stable pods, a healthy canary and one that fails 5 %, side by side.
    `basket`: blue/green, a healthy version that took over all traffic a quarter of an hour ago.
    `quiet`: without the canary that fails, so that no service has moved.
    The samples reach ten minutes into the future, so that queries at the clock's time see
    services that are alive, without anything that scrapes.
    """
    make_blocks(openmetrics(time.time(), quiet=quiet), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


def arms(now: float) -> list[Arm]:
    begin, canary, switch = now - PAST_S, now - CANARY_S, now - SWITCH_S
    return [
        Arm("checkout", STABLE, 6, 0.004, begin, begin),
        Arm("checkout", HEALTHY, 3, 0.004, canary, canary),
        Arm("checkout", BAD, 3, 0.05, canary, canary),
        Arm("basket", STABLE, 6, 0.004, begin, begin, switch),
        Arm("basket", HEALTHY, 6, 0.004, switch - 180, switch),
    ]


def openmetrics(now: float, *, quiet: bool) -> str:
    """Two hours and ten minutes, each family in one piece, each series in order of time."""
    end, every = now + FUTURE_S, [arm for arm in arms(now) if not (quiet and arm.hash == BAD)]
    lines = ["# TYPE http_requests counter"]
    for arm in every:
        shares = [('code="200"', 1 - arm.errors), ('code="500"', arm.errors)]
        lines += counters("http_requests_total", arm, shares, end)
    lines.append("# TYPE http_request_duration_seconds histogram")
    for arm in every:
        buckets = [(f'le="{bound}"', share) for bound, share in BUCKETS]
        lines += counters("http_request_duration_seconds_bucket", arm, buckets, end)
        lines += counters("http_request_duration_seconds_count", arm, [("", 1.0)], end)
        lines += counters("http_request_duration_seconds_sum", arm, [("", 0.12)], end)
    return "\n".join([*lines, "# EOF", ""])


def counters(
    metric: str, arm: Arm, shares: Sequence[tuple[str, float]], end: float
) -> Iterator[str]:
    """Lines of a metric of all pods of an arm; each series counts its share of the requests."""
    for pod in arm.names():
        own = (
            f'service="{arm.service}",namespace="shop",pod="{pod}",instance="{pod}:8080",job="shop"'
        )
        offset = zlib.crc32(pod.encode()) % 15_000 / 1000
        for label, share in shares:
            series = f"{metric}{{{own},{label}}}" if label else f"{metric}{{{own}}}"
            for index in range(int((end - arm.born) // STEP_S)):
                at = arm.born + index * STEP_S + offset
                yield f"{series} {round(arm.served(at) * share)} {at:.3f}"
