"""The families of a service: how each metric is read for the pods of both arms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.discovery.control import Arms
from detector.discovery.matching import Labels, any_of, equal, first_label, fits, rules, values_of
from detector.discovery.traffic import Candidate, probes
from detector.series import Matcher, MatchOp, Query
from detector.signals.packs import Pack
from detector.signals.packs.schema import CLUSTERS, NAMESPACES, Extra, Resource, Role
from detector.signals.plan import Family
from detector.signals.signal import Shape, Unit

__all__ = ["Service", "ranked", "resource_queries"]

# Whether a metric has series of the service is seen on some pods of each arm.
_PODS_ASKED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service with its arms; what its families are made from.

    `found` are the series of requests and durations, `beside` those of resources, by metric;
    `names` all metrics that the source has.
    """

    packs: Sequence[Pack]
    candidate: Candidate
    arms: Arms
    unit: Unit
    found: Mapping[str, Sequence[Labels]]
    beside: Mapping[str, Sequence[Labels]]
    names: frozenset[str] = frozenset()

    def requests(self) -> Family:
        """The family whose counts are the traffic."""
        told = self.candidate.requests
        return Family(
            metric=told.metric,
            shape=Shape.COUNTER,
            matchers=rules(told.where, told.without),
            pod_label=self.candidate.pod_label,
            pod_fallback=self._fallback(),
            health=probes(self.candidate.pack),
        )

    def failures(self) -> tuple[Family, ...]:
        """The families that count failed requests alone, read as the requests are."""
        told = self.candidate.requests.errors
        counted = self.requests()
        return tuple(
            replace(counted, metric=metric)
            for metric in told.metrics
            if told.only_on_errors or metric in self.found
        )

    def buckets(self) -> Family | None:
        """The family of the latency histogram."""
        told = self.candidate.durations
        if told is None:
            return None
        own = rules(told.where, told.without)
        series = [s for s in self.found.get(told.metric, ()) if fits(own, s)]
        return self._placed(
            Family(
                metric=told.metric,
                shape=Shape.BUCKETS,
                matchers=own,
                pod_label=self.candidate.pod_label,
                pod_fallback=self._fallback(),
                scale=told.scale,
                health=probes(self.candidate.pack),
            ),
            series,
        )

    def resource(self, role: Role) -> tuple[Pack, Family] | None:
        """The family of a role, by the lowest rank of what exists."""
        for pack, told in ranked(self.packs, role):
            family = self.beside_family(told)
            if family is not None:
                return pack, family
        return None

    def start_time(self) -> Family | None:
        """The family of container or process starts."""
        found = self.resource(Role.START_TIME)
        return None if found is None else found[1]

    def beside_family(self, told: Resource | Extra) -> Family | None:
        """How a metric that is not of the requests is read; None where the service has none."""
        own = rules(told.where, told.without)
        series = [s for s in self.beside.get(told.metric, ()) if fits(own, s)]
        label = first_label(told.pods or (self.candidate.pod_label,), series)
        if label is None or told.shape is None:
            return None
        family = Family(
            metric=told.metric,
            shape=told.shape,
            matchers=own,
            pod_label=label,
            pod_fallback=() if told.pods else self._fallback(),
            scale=told.scale,
        )
        return self._placed(family, series)

    def _placed(self, family: Family, series: Sequence[Labels]) -> Family | None:
        """The family read by the arms' selectors where they fit it, else by the pods' names."""
        if self._fits_arms(series):
            return family
        pods = _pods(self.candidate, self.arms)
        ours = [s for s in series if s.get(family.pod_label) in pods]
        if not ours or (self.unit is not Unit.POD and not self._speaks_of_pods(family)):
            return None
        return replace(family, joined=True, matchers=(*family.matchers, *self._scope(ours)))

    def _fits_arms(self, series: Sequence[Labels]) -> bool:
        canary, control = self.arms.canary, self.arms.control
        ours = any(fits(canary.matchers, s) for s in series) or not canary.series
        theirs = any(fits(one, s) for one in control for s in series)
        return bool(series) and ours and (theirs or not self.arms.control_series)

    def _speaks_of_pods(self, family: Family) -> bool:
        return all(m.label == family.pod_label for m in self.arms.canary.matchers)

    def _scope(self, series: Sequence[Labels]) -> Iterator[Matcher]:
        """Namespace and cluster of the arms: pods of one name may be in several."""
        pack = self.candidate.pack
        for known, names in ((pack.clusters, CLUSTERS), (pack.namespaces, NAMESPACES)):
            told = [m.value for m in self.arms.canary.matchers if _names_one(m, known)]
            same = [label for label in names if told and told[0] in values_of(label, series)]
            if same:
                yield equal(same[0], told[0])

    def _fallback(self) -> tuple[str, ...]:
        own = self.candidate.pod_label
        return () if own == "instance" else ("instance",)


def _names_one(matcher: Matcher, labels: Sequence[str]) -> bool:
    return matcher.op is MatchOp.EQUAL and matcher.label in labels


def _pods(candidate: Candidate, arms: Arms) -> frozenset[str]:
    label = candidate.pod_label
    return values_of(label, arms.canary.series) | values_of(label, arms.control_series)


def ranked(packs: Sequence[Pack], role: Role) -> list[tuple[Pack, Resource]]:
    """Every metric of a role with its pack, the first choice first."""
    every = [(pack, one) for pack in packs for one in pack.resources if one.role is role]
    return sorted(every, key=lambda told: told[1].rank)


def resource_queries(
    packs: Sequence[Pack], names: frozenset[str], candidate: Candidate, arms: Arms
) -> list[Query]:
    """One query for each metric of containers or processes, by the names of some pods.

    Where series stand for something else, the pack's own signals by the selectors of the arms.
    """
    told = candidate.pack
    if told.unit is not Unit.POD:
        return list(_by_arms(told.signals, names, arms))
    label = candidate.pod_label
    pods = sorted(values_of(label, arms.canary.series))[:_PODS_ASKED]
    pods += sorted(values_of(label, arms.control_series))[:_PODS_ASKED]
    every: list[Resource | Extra] = []
    for pack in packs:
        every += [*pack.resources, *pack.signals]
    return [
        Query(metric, (*more, any_of(by, pods)))
        for part in every
        for metric, more in _metrics(part)
        if metric in names and pods
        for by in part.pods or (label,)
    ]


def _by_arms(extras: Sequence[Extra], names: frozenset[str], arms: Arms) -> Iterator[Query]:
    for extra in extras:
        for metric, more in _metrics(extra):
            for arm in (arms.canary.matchers, *arms.control):
                if metric in names:
                    yield Query(metric, (*more, *arm))


def _metrics(told: Resource | Extra) -> Iterator[tuple[str, tuple[Matcher, ...]]]:
    """A metric beside the requests, of a histogram its last bucket, and its failures' counter."""
    own = rules(told.where, told.without)
    whole = (equal("le", "+Inf"),) if told.shape is Shape.BUCKETS else ()
    yield told.metric, (*own, *whole)
    if isinstance(told, Extra) and told.errors is not None:
        for metric in told.errors.metrics:
            yield metric, ()
