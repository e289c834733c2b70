"""A company's Prometheus, as blocks: many services, two weeks, and rollouts in their midst.

Every pod is scraped each five minutes over the whole span, and each 15 s with histograms round the
rollouts, over the newest day of the busiest services and over the newest minutes of all. Counters
are drawn; nothing in them tells whoever reads them which rollout was bad.
"""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["Company", "Release", "build"]

Floats = NDArray[np.float64]
SPARSE_S, DENSE_S = 300.0, 15.0
BLOCK_S = 64_800
HISTORY_S, AFTER_S, LATELY_S, DAY_S = 8400.0, 3900.0, 2400.0, 26 * 3600.0
CANARY_S, PROMOTED_S = 1500.0, 2400.0
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LETTERS = list("bcdfghjklmnpqrstvwxz2456789")
WEIGHT, CANARIES = 0.25, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One rollout: its service and begin, and what is wrong with it (points of errors, factor)."""

    service: int
    at: float
    errors: float = 0.0
    slower: float = 1.0

    @property
    def is_bad(self) -> bool:
        """Whether people would roll it back."""
        return self.errors > 0 or self.slower > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """How much there is; `now` is the end of all samples, unix seconds."""

    now: float
    services: int = 200
    pods: int = 10
    days: float = 14.0
    rollouts: int = 20
    busiest: int = 10
    seed: int = 7

    @property
    def begin(self) -> float:
        """The first sample."""
        return self.now - self.days * 86_400

    def name(self, service: int) -> str:
        """What a service is called."""
        return f"svc-{service:03d}"

    def releases(self) -> tuple[Release, ...]:
        """Rollouts over the span: of ten seven are good, two fail requests, one is slow."""
        rng = np.random.default_rng(self.seed)
        first, last = self.begin + 4 * 3600, self.now - 5 * 3600
        times = np.sort(rng.uniform(first, last, self.rollouts))
        good, failing, slow = (0.0, 1.0), (0.03, 1.0), (0.0, 1.7)
        faults = [good, good, failing, good, good, slow, good, good, failing, good]
        return tuple(
            Release(
                service=int(3 + 7 * number) % self.services,
                at=float(at),
                errors=faults[number % 10][0],
                slower=faults[number % 10][1],
            )
            for number, at in enumerate(times)
        )


@dataclass(slots=True, kw_only=True)
class _Pod:
    """One pod: when it is there, and what of its service's traffic it takes when."""

    service: int
    name: str
    birth: float
    death: float
    shares: tuple[tuple[float, float], ...]
    errors: float
    slower: float
    times: Floats = field(default_factory=lambda: np.zeros(0))
    good: Floats = field(default_factory=lambda: np.zeros(0))
    failed: Floats = field(default_factory=lambda: np.zeros(0))
    dense: Floats = field(default_factory=lambda: np.zeros(0))
    buckets: Floats = field(default_factory=lambda: np.zeros((0, 0)))


