"""An anomaly as far as an incident is concerned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from detector.correlate.evidence import Kind
from detector.correlate.naming import kind_of
from detector.stream.anomaly import Anomaly, AnomalyKind, AnomalyState, Severity, Side
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.words import told_in_words

__all__ = ["Symptom", "begun_at", "symptom_of"]

_LOAD = frozenset({Kind.RESOURCE, Kind.TRAFFIC})
_VERSIONS = ("version", "service_version", "pod_template_hash", "app_kubernetes_io_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One excursion of one service; times are unix milliseconds, `end` None while it lasts.

    `share` is how many of the subject's series left their range; `versions` are those that the
    series which did so name. `text` is all of it in a sentence. `again` is when it was last opened
    again, after it had ended. `slo` names the objective whose budget burns, where it is that.
    """

    id: str
    service: str
    namespace: str
    cluster: str
    metric: str
    kind: AnomalyKind
    side: Side
    severity: Severity
    start: int
    end: int | None
    share: float
    versions: frozenset[str]
    text: str = ""
    again: int | None = None
    slo: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it still lasts."""
        return self.end is None

    @property
    def is_load(self) -> bool:
        """Whether it is of how much the service is asked for, or of a resource that this takes."""
        return self.kind is AnomalyKind.METRIC and not self.slo and _is_load(self.metric)


def symptom_of(anomaly: Anomaly, series: Mapping[int, SeriesInfo]) -> Symptom:
    """What an incident needs to know of an anomaly, with the series that it contains."""
    is_open = anomaly.state is AnomalyState.OPEN
    peak = series.get(anomaly.peak.series)
    is_rate = peak is not None and peak.kind is SeriesKind.CUMULATIVE
    return Symptom(
        id=anomaly.id,
        service=anomaly.subject.service,
        namespace=anomaly.subject.namespace,
        cluster=anomaly.subject.cluster,
        metric=anomaly.subject.metric,
        kind=anomaly.kind,
        side=anomaly.side,
        severity=anomaly.severity,
        start=anomaly.start,
        end=None if is_open else max(anomaly.start, anomaly.end or anomaly.start),
        share=min(1.0, anomaly.members / max(1, anomaly.live)),
        versions=frozenset(
            value
            for one in anomaly.contributions
            if one.series in series
            for name, value in series[one.series].labels
            if name in _VERSIONS and value
        ),
        text=told_in_words(anomaly, is_rate=is_rate),
        again=anomaly.again,
    )


def begun_at(symptom: Symptom, start: int) -> Symptom:
    """As if it had begun only then."""
    end = None if symptom.end is None else max(start, symptom.end)
    return replace(symptom, start=start, end=end)


@lru_cache(maxsize=4096)
def _is_load(metric: str) -> bool:
    kind = kind_of(metric)
    return kind is not None and kind[0] in _LOAD
