"""Whose a series is: its service, namespace and cluster, by the conventions that packs know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from detector.discovery.census import plain_name
from detector.discovery.looking import naming_labels
from detector.discovery.workloads import hash_of, prefix_of
from detector.signals.packs import Pack
from detector.signals.packs.schema import CLUSTERS, NAMESPACES, PODS
from detector.stream.anomaly import Subject
from detector.stream.columns import SeriesInfo
from detector.stream.traced import TraceWhy

__all__ = ["Owners"]

_PARTS = ("_bucket", "_count", "_sum")
# What every pack says that does not say otherwise.
_PLAIN = Pack(name="", title="", published="")
_PODS = tuple(label for label in PODS if label not in {"instance", "host_name"})


class Owners:
    """Finds the subject of series by some packs; the first pack that knows a metric decides."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._of: dict[str, Pack] = {}
        self._leads = dict(_leads(packs))
        for pack in packs:
            for metric in _metrics(pack):
                self._of.setdefault(_family(metric), pack)

    def subject(self, series: SeriesInfo) -> Subject:
        """The subject; all series of a histogram are of one."""
        labels, metric = _labels(series), _family(series.name)
        pack = self._of.get(metric, _PLAIN)
        return Subject(
            service=_service(pack, metric, labels),
            namespace=_first(labels, pack.namespaces) or _first(labels, NAMESPACES),
            cluster=_first(labels, pack.clusters) or _first(labels, CLUSTERS),
            metric=metric,
        )

    def lead(self, metric: str) -> TraceWhy | None:
        """Which requests show best why a metric of requests moved; None for any other."""
        return self._leads.get(metric)


def _service(pack: Pack, metric: str, labels: Mapping[str, str]) -> str:
    """By the first label that names one, else by the name of the pod."""
    found = next((label for label in naming_labels(pack, metric) if labels.get(label)), None)
    if found is not None:
        return plain_name(pack, found, labels[found])
    pod = _first(labels, _PODS)
    return prefix_of(pod).removesuffix(f"-{hash_of(pod)}-") if hash_of(pod) else ""


def _labels(series: SeriesInfo) -> dict[str, str]:
    """Labels by name; one that keeps OpenTelemetry's dots is found under both spellings."""
    own = dict(series.labels)
    return {name.replace(".", "_"): value for name, value in own.items()} | own


def _first(labels: Mapping[str, str], names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _family(metric: str) -> str:
    """The metric without what a histogram's parts are called.

    >>> _family("http_request_duration_seconds_bucket")
    'http_request_duration_seconds'
    """
    return next((metric.removesuffix(end) for end in _PARTS if metric.endswith(end)), metric)


def _leads(packs: Sequence[Pack]) -> Iterator[tuple[str, TraceWhy]]:
    for pack in packs:
        for requests in pack.requests:
            counted = (requests.metric, *requests.errors.metrics)
            yield from ((_family(metric), TraceWhy.FAILED) for metric in counted)
    for pack in packs:
        yield from ((_family(one.metric), TraceWhy.SLOWEST) for one in pack.durations)


def _metrics(pack: Pack) -> Iterator[str]:
    for requests in pack.requests:
        yield requests.metric
        yield from requests.errors.metrics
    for durations in pack.durations:
        yield durations.metric
    yield from (resource.metric for resource in pack.resources)
    yield from (extra.metric for extra in pack.signals)
