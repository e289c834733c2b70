"""Who was there: pods of both arms, when they were first and last seen, and when they served.

Fed with the raw samples of the request family; it decides when a new attempt begins and which
revision is which. It never enters the evidence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.gate.attempt import Latch
from detector.series import Answer, Series
from detector.signals.plan import ArmName, Family, Plan, Reading

__all__ = ["Pod", "Presence", "revision_keys", "scrape_interval"]

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
    _last: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)

    def take(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> None:
        """New samples; those of other families are passed over."""
        served: list[float] = []
        for reading, answer in zip(readings, answers, strict=True):
            if reading.arm is None or reading.family != self.plan.requests:
                continue
            for series in answer.series:
                if series.times.size:
                    served += self._see(reading.arm, reading.family, series)
        for at in sorted(served):
            if at - self.served >= _PAUSE_S * self.time_scale:
                self.resumed = at
            self.served = max(self.served, at)

    def _see(self, arm: ArmName, family: Family, series: Series) -> list[float]:
        name = pod_of(family, series.labels)
        pods = self.canary if arm is ArmName.CANARY else self.control
        first, last = float(series.times[0]), float(series.times[-1])
        pod = pods.get(name)
        if pod is None:
            pod = pods[name] = Pod(first=first, last=last, keys=revision_keys(name, series.labels))
        pod.first, pod.last = min(pod.first, first), max(pod.last, last)
        if arm is ArmName.CONTROL:
            return []
        at = self._increases(name, series)
        pod.served = max([pod.served, *at])
        return at

    def _increases(self, pod: str, series: Series) -> list[float]:
        """Times at which the counter stood higher than before."""
        key = (pod, frozenset(series.labels.items()))
        before = self._last.get(key, 0.0)
        if series.values.size == 1:
            value = series.values.item()
            self._last[key] = value = value if math.isfinite(value) else 0.0
            return [series.times.item()] if value != before else []
        values = np.nan_to_num(series.values)
        self._last[key] = float(values[-1])
        risen = np.diff(values, prepend=before) != 0
        return [float(t) for t in series.times[risen]]

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


def pod_of(family: Family, labels: Mapping[str, str]) -> str:
    """The name of the pod (or of what stands for it) that a series belongs to."""
    for label in (family.pod_label, *family.pod_fallback):
        if labels.get(label):
            return labels[label]
    return ""


def revision_keys(pod: str, labels: Mapping[str, str]) -> frozenset[str]:
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
