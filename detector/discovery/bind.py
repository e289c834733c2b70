"""From a service's arms to bound signals: which families feed them, and why others do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.discovery.control import Arms
from detector.discovery.matching import Labels, any_of, equal, first_label, fits, rules, values_of
from detector.discovery.traffic import Candidate, probes
from detector.series import Matcher, MatchOp, Query
from detector.signals.packs import Pack
from detector.signals.packs.schema import CLUSTERS, NAMESPACES, Resource, Role
from detector.signals.plan import BoundSignal, Family, Missing
from detector.signals.signal import Absent, Kind, Shape, Signal, Unit

__all__ = ["Service", "bound_signals", "resource_queries"]

_PODS_ASKED = 20
_TAILS = ("tail95", "tail99")
_PER_REQUEST = "CPU seconds per request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service with its arms; what its families are made from.

    `found` are the series of requests and durations, `beside` those of resources, by metric.
    """

    packs: Sequence[Pack]
    candidate: Candidate
    arms: Arms
    unit: Unit
    found: Mapping[str, Sequence[Labels]]
    beside: Mapping[str, Sequence[Labels]]

    @property
    def pods(self) -> frozenset[str]:
        """Names of the pods of both arms."""
        return _pods(self.candidate, self.arms)

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
        for pack, told in _ranked(self.packs, role):
            own = rules(told.where, told.without)
            series = [s for s in self.beside.get(told.metric, ()) if fits(own, s)]
            family = self._resource(told, own, series)
            if family is not None:
                return pack, family
        return None

    def start_time(self) -> Family | None:
        """The family of container or process starts."""
        found = self.resource(Role.START_TIME)
        return None if found is None else found[1]

    def _resource(
        self, told: Resource, own: tuple[Matcher, ...], series: Sequence[Labels]
    ) -> Family | None:
        label = first_label(told.pods or (self.candidate.pod_label,), series)
        if label is None:
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
        ours = [s for s in series if s.get(family.pod_label) in self.pods]
        if not ours or (self.unit is not Unit.POD and not self._speaks_of_pods(family)):
            return None
        scope = self._scope(ours)
        return replace(family, joined=True, matchers=(*family.matchers, *scope))

    def _fits_arms(self, series: Sequence[Labels]) -> bool:
        canary, control = self.arms.canary, self.arms.control
        ours = any(fits(canary.matchers, s) for s in series) or not canary.series
        theirs = any(fits(one, s) for one in control for s in series)
        return bool(series) and ours and (theirs or not self.arms.control_series)

    def _speaks_of_pods(self, family: Family) -> bool:
        return all(m.label == family.pod_label for m in self.arms.canary.matchers)

    def _scope(self, series: Sequence[Labels]) -> Iterator[Matcher]:
        """Namespace and cluster of the arms, where the joined series tell the same."""
        pack = self.candidate.pack
        for known, names in ((pack.clusters, CLUSTERS), (pack.namespaces, NAMESPACES)):
            told = [m.value for m in self.arms.canary.matchers if _names_one(m, known)]
            same = [label for label in names if told and values_of(label, series) == {told[0]}]
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


def _ranked(packs: Sequence[Pack], role: Role) -> list[tuple[Pack, Resource]]:
    every = [(pack, one) for pack in packs for one in pack.resources if one.role is role]
    return sorted(every, key=lambda told: told[1].rank)


def resource_queries(
    packs: Sequence[Pack], names: frozenset[str], candidate: Candidate, arms: Arms
) -> list[Query]:
    """One query for each metric of containers or processes, by the names of some pods."""
    label = candidate.pod_label
    pods = sorted(values_of(label, arms.canary.series))[:_PODS_ASKED]
    pods += sorted(values_of(label, arms.control_series))[:_PODS_ASKED]
    if not pods or candidate.pack.unit is not Unit.POD:
        return []
    return [
        Query(told.metric, (*rules(told.where, told.without), any_of(by, pods)))
        for pack in packs
        for told in pack.resources
        if told.metric in names
        for by in told.pods or (label,)
    ]


