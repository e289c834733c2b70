"""What is asked of the catalogue: few calls, each for many metrics at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detector.discovery.matching import Labels, equal, literal
from detector.ports import MetricCatalog
from detector.series import Matcher, MatchOp, Query
from detector.signals.packs import Pack

__all__ = ["HOUR_S", "NAME", "Look", "service_matcher", "service_queries"]

NAME = "__name__"
# Whose pods held the traffic before the start is looked up over this span (gate method, control).
HOUR_S = 3600.0
_WHOLE = (Matcher("le", MatchOp.EQUAL, "+Inf"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A catalogue over one span; unix seconds."""

    catalog: MetricCatalog
    start: float
    end: float
    timeout_s: float

    def names(self) -> frozenset[str]:
        """Metrics that exist."""
        return self.catalog.metrics(timeout_s=self.timeout_s)

    def series(self, queries: Iterable[Query]) -> Mapping[str, list[Labels]]:
        """Label sets by metric; nothing is asked for nothing."""
        wanted = tuple(dict.fromkeys(queries))
        found: dict[str, list[Labels]] = {}
        if wanted:
            for labels in self.catalog.series(
                wanted, self.start - HOUR_S, self.end, timeout_s=self.timeout_s
            ):
                found.setdefault(labels.get(NAME, ""), []).append(labels)
        return found

    def values(self, label: str, queries: Sequence[Query]) -> Sequence[str]:
        """Values of one label over some series."""
        return self.catalog.label_values(
            label, queries, self.start - HOUR_S, self.end, timeout_s=self.timeout_s
        )


def service_matcher(label: str, service: str) -> Matcher:
    """What says that a series is of the service; a job may have a namespace in front of it."""
    if label == "job" and "/" not in service:
        return Matcher(label, MatchOp.MATCHES, f"(.+/)?{literal(service)}")
    return equal(label, service)


def service_queries(packs: Sequence[Pack], names: frozenset[str], service: str) -> list[Query]:
    """One query for each metric of requests or durations and each label that may name a service."""
    queries = []
    for pack in packs:
        told: list[tuple[str, tuple[Matcher, ...]]] = [(p.metric, ()) for p in pack.requests]
        told += [(part.metric, _WHOLE) for part in pack.durations]
        for metric, more in told:
            if metric in names:
                queries += [
                    Query(metric, (*more, service_matcher(label, service)))
                    for label in pack.services
                ]
    return queries
