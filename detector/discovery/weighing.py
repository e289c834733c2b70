"""Which of several workloads held the traffic in the hour before the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detector.discovery.looking import Look
from detector.discovery.matching import Labels, any_of, rules
from detector.discovery.traffic import Candidate
from detector.ports import MetricSource
from detector.series import Query

__all__ = ["traffic_before"]

Revision = frozenset[str]


def traffic_before(
    look: Look,
    source: MetricSource | None,
    candidate: Candidate,
    groups: Mapping[Revision, set[str]],
) -> Mapping[Revision, float]:
    """Requests of each group of pods in the hour before the start; without a source, its pods.

    Only the two ends of the hour are read. Pods that were gone at its end count for nothing.
    """
    told = candidate.requests
    pods = {pod: key for key, members in groups.items() for pod in members}
    among = any_of(candidate.pod_label, pods)
    query = Query(told.metric, (*candidate.service, *rules(told.where, told.without), among))
    out = dict.fromkeys(groups, 0.0)
    if source is None:
        there = look.before([query]).get(told.metric, ())
        for pod in {labels.get(candidate.pod_label, "") for labels in there} & set(pods):
            out[pods[pod]] += 1.0
        return out
    first = _last_values(look, source, query, look.begin + look.lately_s)
    for key, (labels, value) in _last_values(look, source, query, look.start).items():
        before = first.get(key, (labels, 0.0))[1]
        group = pods.get(labels.get(candidate.pod_label, ""))
        if group is not None:
            out[group] += value - before if value >= before else value
    return out


def _last_values(
    look: Look, source: MetricSource, query: Query, end: float
) -> Mapping[Sequence[tuple[str, str]], tuple[Labels, float]]:
    """The last value of each series shortly before a time."""
    (answer,) = source.read([query], end - look.lately_s, end, timeout_s=look.timeout_s)
    return {
        tuple(sorted(series.labels.items())): (series.labels, float(series.values[-1]))
        for series in answer.series
        if series.values.size and series.values[-1] == series.values[-1]
    }