def bound_signals(service: Service) -> tuple[tuple[BoundSignal, ...], tuple[Missing, ...]]:
    """Every signal that the service's families feed, and those that none does."""
    made = [
        _errors(service),
        *_durations(service),
        _restarts(service),
        _cpu(service),
        _memory(service),
    ]
    bound = tuple(one for one in made if isinstance(one, BoundSignal))
    return bound, tuple(one for one in made if isinstance(one, Missing))


def _errors(service: Service) -> BoundSignal | Missing:
    candidate = service.candidate
    told, label = candidate.requests.errors, candidate.code
    if label is None:
        looked = ", ".join(told.labels)
        return Missing(
            name="error_rate",
            why=f"{candidate.requests.metric} has no label that tells errors: {looked}",
        )
    bad = (Matcher(label, MatchOp.MATCHES, told.match), *rules({}, told.without))
    signal = Signal(
        name="error_rate", kind=Kind.RATIO, required=True, absent=Absent.ZERO, unit="ratio"
    )
    return BoundSignal(
        signal=signal,
        pack=candidate.pack.name,
        unit=service.unit,
        total=service.requests(),
        bad=bad,
    )


def _durations(service: Service) -> Iterator[BoundSignal | Missing]:
    family = service.buckets()
    if family is None:
        why = _no_histogram(service)
        yield from (Missing(name=name, why=why) for name in ("latency", *_TAILS))
        return
    for name in ("latency", *_TAILS):
        signal = Signal(
            name=name,
            kind=Kind.LATENCY,
            required=name != "tail99",
            judged=name != "tail99",
            unit="seconds" if name == "latency" else "ratio",
        )
        yield BoundSignal(
            signal=signal, pack=service.candidate.pack.name, unit=service.unit, total=family
        )


def _no_histogram(service: Service) -> str:
    told = service.candidate.durations
    if told is not None:
        return f"{told.metric} of the service carries neither the arms' labels nor their pods"
    looked = [part.metric for part in service.candidate.pack.durations]
    native = [m for metric in looked if service.found.get(m := metric.removesuffix("_bucket"))]
    if native:
        return f"{native[0]} has no classic buckets; native histograms are not read yet"
    return f"the service has none of {', '.join(looked) or 'the histograms of a pack'}"


def _restarts(service: Service) -> BoundSignal | Missing:
    found, oom = service.resource(Role.RESTARTS), service.resource(Role.OOM)
    if found is None:
        return _absent(service, "restarts", Role.RESTARTS)
    pack, family = found
    signal = Signal(name="restarts", kind=Kind.EVENTS, absent=Absent.ZERO, unit="per pod-hour")
    return BoundSignal(
        signal=signal,
        pack=pack.name,
        unit=service.unit,
        total=family,
        also=(oom[1],) if oom is not None else (),
    )


def _cpu(service: Service) -> BoundSignal | Missing:
    found = service.resource(Role.CPU)
    if found is None:
        return _absent(service, "cpu_per_request", Role.CPU)
    pack, family = found
    signal = Signal(name="cpu_per_request", kind=Kind.GAUGE, judged=False, unit=_PER_REQUEST)
    return BoundSignal(
        signal=signal,
        pack=pack.name,
        unit=service.unit,
        total=family,
        load=service.requests(),
    )


def _memory(service: Service) -> BoundSignal | Missing:
    found = service.resource(Role.MEMORY)
    if found is None:
        return _absent(service, "memory_growth", Role.MEMORY)
    pack, family = found
    signal = Signal(name="memory_growth", kind=Kind.GAUGE, judged=False, unit="bytes")
    return BoundSignal(signal=signal, pack=pack.name, unit=service.unit, total=family)


def _absent(service: Service, name: str, role: Role) -> Missing:
    if service.unit is not Unit.POD:
        why = "the request series name no pods of the service by which it could be looked up"
        return Missing(name=name, why=why)
    looked = dict.fromkeys(told.metric for _, told in _ranked(service.packs, role))
    return Missing(name=name, why=f"the service's pods have none of {', '.join(looked)}")
