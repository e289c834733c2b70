"""Services as they are pushed: counters of pods by code and buckets, minute by minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from detector.selector import parse_selector
from detector.signals.packs import shipped_packs
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from detector.stream.counting import Counting
from detector.stream.subject import Owners
from detector.stream.tallies import WIDTH_MS, Tallies

__all__ = ["EDGES", "T0", "Pushed", "counting", "plan_of", "series_of_pod", "tallies_of"]

T0 = 1_790_000_000_000 - 1_790_000_000_000 % 86_400_000
EDGES = ("0.05", "0.1", "0.5", "+Inf")
_BELOW = np.array([0.4, 0.8, 0.98, 1.0])


def counting() -> Counting:
    """By the packs that are shipped."""
    return Counting(shipped_packs(), Owners(shipped_packs()))


def tallies_of(most: int = 100) -> Tallies:
    """That have seen nothing."""
    return Tallies(counting=counting(), most=most)


def series_of_pod(pod: str, *, service: str = "checkout") -> list[SeriesInfo]:
    """What a pod exposes: good requests, bad ones, and its buckets."""
    own = {"namespace": "shop", "pod": pod, "service": service}
    told = [
        {"__name__": "http_requests_total", **own, "code": "200"},
        {"__name__": "http_requests_total", **own, "code": "503"},
        *({"__name__": "http_request_duration_seconds_bucket", **own, "le": e} for e in EDGES),
    ]
    return [
        SeriesInfo(labels=tuple(sorted(labels.items())), kind=SeriesKind.CUMULATIVE)
        for labels in told
    ]


@dataclass
class Pushed:
    """Pods of one service; each minute 60 requests a pod, of which a share `errors` are bad."""

    tallies: Tallies = field(default_factory=tallies_of)
    service: str = "checkout"
    series: list[SeriesInfo] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    pods: dict[str, int] = field(default_factory=dict)
    minute: int = 0

    def born(self, *pods: str, already: float = 0.0) -> Pushed:
        """New pods, that have served some requests before anybody looked."""
        for pod in pods:
            new = series_of_pod(pod, service=self.service)
            self.pods[pod] = len(self.series)
            self.series += new
            self.values += [already * 0.9, already * 0.1, *(already * _BELOW).tolist()]
            self.tallies.introduce(new)
        return self

    def gone(self, pod: str) -> Pushed:
        """A pod that is scraped no more."""
        del self.pods[pod]
        return self

    def columns(self, errors: float = 0.0) -> Columns:
        """The next minute."""
        self.minute += 1
        ids: list[int] = []
        for first in self.pods.values():
            grown = [60.0 * (1 - errors), 60.0 * errors, *(60.0 * _BELOW).tolist()]
            for at, more in enumerate(grown, first):
                self.values[at] += more
                ids.append(at)
        return Columns(
            series=np.array(ids, np.int32),
            at=np.full(len(ids), T0 + 60_000 * self.minute, np.int64),
            value=np.array([self.values[id] for id in ids]),
        )

    def batches(self, minutes: int, errors: float = 0.0) -> Iterator[Columns]:
        """So many minutes."""
        for _ in range(minutes):
            yield self.columns(errors)

    def push(self, minutes: int, errors: float = 0.0) -> Pushed:
        """The same, taken."""
        for columns in self.batches(minutes, errors):
            self.tallies.take(columns)
        return self

    @property
    def now(self) -> float:
        """Unix seconds."""
        return T0 / 1000 + 60.0 * self.minute


def plan_of(service: str = "checkout", *, pods: str = "pod") -> Plan:
    """As discovery binds it."""
    requests = Family(metric="http_requests_total", shape=Shape.COUNTER)
    buckets = Family(metric="http_request_duration_seconds_bucket", shape=Shape.BUCKETS)
    return Plan(
        service=service,
        canary=parse_selector(f'service="{service}",pod=~"{pods}-new-.+"', field="canary"),
        control=(parse_selector(f'service="{service}",pod=~"{pods}-old-.+"', field="canary"),),
        requests=requests,
        signals=(
            _bound("error_rate", Kind.RATIO, requests, bad='code=~"5.."'),
            *(_bound(name, Kind.LATENCY, buckets) for name in ("latency", "tail95")),
            _bound("restarts", Kind.EVENTS, requests),
        ),
    )


def _bound(name: str, kind: Kind, total: Family, bad: str = "") -> BoundSignal:
    return BoundSignal(
        signal=Signal(name=name, kind=kind),
        pack="test",
        unit=Unit.POD,
        total=total,
        bad=parse_selector(bad, field="bad") if bad else (),
    )


assert T0 % WIDTH_MS == 0
