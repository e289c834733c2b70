"""One discovery under way: what was asked of the catalogue so far, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from detector.discovery.arms import Side, resolve, unknown
from detector.discovery.asked import Asked
from detector.discovery.bind import bound_signals
from detector.discovery.cohorts import group_label
from detector.discovery.control import Arms, found_control, told_control
from detector.discovery.looking import Look, selector_queries, service_queries
from detector.discovery.matching import (
    Labels,
    equal,
    first_label,
    fits,
    merged,
    negated,
    rules,
    values_of,
)
from detector.discovery.nearest import instead, unknown_arm, unknown_service
from detector.discovery.owners import by_owners
from detector.discovery.service import Service, resource_queries
from detector.discovery.spelling import by_name, by_role, where_named
from detector.discovery.steering import GAUGE, weight_gauge, weight_queries, workload_of
from detector.discovery.traffic import Candidate, candidates
from detector.discovery.weighing import traffic_before
from detector.discovery.workloads import HASH_LABELS
from detector.ports import MetricCatalog, MetricSource
from detector.series import Matcher, Query
from detector.signals.packs import Pack
from detector.signals.packs.schema import PODS
from detector.signals.plan import Family, Missing, Plan
from detector.signals.signal import Shape, Unit

__all__ = ["Search"]

# Labels of pods that a proxy's series carry of the proxy's own, if at all.
_OF_PODS = frozenset({*PODS, *HASH_LABELS, "version", "track"})
_SIGNALS = (
    "error_rate", "latency", "tail95", "tail99", "restarts", "cpu_per_request", "memory_growth",
)  # fmt: skip


class Search:
    """The steps of a discovery; each asks only what the ones before could not tell."""

    def __init__(
        self,
        catalog: MetricCatalog,
        packs: Sequence[Pack],
        asked: Asked,
        *,
        start: float,
        end: float,
        timeout_s: float,
    ) -> None:
        self.packs, self.asked = packs, asked
        self.source: MetricSource | None = None
        self.look = Look(
            catalog=catalog, start=start, end=end, timeout_s=timeout_s, scale=asked.time_scale
        )
        self.names: frozenset[str] = frozenset()
        self.found: dict[str, Sequence[Labels]] = {}

    def plan(self) -> Plan:
        """The plan, or one that says what is not there."""
        self.names = self.look.names()
        self._take(self._by_service())
        best, canary = self._canary()
        if best is None:
            return self._nothing()
        if canary is None:
            return self._without_canary(best)
        arms = self._arms(best, canary)
        unit, notes = self._unit(best, arms)
        users = None
        if unit is not best.pack.unit:
            users = group_label(arms.canary.series, arms.control_series)
        if users is None:
            return self._bound(best, arms, unit, (*arms.notes, *notes))
        note = f"Cohorts: users are told apart by {users}, in 20 groups a side in place of pods."
        plan = self._bound(replace(best, pod_label=users), arms, Unit.POD, (*arms.notes, note))
        return replace(plan, cohort=users)

    def _by_service(self) -> list[Query]:
        asked = self.asked
        return service_queries(self.packs, self.names, asked.service, asked.namespace)

    def _take(self, queries: Iterable[Query]) -> bool:
        """Ask, and keep what is new; whether anything was. What was asked for exists somewhere."""
        wanted = list(queries)
        for query in wanted:
            self.found.setdefault(query.metric, [])
        more = self.look.series(wanted)
        for metric, series in more.items():
            known = {frozenset(s.items()) for s in self.found.get(metric, ())}
            new = [s for s in series if not known or frozenset(s.items()) not in known]
            self.found[metric] = [*self.found.get(metric, ()), *new]
        return bool(more)

    # -- the arms

    def _canary(self) -> tuple[Candidate | None, Side | None]:
        """The request metric of the service and the canary's series, as far as there are any."""
        asked = self.asked
        every = candidates(self.packs, self.found, asked)
        best = every[0] if every else None
        if best is not None:
            canary = best.canary or by_owners(self.look, self.names, asked.canary, best)
            if canary is not None:
                return best, canary
        told = [one for one in (asked.canary, asked.control) if one]
        if asked.names_service(asked.canary) and self._take(self._by_selector(self.packs, told)):
            loose = candidates(self.packs, self.found, asked)
            if loose and loose[0].canary is not None:
                return loose[0], loose[0].canary
        return self._by_role(every) or (best, None)

    def _by_role(self, every: Sequence[Candidate]) -> tuple[Candidate, Side] | None:
        """The canary of a proxy by its usual name, where no series tells the asked pods."""
        asked = self.asked
        for one in every:
            if one.pack.unit is not Unit.POD and _speaks_of_pods(asked.canary, one):
                side = by_role(asked.service, one.series, one.pack, asked.namespace)
                if side is not None:
                    return one, side
        return None

    def _by_selector(
        self, packs: Sequence[Pack], selectors: Iterable[tuple[Matcher, ...]]
    ) -> list[Query]:
        spelled = [s for selector in selectors for s in self.asked.spellings(selector)]
        return selector_queries(packs, self.names, spelled)

    def _arms(self, best: Candidate, canary: Side) -> Arms:
        if self.asked.control is None or canary.is_by_role:
            return found_control(best, canary, self.asked, self._weigh)
        control = self._control(best, self.asked.control)
        if control is not None:
            return told_control(best, canary, control, self.asked)
        missing = Side(matchers=self.asked.control, series=())
        arms = told_control(best, canary, missing, self.asked)
        note = unknown_arm("control", self.asked.service, self.asked.control, best.series)
        return Arms(canary=arms.canary, control=arms.control, control_series=(), notes=(note,))

    def _control(self, best: Candidate, asked: tuple[Matcher, ...]) -> Side | None:
        """The asked control, also where its series do not carry the service's name."""
        found = resolve(asked, best.series, best.pod_label)
        service, namespace = self.asked.service, self.asked.namespace
        found = found or by_name(asked, service, best.series, best.pack, namespace)
        found = found or by_owners(self.look, self.names, asked, best)
        if found is not None or not self.asked.names_service(asked):
            return found
        self._take(self._by_selector([best.pack], [asked]))
        own = rules(best.requests.where, best.requests.without)
        series = [s for s in self.found.get(best.requests.metric, ()) if fits(own, s)]
        side = resolve(asked, series, best.pod_label)
        if side is None:
            return None
        return Side(matchers=side.matchers, series=side.series, is_of_service=False)

    def _weigh(
        self, candidate: Candidate, groups: Mapping[frozenset[str], set[str]]
    ) -> Mapping[frozenset[str], float]:
        return traffic_before(self.look, self.source, candidate, groups)

    def _unit(self, best: Candidate, arms: Arms) -> tuple[Unit, tuple[str, ...]]:
        """What a series stands for: no pod, where the same one serves both arms at once."""
        metric = best.requests.metric
        if best.pack.unit is not Unit.POD:
            what = f"{metric} stands for a {best.pack.unit.value}, not for a pod"
            return best.pack.unit, (f"{what}: one bad pod cannot be told apart.",)
        label = best.pod_label
        ours = values_of(label, arms.canary.series)
        if not ours:
            return Unit.WORKLOAD, (f"{metric} names no pods: one bad pod cannot be told apart.",)
        if ours <= values_of(label, arms.control_series) and self._shared(best, arms):
            what = f"The same {label} counts the requests of canary and control"
            return Unit.WORKLOAD, (f"{what}: one bad pod cannot be told apart.",)
        return Unit.POD, ()

    def _shared(self, best: Candidate, arms: Arms) -> bool:
        """Whether pods serve both arms now, and not one after the other."""
        own = rules(best.requests.where, best.requests.without)
        selectors = [arms.canary.matchers, *arms.control]
        metric = best.requests.metric
        now = self.look.now([Query(metric, (*own, *one)) for one in selectors]).get(metric, ())
        ours = [s for s in now if fits(arms.canary.matchers, s)]
        theirs = [s for s in now if any(fits(one, s) for one in arms.control)]
        return bool(values_of(best.pod_label, ours) & values_of(best.pod_label, theirs))

    # -- the plan

    def _bound(self, best: Candidate, arms: Arms, unit: Unit, notes: tuple[str, ...]) -> Plan:
        queries = resource_queries(self.packs, self.names, best, arms)
        workload = workload_of(best, arms, unit)
        queries += weight_queries(self.names, workload, self.asked)
        beside = self.look.series(queries)
        service = Service(
            packs=self.packs,
            candidate=best,
            arms=arms,
            unit=unit,
            found=self.found,
            beside=beside,
            names=self.names,
        )
        bound, missing = bound_signals(service)
        return Plan(
            service=self.asked.service,
            canary=arms.canary.matchers,
            control=arms.control,
            requests=service.requests(),
            signals=bound,
            start_time=service.start_time(),
            missing=missing,
            notes=notes,
            unit=unit,
            weight=weight_gauge(beside.get(GAUGE, ()), workload, best, arms, self.asked),
        )

    def _without_canary(self, best: Candidate) -> Plan:
        """What will be judged once the canary is there; the notes say what there is instead."""
        asked = self.asked
        scope = merged(best.service, tuple(_asked_scope(best, asked)))
        canary = Side(matchers=merged(scope, asked.canary), series=())
        others = [asked.control] if asked.control else negated(asked.canary)
        arms = Arms(
            canary=canary,
            control=tuple(merged(scope, one) for one in others),
            control_series=best.series,
        )
        note = self._several(best) or instead(asked.canary, best.series)
        return self._bound(best, arms, best.pack.unit, (note,))

    def _several(self, best: Candidate) -> str:
        """What to ask for where a proxy knows the service in several namespaces."""
        asked = self.asked
        told = sorted(where_named(asked.service, best.series, best.pack))
        if asked.namespace is not None or len(told) <= 1:
            return ""
        return f"{asked.service} is in the namespaces {', '.join(told)}; say which with namespace."

    def _nothing(self) -> Plan:
        """A plan without signals: the source knows no such service."""
        asked = self.asked
        why = "the service has no request metric that a pack knows"
        return Plan(
            service=asked.service,
            canary=asked.canary,
            control=(asked.control,) if asked.control else (),
            requests=Family(metric="", shape=Shape.COUNTER),
            signals=(),
            missing=tuple(Missing(name=name, why=why) for name in _SIGNALS),
            notes=(unknown_service(self.look, self.packs, self.names, asked, self.found),),
        )


def _asked_scope(best: Candidate, asked: Asked) -> Iterator[Matcher]:
    """Cluster and namespace as asked for: the same pods' names may be in others."""
    pack = best.pack
    for names, value in ((pack.clusters, asked.cluster), (pack.namespaces, asked.namespace)):
        label = first_label(names, best.series)
        if value is not None and label is not None:
            yield equal(label, value)


def _speaks_of_pods(selector: Sequence[Matcher], candidate: Candidate) -> bool:
    """Whether a selector tells nothing but pods, which the series of a proxy cannot know."""
    strange = unknown(selector, candidate.series)
    return all(matcher.label in _OF_PODS or matcher in strange for matcher in selector)