def build(company: Company, folder: Path, promtool: Path) -> int:
    """Write the blocks; the number of samples."""
    pods = _drawn(company)
    count = 0
    first = int(company.begin // BLOCK_S)
    for block in range(first, int(company.now // BLOCK_S) + 1):
        text = folder / "part.om"
        count += _written(company, pods, text, block * BLOCK_S, (block + 1) * BLOCK_S)
        command = [promtool, "tsdb", "create-blocks-from", "openmetrics", "-q"]
        command += ["--max-block-duration=18h", text, folder / "data"]
        subprocess.run([str(word) for word in command], check=True, capture_output=True)
        text.unlink()
    return count


# -- pods


def _drawn(company: Company) -> list[_Pod]:
    rng = np.random.default_rng([company.seed, 1])
    rates = np.sort(rng.lognormal(3.2, 1.0, company.services))[::-1] / company.pods
    releases: dict[int, list[Release]] = {}
    for release in company.releases():
        releases.setdefault(release.service, []).append(release)
    pods = []
    for service in range(company.services):
        mine = sorted(releases.get(service, ()), key=lambda one: one.at)
        held = _pods(company, rng, service, mine)
        windows = _windows(company, service, mine)
        median = float(np.exp(rng.uniform(np.log(0.02), np.log(0.2))))
        base = float(np.exp(rng.uniform(np.log(1e-4), np.log(8e-3))))
        for pod in held:
            _serve(company, rng, pod, windows, float(rates[service]), base, median)
        pods += held
    return pods


def _pods(
    company: Company, rng: Generator, service: int, releases: Sequence[Release]
) -> list[_Pod]:
    """The pods of a service through its rollouts."""
    begin, end = company.begin - 86_400, company.now + 1
    stable = [_pod(rng, company, service, _hash(rng), begin, end) for _ in range(company.pods)]
    hash_ = stable[0].name.rsplit("-", 2)[1]
    for pod in stable:
        pod.name = _named(company, service, hash_, rng)
    out = list(stable)
    for release in releases:
        out += _rolled(company, rng, service, release, stable)
        if not release.is_bad:
            stable = [pod for pod in out if pod.death == end and pod.birth > release.at - 60]
    return out


def _rolled(
    company: Company, rng: Generator, service: int, release: Release, stable: Sequence[_Pod]
) -> list[_Pod]:
    """The canary's pods; of a good one also those that take the place of the stable ones."""
    end, at = company.now + 1, release.at
    over = at + (CANARY_S if release.is_bad else PROMOTED_S)
    weight = WEIGHT * company.pods
    for pod in stable:
        pod.shares = (*pod.shares, (at, 1 - WEIGHT), (over, 1.0))
        if not release.is_bad:
            pod.death = over
    hash_ = _hash(rng)
    canaries = [
        _pod(rng, company, service, hash_, at + 5 * n, over if release.is_bad else end)
        for n in range(CANARIES)
    ]
    for pod in canaries:
        pod.shares = ((pod.birth, weight / CANARIES), (over, 1.0))
        pod.errors, pod.slower = release.errors, release.slower * pod.slower
    more = 0 if release.is_bad else company.pods - CANARIES
    return canaries + [_pod(rng, company, service, hash_, over - 20, end) for _ in range(more)]


def _hash(rng: Generator) -> str:
    return "".join(rng.choice(LETTERS, 9))


def _named(company: Company, service: int, hash_: str, rng: Generator) -> str:
    return f"{company.name(service)}-{hash_}-{''.join(rng.choice(LETTERS, 5))}"


def _pod(
    rng: Generator, company: Company, service: int, hash_: str, birth: float, death: float
) -> _Pod:
    return _Pod(
        service=service,
        name=_named(company, service, hash_, rng),
        birth=birth,
        death=death,
        shares=((birth, 1.0),),
        errors=0.0,
        slower=float(np.exp(rng.normal(0, 0.02))),
    )


# -- samples


def _windows(
    company: Company, service: int, releases: Sequence[Release]
) -> list[tuple[float, float]]:
    """When a service is scraped each 15 s."""
    lately = DAY_S if service < company.busiest else LATELY_S
    spans = [(one.at - HISTORY_S, one.at + AFTER_S) for one in releases]
    return [*spans, (company.now - lately, company.now)]


def _serve(
    company: Company,
    rng: Generator,
    pod: _Pod,
    windows: Sequence[tuple[float, float]],
    rate: float,
    base: float,
    median: float,
) -> None:
    """Draw what a pod counts at its scrapes."""
    phase = zlib.crc32(pod.name.encode()) % 15_000 / 1000
    begin, end = max(pod.birth, company.begin), min(pod.death, company.now)
    every = np.arange(np.floor(begin / DENSE_S) * DENSE_S, end, DENSE_S) + phase
    every = every[(every > begin) & (every <= end)]
    is_dense = np.zeros(len(every), np.bool_)
    for low, high in windows:
        is_dense |= (every > low) & (every <= high)
    keep = is_dense | (np.floor((every - phase) % SPARSE_S) == SPARSE_S - DENSE_S)
    times, is_dense = every[keep], is_dense[keep]
    if not len(times):
        return
    seconds = np.diff(times, prepend=max(begin, times[0] - SPARSE_S))
    day = 1 + 0.3 * np.sin(2 * np.pi * (times % 86_400) / 86_400)
    shares = _at(pod.shares, times)
    requests = rng.poisson(np.maximum(rate * day * shares * seconds, 0))
    failed = rng.binomial(requests, min(base + pod.errors, 1.0))
    pod.times, pod.good, pod.failed = times, np.cumsum(requests - failed), np.cumsum(failed)
    pod.dense = times[is_dense]
    below = 1 / (1 + (np.array(EDGES) / (median * pod.slower)) ** -2.4)
    parts = np.diff(np.concatenate([[0.0], below, [1.0]]))
    counts = rng.multinomial(requests[is_dense], parts)
    pod.buckets = counts.cumsum(axis=1).cumsum(axis=0).astype(np.float64)


def _at(shares: Sequence[tuple[float, float]], times: Floats) -> Floats:
    begins = np.array([at for at, _ in shares])
    sizes = np.array([size for _, size in shares])
    found: Floats = sizes[np.clip(np.searchsorted(begins, times, side="right") - 1, 0, None)]
    return found


# -- text


def _written(company: Company, pods: Sequence[_Pod], path: Path, begin: float, end: float) -> int:
    """One block's samples as OpenMetrics text; how many."""
    count = 0
    alive = [pod for pod in pods if len(pod.times) and pod.times[-1] >= begin > pod.death - 1e9]
    with path.open("w", encoding="utf-8") as out:
        out.write("# TYPE http_requests counter\n")
        for pod in alive:
            for code, values in (("200", pod.good), ("500", pod.failed)):
                name = f'http_requests_total{{{_labels(company, pod)},code="{code}"}}'
                count += _lines(out.write, name, pod.times, values, begin, end)
        out.write("# TYPE http_request_duration_seconds histogram\n")
        for pod in alive:
            for number, edge in enumerate((*EDGES, np.inf)):
                le = "+Inf" if np.isinf(edge) else f"{edge:g}"
                labels = f'{_labels(company, pod)},le="{le}"'
                name = f"http_request_duration_seconds_bucket{{{labels}}}"
                values = pod.buckets[:, number] if len(pod.dense) else pod.dense
                count += _lines(out.write, name, pod.dense, values, begin, end)
        out.write("# TYPE process_start_time_seconds gauge\n")
        for pod in alive:
            name = f"process_start_time_seconds{{{_labels(company, pod)}}}"
            born = np.full(len(pod.dense), pod.birth)
            count += _lines(out.write, name, pod.dense, born, begin, end)
        out.write("# EOF\n")
    return count


def _labels(company: Company, pod: _Pod) -> str:
    service = company.name(pod.service)
    own = f'service="{service}",namespace="prod",pod="{pod.name}"'
    return f'{own},instance="{pod.name}:8080",job="{service}"'


def _lines(
    write: object, name: str, times: Floats, values: Floats, begin: float, end: float
) -> int:
    low, high = np.searchsorted(times, (begin, end))
    if high > low:
        write("".join(_line(name, times[low:high], values[low:high])))  # type: ignore[operator]
    return int(high - low)


def _line(name: str, times: Floats, values: Floats) -> Iterator[str]:
    for at, value in zip(times.tolist(), values.tolist(), strict=True):
        yield f"{name} {value:.0f} {at:.3f}\n"
