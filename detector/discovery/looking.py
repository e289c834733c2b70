"""What is asked of the catalogue: few calls, each for many metrics at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.discovery.matching import Labels, equal, literal
from detector.discovery.spelling import is_plain, spelled
from detector.ports import MetricCatalog
from detector.series import Matcher, MatchOp, Query
from detector.signals.packs import Pack

__all__ = [
    "NAME",
    "Look",
    "naming_labels",
    "selector_queries",
    "service_matcher",
    "service_queries",
]

NAME = "__name__"
# Whose pods held the traffic before the start is looked up over this span (gate method, control).
_HOUR_S = 3600.0
_LATELY_S = 300.0
# Names of controllers' pods go on after the workload's: roles, the template's hash, a suffix.
# Hashes and suffixes have no vowels, so that `mail-parser` is no pod of `mail`.
_POD_ENDS = (
    "(-primary|-canary|-stable|-preview)?(-[0-9b-df-hj-np-tv-z]{4,10})?-[0-9b-df-hj-np-tv-z]{1,5}"
)
_PLAIN = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_WHOLE = (Matcher("le", MatchOp.EQUAL, "+Inf"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A catalogue over one span; unix seconds. `scale` shortens the spans before the start."""

    catalog: MetricCatalog
    start: float
    end: float
    timeout_s: float
    scale: float = 1.0

    @property
    def begin(self) -> float:
        """An hour before the start."""
        return self.start - _HOUR_S * self.scale

    @property
    def lately_s(self) -> float:
        """What counts as now."""
        return _LATELY_S * self.scale

    def names(self) -> frozenset[str]:
        """Metrics that exist."""
        return self.catalog.metrics(timeout_s=self.timeout_s)

    def series(self, queries: Iterable[Query]) -> Mapping[str, Sequence[Labels]]:
        """Label sets by metric since an hour before the start; nothing is asked for nothing."""
        return self._between(queries, self.begin, self.end)

    def now(self, queries: Iterable[Query]) -> Mapping[str, Sequence[Labels]]:
        """Label sets by metric of what is there at the end."""
        return self._between(queries, self.end - self.lately_s, self.end)

    def before(self, queries: Iterable[Query]) -> Mapping[str, Sequence[Labels]]:
        """Label sets by metric of what was there just before the start."""
        return self._between(queries, self.start - self.lately_s, self.start)

    def _between(
        self, queries: Iterable[Query], start: float, end: float
    ) -> Mapping[str, Sequence[Labels]]:
        wanted = tuple(dict.fromkeys(queries))
        found: dict[str, list[Labels]] = {}
        if wanted:
            for labels in self.catalog.series(wanted, start, end, timeout_s=self.timeout_s):
                found.setdefault(labels.get(NAME, ""), []).append(labels)
        return found

    def values(self, label: str, queries: Sequence[Query]) -> Sequence[str]:
        """Values of one label over some series."""
        return self.catalog.label_values(
            label, queries, self.begin, self.end, timeout_s=self.timeout_s
        )

    def values_now(self, label: str, queries: Sequence[Query]) -> Sequence[str]:
        """The same of what is there at the end."""
        begin = self.end - self.lately_s
        return self.catalog.label_values(label, queries, begin, self.end, timeout_s=self.timeout_s)


def service_matcher(
    label: str, service: str, pack: Pack | None = None, namespace: str | None = None
) -> Matcher:
    """What says that a series is of the service; a job may have a namespace in front of it.

    Where the label is one of the pack's `pods` its values are names of pods, as controllers make
    them; where it is `spelled`, names as a proxy writes them, of the namespace if one is told,
    or the whole name as it stands.
    """
    if pack is not None and label in pack.spelled and is_plain(service):
        named = spelled(pack.spelled[label], service, namespace)
        return Matcher(label, MatchOp.MATCHES, f"{named}|{literal(service)}")
    if pack is not None and label in pack.pods:
        return Matcher(label, MatchOp.MATCHES, f"{literal(service)}{_POD_ENDS}")
    if label == "job" and "/" not in service:
        return Matcher(label, MatchOp.MATCHES, f"(.+/)?{literal(service)}")
    return equal(label, service)


def service_queries(
    packs: Sequence[Pack], names: frozenset[str], service: str, namespace: str | None = None
) -> list[Query]:
    """One query for each metric of requests or durations and each label that may name a service."""
    return [
        Query(metric, (*more, service_matcher(label, service, pack, namespace)))
        for pack in packs
        for metric, more in _metrics(pack)
        if metric in names
        for label in naming_labels(pack, metric)
    ]


def naming_labels(pack: Pack, metric: str) -> tuple[str, ...]:
    """Labels that may name the service of a metric.

    Those with dots only where the metric has one: what keeps the dots of one keeps all, and
    Prometheus 2 takes a query with a dotted label for a mistake.
    """
    if not _PLAIN.fullmatch(metric):
        return pack.services
    return tuple(label for label in pack.services if _PLAIN.fullmatch(label))


def selector_queries(
    packs: Sequence[Pack], names: frozenset[str], selectors: Sequence[Sequence[Matcher]]
) -> list[Query]:
    """The same by the arms' selectors alone."""
    return [
        Query(metric, (*more, *selector))
        for pack in packs
        for metric, more in _metrics(pack)
        if metric in names
        for selector in selectors
    ]


def _metrics(pack: Pack) -> Iterator[tuple[str, tuple[Matcher, ...]]]:
    """Metrics of a pack; of a histogram its last bucket, and its native form of the plain name."""
    for requests in pack.requests:
        yield requests.metric, ()
        for metric in requests.errors.metrics:
            yield metric, ()
    for durations in pack.durations:
        yield durations.metric, _WHOLE
        yield durations.metric.removesuffix("_bucket"), ()
