"""From a question to a plan: what the service exposes, bound to signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detector.discovery.arms import Side
from detector.discovery.asked import Asked, asked_of
from detector.discovery.bind import Service, bound_signals, resource_queries
from detector.discovery.control import Arms, arms_of
from detector.discovery.looking import Look, service_queries
from detector.discovery.matching import Labels, merged, values_of
from detector.discovery.nearest import nearest, without_match
from detector.discovery.owners import by_owners
from detector.discovery.traffic import Candidate, candidates
from detector.discovery.weighing import traffic_before
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricSource
from detector.series import Query
from detector.signals.packs import Pack
from detector.signals.plan import Family, Missing, Plan
from detector.signals.signal import Shape, Unit

__all__ = ["discover"]

_SIGNALS = (
    "error_rate", "latency", "tail95", "tail99", "restarts", "cpu_per_request", "memory_growth",
)  # fmt: skip
_SERVICE_LABELS = ("service", "app", "job", "service_name", "destination_canonical_service")


def discover(
    catalog: MetricCatalog,
    packs: Sequence[Pack],
    request: VerdictRequest,
    *,
    start: float,
    end: float,
    timeout_s: float,
    source: MetricSource | None = None,
) -> Plan:
    """The plan of a service for the attempt that began at `start`, from what exists up to `end`.

    Unix seconds; each call to the catalogue may take `timeout_s`. With a `source` the traffic of
    several stable workloads is read, else they are told apart by their pods. Packs that come first
    win where two fit equally. A service or canary that is not found gives a plan without signals
    or series whose notes say what exists. `InputError`: a selector does not parse, canary and
    control are the same, an arm spans clusters. `SourceError`: the source does not answer.
    """
    asked = asked_of(request)
    look = Look(catalog=catalog, start=start, end=end, timeout_s=timeout_s)
    search = _Search(look=look, packs=packs, asked=asked, source=source)
    names = look.names()
    found = look.series(service_queries(packs, names, asked.service))
    every = candidates(packs, found, asked)
    if not every:
        return _nothing(search, names)
    best = every[0]
    canary = best.canary or by_owners(look, names, asked.canary, best)
    if canary is None:
        return _without_canary(search, best, names, found)
    arms = arms_of(best, canary, asked, search.weigh)
    return search.plan(best, arms, names, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One discovery under way."""

    look: Look
    packs: Sequence[Pack]
    asked: Asked
    source: MetricSource | None

    def weigh(
        self, candidate: Candidate, groups: Mapping[frozenset[str], set[str]]
    ) -> Mapping[frozenset[str], float]:
        """Traffic of some groups of pods before the start."""
        return traffic_before(self.look, self.source, candidate, groups)

    def plan(
        self,
        best: Candidate,
        arms: Arms,
        names: frozenset[str],
        found: Mapping[str, Sequence[Labels]],
        notes: tuple[str, ...] = (),
    ) -> Plan:
        """The plan of known arms."""
        unit, told = _unit(best, arms)
        queries = resource_queries(self.packs, names, best, arms)
        service = Service(
            packs=self.packs,
            candidate=best,
            arms=arms,
            unit=unit,
            names=names,
            found=found,
            beside=self.look.series(queries),
        )
        bound, missing = bound_signals(service)
        start = service.start_time()
        return Plan(
            service=self.asked.service,
            canary=arms.canary.matchers,
            control=arms.control,
            requests=service.requests(),
            signals=bound,
            start_time=start,
            missing=missing,
            notes=(*notes, *arms.notes, *told),
            unit=unit,
        )


def _unit(best: Candidate, arms: Arms) -> tuple[Unit, tuple[str, ...]]:
    """What a series stands for: no pod, where the same one serves both arms."""
    label = best.pod_label
    ours = values_of(label, arms.canary.series)
    if best.pack.unit is Unit.POD and ours and ours <= values_of(label, arms.control_series):
        note = (
            f"Both arms' requests are counted by the same {label}: one-pod faults cannot be told."
        )
        return Unit.WORKLOAD, (note,)
    if best.pack.unit is not Unit.POD:
        note = f"{best.requests.metric} stands for a {best.pack.unit.value}, not for a pod."
        return best.pack.unit, (f"{note} One bad pod cannot be told apart.",)
    return Unit.POD, ()


def _without_canary(
    search: _Search, best: Candidate, names: frozenset[str], found: Mapping[str, Sequence[Labels]]
) -> Plan:
    """What would be judged once the canary is there; the notes say what there is instead."""
    asked = search.asked
    near = without_match(asked.canary, best.series)
    note = f"No series of {asked.service} matches the canary {asked.canary_text}: {near}."
    canary = Side(matchers=merged((best.service,), asked.canary), series=())
    arms = Arms(canary=canary, control=(), control_series=best.series)
    return replace(search.plan(best, arms, names, found), notes=(note,))


def _nothing(search: _Search, names: frozenset[str]) -> Plan:
    """A plan without signals: the service is not known to the source."""
    asked = search.asked
    canary = merged(asked.canary)
    note = _unknown_service(search, names)
    return Plan(
        service=asked.service,
        canary=canary,
        control=(asked.control,) if asked.control else (),
        requests=Family(metric="", shape=Shape.COUNTER),
        signals=(),
        missing=tuple(
            Missing(name=name, why="the service has no request metric") for name in _SIGNALS
        ),
        notes=(note,),
    )


def _unknown_service(search: _Search, names: frozenset[str]) -> str:
    metrics = [r.metric for pack in search.packs for r in pack.requests if r.metric in names]
    service = search.asked.service
    if not metrics:
        known = ", ".join(pack.name for pack in search.packs if pack.requests)
        return (
            f"The source has no request metric that a pack knows ({known}; {len(names)} metrics"
            " looked at). Add a pack for yours."
        )
    queries = [Query(metric) for metric in dict.fromkeys(metrics)]
    others = {v for label in _SERVICE_LABELS for v in search.look.values(label, queries)}
    near = ", ".join(nearest(service, others)) or "none"
    return f"No request metric names a service {service}; nearest: {near}."
