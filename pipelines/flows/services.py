"""What discovery shows to people: which services there are, and what is bound of each."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from detector.discovery import discover
from detector.discovery.amount import Lately, family_queries
from detector.discovery.asked import Asked, asked_of
from detector.discovery.bindings import bindings
from detector.discovery.census import Census, Skipped, census
from detector.discovery.looking import Look
from detector.discovery.matching import first_label, values_of
from detector.discovery.portrait import Listing, Portrait
from detector.discovery.rehearsal import Rehearsal, rehearsal
from detector.discovery.splits import Split, splits
from detector.discovery.survey import Glance, glances, hidden, pods_of, sight
from detector.discovery.traffic import Candidate
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.gate.roles import roles_of
from detector.ports import Clock, MetricCatalog
from detector.series import Answer
from detector.signals.packs import Pack
from detector.signals.plan import Family, Plan
from detector.signals.signal import Unit
from pipelines.flows.discovery import BoundCatalog, BoundSource
from pipelines.flows.selftest import Workbench, self_test
from pipelines.flows.turns import Budget
from pipelines.sources.open import Source

__all__ = ["Page", "Services"]

_LATELY_S = 600.0
# A census costs a call for each metric and label; what services there are changes slowly.
_KEPT_S = 60.0
# The canary of nobody.
_NONE = "__none__"
_NOBODY = f'{{{_NONE}="nothing"}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of services by name; `next` is the cursor of the following one."""

    services: tuple[Glance, ...]
    listing: Listing
    next: str | None


@dataclass(slots=True)
class Services:
    """Services of a source; safe for threads. Each question takes `bound_s` seconds at most."""

    source: Source
    catalog: MetricCatalog
    packs: Sequence[Pack]
    clock: Clock
    bound_s: float = 8.0
    _kept: tuple[float, Census] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def listed(self, *, after: str | None = None, limit: int = 50, kept_s: float = _KEPT_S) -> Page:
        """Services after a name, with the label that splits each one's versions.

        Which services there are may be `kept_s` old. What is too wide to be looked at is named in
        the listing; `SourceError` where not even the names of metrics were told.
        """
        now, budget = self.clock(), Budget(self.bound_s)
        look = self._look(now, budget)
        found = self._census(look, now, kept_s)
        rest = [name for name in found.services if after is None or name > after]
        names = rest[:limit]
        chosen = [one for one in found.sightings if one.service in set(names)]
        told, skipped = glances(look, self.packs, chosen)
        listing = Listing(
            metrics=found.metrics,
            services=len(found.services),
            skipped=(*found.skipped, *skipped),
        )
        following = names[-1] if len(rest) > len(names) else None
        return Page(services=told, listing=listing, next=following)

    def namespaces(self, service: str) -> tuple[str, ...]:
        """Where a service runs."""
        look = self._look(self.clock(), Budget(self.bound_s))
        found = self._census(look, self.clock())
        told, _ = glances(look, self.packs, [s for s in found.sightings if s.service == service])
        return told[0].namespaces if told else ()

    def portrait(
        self,
        request: VerdictRequest,
        *,
        test: bool = False,
        policy: Policy | None = None,
        bound_s: float | None = None,
    ) -> Portrait:
        """What would be judged of a service; without a canary in the request, a rehearsal of it.

        With `test` the configuration is also tried on the service's own newest samples.
        """
        now, budget = self.clock(), Budget(bound_s or self.bound_s)
        look = self._look(now, budget)
        names = look.names()
        found = sight(look, self.packs, names, _bare(request))
        seen = None if found is None else found.candidate
        told, arms = _told(request, seen)
        plan = _whole(
            self._plan(budget, told, now), (*_scope(told, seen), *(found.note if found else ()))
        )
        lately = self._lately(budget, plan, now)
        made = Portrait(
            request=told,
            plan=plan,
            pods=_pods(plan, lately),
            splits=_splits(seen),
            rehearsal=arms,
            bindings=bindings(plan, lately),
            hidden=self._hidden(look, names, plan),
        )
        if not test:
            return made
        bench = Workbench(
            source=self.source, catalog=self.catalog, now=now, timeout_s=budget.seconds
        )
        return replace(made, test=self_test(bench, plan, policy or Policy(), told))

    def _look(self, now: float, budget: Budget) -> Look:
        bound = BoundCatalog(self.catalog, budget)
        return Look(catalog=bound, start=now, end=now, timeout_s=budget.seconds)

    def _census(self, look: Look, now: float, kept_s: float = _KEPT_S) -> Census:
        """What services there are, asked for once a minute; with gaps only for who is patient."""
        with self._lock:
            if self._kept is not None:
                at, kept = self._kept
                if 0 <= now - at < kept_s and (not kept.skipped or kept_s > _KEPT_S):
                    return kept
            found = census(look, self.packs, names=look.names())
            self._kept = now, found
            return found

    def _plan(self, budget: Budget, request: VerdictRequest, now: float) -> Plan:
        asked = request if request.canary else replace(request, canary=_NOBODY)
        return discover(
            BoundCatalog(self.catalog, budget),
            self.packs,
            asked,
            start=now - _LATELY_S,
            end=now,
            timeout_s=budget.seconds,
            source=BoundSource(self.source, budget),
        )

    def _lately(self, budget: Budget, plan: Plan, now: float) -> Lately:
        """The newest samples of every family: requests first, whose pods name the others."""
        if not plan.signals:
            return Lately(seconds=_LATELY_S, answers={})
        families = [role.family for role in roles_of(plan)]
        found = list(self._read(budget, plan, families[:1], frozenset(), now))
        label = plan.requests.pod_label
        pods = values_of(label, (s.labels for _, answer in found for s in answer.series))
        found += self._read(budget, plan, families[1:], pods, now)
        return Lately.of(found, _LATELY_S)

    def _read(
        self,
        budget: Budget,
        plan: Plan,
        families: Sequence[Family],
        pods: frozenset[str],
        now: float,
    ) -> Iterator[tuple[Family, Answer]]:
        asked = [(f, query) for f in families for query in family_queries(plan, f, pods)]
        queries = [query for _, query in asked]
        answers = self.source.read(queries, now - _LATELY_S, now, timeout_s=budget.left_s())
        for (family, _), answer in zip(asked, answers, strict=True):
            yield family, answer

    def _hidden(self, look: Look, names: frozenset[str], plan: Plan) -> tuple[Skipped, ...]:
        """Why there is no latency, where histograms are there and cannot be read."""
        if not any(one.name == "latency" for one in plan.missing):
            return ()
        return tuple(hidden(look, self.packs, names, plan.service))


