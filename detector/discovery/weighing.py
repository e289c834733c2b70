"""Which of several workloads held the traffic in the hour before the start."""

from __future__ import annotations

from collections.abc import Mapping

from detector.discovery.looking import HOUR_S, Look
from detector.discovery.matching import any_of, rules
from detector.discovery.traffic import Candidate
from detector.ports import MetricSource
from detector.series import Query, Series

__all__ = ["traffic_before"]

Revision = frozenset[str]


def traffic_before(
    look: Look,
    source: MetricSource | None,
    candidate: Candidate,
    groups: Mapping[Revision, set[str]],
) -> Mapping[Revision, float]:
    """Requests of each group of pods in the hour before the start; without a source, pods."""
    told = candidate.requests
    pods = {pod: key for key, members in groups.items() for pod in members}
    among = any_of(candidate.pod_label, pods)
    query = Query(told.metric, (candidate.service, *rules(told.where, told.without), among))
    begin = look.start - HOUR_S
    out = dict.fromkeys(groups, 0.0)
    if source is None:
        found = look.catalog.series([query], begin, look.start, timeout_s=look.timeout_s)
        for pod in {labels.get(candidate.pod_label, "") for labels in found} & set(pods):
            out[pods[pod]] += 1.0
        return out
    (answer,) = source.read([query], begin, look.start, timeout_s=look.timeout_s)
    for series in answer.series:
        key = pods.get(series.labels.get(candidate.pod_label, ""))
        if key is not None:
            out[key] += _grown(series)
    return out


def _grown(series: Series) -> float:
    """How far a counter rose; after a reset it counts from nothing."""
    total, before = 0.0, None
    for value in series.values.tolist():
        if before is not None and value == value:  # noqa: PLR0124 - NaN
            total += value - before if value >= before else value
        before = value if value == value else before  # noqa: PLR0124
    return total
