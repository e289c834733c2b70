"""Who was there: pods of both arms, when they were first and last seen, and when they served.

Fed with the raw samples of the request family; it decides when a new attempt begins and which
revision is which. It never enters the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.gate.attempt import Latch
from detector.gate.known import Key, Known, Labels, key_of
from detector.series import Answer, Columns, FloatArray
from detector.signals.plan import ArmName, Family, Plan, Reading

__all__ = ["Pod", "Presence", "revision_keys", "scrape_interval"]

Ints = NDArray[np.int64]
_PAUSE_S = 60.0
_GONE_S = 60.0
_GONE_INTERVALS = 3.0
_NEW_INTERVALS = 2.0
# Kubernetes names a pod of a ReplicaSet <workload>-<pod template hash>-<five letters>.
_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
_POD_NAME = re.compile(rf".+-(?P<hash>{_LETTERS}{{5,10}})-{_LETTERS}{{5}}")
_ROLLOUTS_NAME = re.compile(rf".+-(?P<hash>[0-9a-f]{{5,10}})-{_LETTERS}{{5}}")
_HASH_LABELS = ("rollouts_pod_template_hash", "pod_template_hash")
_VERSION_LABELS = ("image_digest", "version", "app_kubernetes_io_version", "service_version")


@dataclass(slots=True, kw_only=True)
class Pod:
    """One pod: first and last sample and last seen request, unix seconds."""

    first: float
    last: float
    served: float = -np.inf
    keys: frozenset[str] = frozenset()


class _Side:
    """The series of one arm: whose each is, and its last value."""

    def __init__(self, family: Family, pods: dict[str, Pod]) -> None:
        self.family, self.pods = family, pods
        self._pods: list[Pod] = []
        self._owners: list[int] = []
        self._owner: Ints = np.zeros(0, np.int64)
        self._last: FloatArray = np.zeros(0)
        self._known = Known()
        self._numbers: dict[Key, int] = {}
        self._places: dict[str, int] = {}

    def see(self, columns: Columns) -> None:
        """Pods are there from the first to the last sample of any of their series."""
        numbers, ends = self._numbers_of(columns.labels), columns.ends
        whose = self._owner[numbers]
        first, last = np.full(len(self._pods), np.inf), np.full(len(self._pods), -np.inf)
        np.minimum.at(first, whose, columns.times[ends - columns.sizes])
        np.maximum.at(last, whose, columns.times[ends - 1])
        for pod, begin, end in zip(self._pods, first.tolist(), last.tolist(), strict=True):
            pod.first, pod.last = min(pod.first, begin), max(pod.last, end)

    def serve(self, columns: Columns) -> FloatArray:
        """Times at which a counter stood otherwise than before; its pod served then."""
        columns = columns.kept(np.isfinite(columns.values))
        if not len(columns):
            return np.zeros(0)
        numbers, ends, values = self._numbers_of(columns.labels), columns.ends, columns.values
        before = np.concatenate([np.zeros(1), values[:-1]])
        before[ends - columns.sizes] = self._last[numbers]
        self._last[numbers] = values[ends - 1]
        moved = np.flatnonzero(values != before)
        times = columns.times[moved]
        served = np.full(len(self._pods), -np.inf)
        series = np.searchsorted(ends, moved, side="right")
        np.maximum.at(served, self._owner[numbers[series]], times)
        for pod, at in zip(self._pods, served.tolist(), strict=True):
            pod.served = max(pod.served, at)
        return times

    def _numbers_of(self, labels: list[Labels]) -> Ints:
        """The number of each series, with room for its last value, 0 at first."""
        numbers = self._known.numbers(labels, self._place)
        new = self._owners[len(self._owner) :]
        if new:
            self._owner = np.concatenate([self._owner, np.array(new, np.int64)])
            self._last = np.concatenate([self._last, np.zeros(len(new))])
        return numbers

    def _place(self, labels: Labels) -> int:
        key = key_of(labels)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._owners)
            self._owners.append(self._pod_at(labels))
        return number

    def _pod_at(self, labels: Labels) -> int:
        name = pod_of(self.family, labels)
        at = self._places.get(name)
        if at is None:
            at = self._places[name] = len(self._pods)
            pod = Pod(first=np.inf, last=-np.inf, keys=revision_keys(name, labels))
            self._pods.append(pod)
            self.pods[name] = pod
        return at


@dataclass(slots=True)
class Presence:
    """Pods of both arms by name."""

    plan: Plan
    interval: float
    time_scale: float = 1.0
    canary: dict[str, Pod] = field(default_factory=dict)
    control: dict[str, Pod] = field(default_factory=dict)
    resumed: float = -np.inf
    served: float = -np.inf
    _sides: dict[ArmName, _Side] = field(init=False)

    def __post_init__(self) -> None:
        family = self.plan.requests
        self._sides = {
            ArmName.CANARY: _Side(family, self.canary),
            ArmName.CONTROL: _Side(family, self.control),
        }

    def take(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> None:
        """New samples; those of other families are passed over."""
        served: list[FloatArray] = []
        for reading, answer in zip(readings, answers, strict=True):
            if reading.arm is None or reading.family != self.plan.requests:
                continue
            columns = Columns.of(answer.series).some()
            side = self._sides[reading.arm]
            side.see(columns)
            if reading.arm is ArmName.CANARY:
                served.append(side.serve(columns))
        if served:
            self._resume(np.sort(np.concatenate(served)))

    def _resume(self, served: FloatArray) -> None:
        """Take note of requests at these times, ascending, and of those that came after a pause."""
        if not served.size:
            return
        before = np.maximum(np.concatenate([[-np.inf], served[:-1]]), self.served)
        late = served[served - before >= _PAUSE_S * self.time_scale]
        if late.size:
            self.resumed = float(late[-1])
        self.served = max(self.served, float(served[-1]))

    def alive(self, at: float) -> tuple[str, ...]:
        """Canary pods that still reported at `at`, sorted."""
        gone = self._gone_s
        return tuple(sorted(n for n, p in self.canary.items() if p.first <= at < p.last + gone))

    def control_keys(self, start: float) -> frozenset[str]:
        """Revisions that served as control at the start or since."""
        there = (p.keys for p in self.control.values() if p.last + self._gone_s > start)
        return frozenset().union(*there)

    @property
    def _gone_s(self) -> float:
        return max(_GONE_S * self.time_scale, _GONE_INTERVALS * self.interval)

    def renewed(self, latch: Latch, now: float) -> float | None:
        """When a new canary began to be seen after the latch; None while it is still the old.

        Every pod alive at the latch is gone, the canary had no request for 60 s, and a pod that
        came after the latch serves.
        """
        old = [self.canary[n] for n in latch.pods if n in self.canary]
        if not latch.pods or any(now < p.last + self._gone_s for p in old):
            return None
        fresh = [p for p in self.canary.values() if p.first > latch.found_at]
        serving = [p for p in fresh if p.served > p.first or p.served >= self.resumed]
        if not serving or self.resumed <= latch.found_at:
            return None
        return min(p.first for p in serving)


def pod_of(family: Family, labels: Labels) -> str:
    """The name of the pod (or of what stands for it) that a series belongs to."""
    for label in (family.pod_label, *family.pod_fallback):
        if labels.get(label):
            return labels[label]
    return ""


def revision_keys(pod: str, labels: Labels) -> frozenset[str]:
    """By what a revision is known again: the pod template's hash, else digest or version."""
    for label in _HASH_LABELS:
        if labels.get(label):
            return frozenset({f"hash:{labels[label]}"})
    for pattern in (_POD_NAME, _ROLLOUTS_NAME):
        named = pattern.fullmatch(pod)
        if named is not None:
            return frozenset({f"hash:{named['hash']}"})
    return frozenset(f"{label}:{labels[label]}" for label in _VERSION_LABELS if labels.get(label))


def scrape_interval(answers: Sequence[Answer]) -> float | None:
    """Median distance of neighbouring samples in seconds, None with no two samples."""
    gaps = [np.diff(s.times) for a in answers for s in a.series if s.times.size > 1]
    return float(np.median(np.concatenate(gaps))) if gaps else None