def _bare(request: VerdictRequest) -> Asked:
    """The service with all of its series."""
    asked = asked_of(replace(request, canary=_NOBODY, control=None))
    return replace(asked, canary=())


def _told(
    request: VerdictRequest, seen: Candidate | None
) -> tuple[VerdictRequest, Rehearsal | None]:
    """The request with its arms, and the rehearsal where they had to be found."""
    if request.canary:
        return request, None
    arms = None
    if seen is not None:
        arms = rehearsal(_splits(seen), seen.series, pods_of(seen.pack, seen.pod_label))
    if arms is None:
        return request, None
    return replace(request, canary=arms.canary, control=arms.control), arms


def _splits(seen: Candidate | None) -> tuple[Split, ...]:
    return () if seen is None else splits(seen.series, pods_of(seen.pack, seen.pod_label))


def _scope(request: VerdictRequest, seen: Candidate | None) -> tuple[str, ...]:
    """A word where a service of the same name runs in several namespaces."""
    label = None if seen is None else first_label(seen.pack.namespaces, seen.series)
    if seen is None or label is None or request.namespace is not None:
        return ()
    found = sorted(values_of(label, seen.series))
    if len(found) < 2:
        return ()
    where = ", ".join(found)
    return (f"{request.service} runs in {where}, which are taken together: name a namespace.",)


def _whole(plan: Plan, more: tuple[str, ...]) -> Plan:
    """Where nobody was to be compared, the service as a whole is shown; with more notes."""
    arms = [tuple(m for m in arm if m.label != _NONE) for arm in (plan.canary, *plan.control)]
    notes = tuple(note for note in plan.notes if _NONE not in note)
    return replace(plan, canary=arms[0], control=tuple(arms[1:]), notes=(*notes, *more))


def _pods(plan: Plan, lately: Lately) -> tuple[int, int]:
    ours = lately.pods(plan.requests, plan.canary)
    others = frozenset().union(*(lately.pods(plan.requests, arm) for arm in plan.control))
    # Where a series stands for no pod, one proxy may report of both arms.
    return len(ours), len(others - ours if plan.unit is Unit.POD else others)
