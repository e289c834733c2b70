"""Which metric counts the service's requests: candidates from every pack, best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.discovery.arms import Side, resolve
from detector.discovery.asked import Asked
from detector.discovery.looking import service_matcher
from detector.discovery.matching import Labels, equal, first_label, fits, rules, values_of
from detector.discovery.spelling import by_name, namespaces_of
from detector.series import Matcher, MatchOp
from detector.signals.packs import Pack
from detector.signals.packs.schema import PODS, Durations, Errors, Requests
from detector.signals.signal import Unit

__all__ = ["Candidate", "Found", "candidates", "probes"]

Found = Mapping[str, Sequence[Labels]]
_UNITS = (Unit.PROXY, Unit.WORKLOAD, Unit.POD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A request metric of a pack that the service has.

    `service` are the matchers that name the service, none where only the arms' selectors do.
    `series` are those of the service, probes left out; `canary` is what the asked selector finds
    among them; `code` is the label that tells errors, empty where a counter of their own does.
    """

    pack: Pack
    requests: Requests
    service: tuple[Matcher, ...]
    series: tuple[Labels, ...]
    pod_label: str
    canary: Side | None
    durations: Durations | None
    code: str | None

    @property
    def fitness(self) -> tuple[bool, bool, bool, int]:
        """Greater is better: it knows the arms, errors and latency, and how many pods."""
        return (
            self.canary is not None,
            self.code is not None,
            self.durations is not None,
            len(values_of(self.pod_label, self.series)),
        )

    @property
    def rank(self) -> tuple[tuple[bool, bool, bool], int, int, int, int]:
        """Among packs: what it knows, its own rank, what a series stands for, pods, and series."""
        known = self.fitness
        return known[:3], -self.pack.rank, _UNITS.index(self.pack.unit), known[3], len(self.series)


def candidates(packs: Sequence[Pack], found: Found, asked: Asked) -> list[Candidate]:
    """The best request metric of each pack, best first; in the order of packs where equal."""
    best = []
    for pack in packs:
        every = [c for requests in pack.requests for c in _of(pack, requests, found, asked)]
        ordered = sorted(every, key=lambda candidate: candidate.fitness, reverse=True)
        best += _telling_errors(ordered)[:1]
    return sorted(best, key=lambda candidate: candidate.rank, reverse=True)


def _telling_errors(ordered: list[Candidate]) -> list[Candidate]:
    """The metric with codes first, if the canary was only seen in one without.

    A counter by code is born with the first request: a canary without users has a histogram only,
    and bound to that it would never be judged by its errors.
    """
    best = ordered[0] if ordered else None
    if best is None or best.code is not None or best.canary is None:
        return ordered
    coded = next((c for c in ordered if c.code is not None and c.canary is None), None)
    if coded is None or coded.pod_label != best.pod_label or coded.service != best.service:
        return ordered
    return [replace(coded, canary=best.canary), *ordered]


def _of(pack: Pack, requests: Requests, found: Found, asked: Asked) -> Iterator[Candidate]:
    """By the first label that names the service, one that knows the canary before all others.

    By none where only series that the arms' selectors found know it.
    """
    own = rules(requests.where, requests.without)
    held = [labels for labels in found.get(requests.metric, ()) if fits(own, labels)]
    held = _traffic(pack, _scoped(pack, held, asked))
    if not held:
        return
    made: list[Candidate] = []
    for label in pack.services:
        made += _called(pack, requests, label, held, found, asked, asked.namespace)
    if not any(one.canary is not None for one in made) and _may_be_bare(pack, asked):
        bare = _candidate(pack, requests, (), tuple(held), found, asked)
        made = [bare] if bare.canary is not None or not made else made
    knowing = [one for one in made if one.canary is not None]
    yield from (*knowing, *made)[:1]


def _may_be_bare(pack: Pack, asked: Asked) -> bool:
    """Whether the arms' selectors alone tell a service.

    The pod of a proxy's series, or of one that reports calls, is no pod of the service called.
    """
    return pack.unit is Unit.POD or not any(m.label in PODS for m in asked.canary)


def _called(
    pack: Pack,
    requests: Requests,
    label: str,
    held: Sequence[Labels],
    found: Found,
    asked: Asked,
    namespace: str | None,
) -> list[Candidate]:
    """The service by one label, if any series bears its name there.

    Where names tell namespaces and none is asked for, that of the canary is the service's.
    """
    service = service_matcher(label, asked.service, pack, namespace)
    if label not in pack.pods and label not in pack.spelled:
        service = _exact(service, asked.service, held)
    series = tuple(labels for labels in held if fits((service,), labels))
    if not series:
        return []
    made = _candidate(pack, requests, (service,), series, found, asked)
    near = _namespace(made, label, asked.service) if namespace is None else None
    if near is None:
        return [made]
    return _called(pack, requests, label, held, found, asked, near)


def _namespace(candidate: Candidate, label: str, service: str) -> str | None:
    """The one namespace that the names of the canary tell."""
    pattern = candidate.pack.spelled.get(label)
    if pattern is None or candidate.canary is None:
        return None
    names = namespaces_of(pattern, service, [*values_of(label, candidate.canary.series)])
    return next(iter(names)) if len(names) == 1 else None


def _traffic(pack: Pack, series: Sequence[Labels]) -> list[Labels]:
    """The series that are no probes."""
    left_out = probes(pack)
    return [s for s in series if not any(p.label in s and fits((p,), s) for p in left_out)]


def _candidate(
    pack: Pack,
    requests: Requests,
    service: tuple[Matcher, ...],
    series: tuple[Labels, ...],
    found: Found,
    asked: Asked,
) -> Candidate:
    pod_label = first_label(pack.pods, series) or pack.pods[0]
    return Candidate(
        pack=pack,
        requests=requests,
        service=service,
        series=series,
        pod_label=pod_label,
        canary=resolve(asked.canary, series, pod_label)
        or by_name(asked.canary, asked.service, series, pack, asked.namespace, is_canary=True),
        durations=_durations(pack, found, series, pod_label),
        code=_code(requests.errors, series, found),
    )


def _exact(matcher: Matcher, service: str, series: Sequence[Labels]) -> Matcher:
    """The plain value where a pattern finds only one."""
    if matcher.op is MatchOp.EQUAL:
        return matcher
    values = {v for v in values_of(matcher.label, series) if fits((matcher,), {matcher.label: v})}
    if service in values:
        return equal(matcher.label, service)
    return equal(matcher.label, min(values)) if len(values) == 1 else matcher


def _scoped(pack: Pack, series: Sequence[Labels], asked: Asked) -> Sequence[Labels]:
    """Those of the asked namespace and cluster, as far as the series tell any."""
    for names, value in ((pack.namespaces, asked.namespace), (pack.clusters, asked.cluster)):
        label = first_label(names, series)
        if value is not None and label is not None:
            series = [labels for labels in series if labels.get(label) == value]
    return series


def probes(pack: Pack) -> tuple[Matcher, ...]:
    """Matchers of which any tells that a series counts probes."""
    return rules(pack.health, {})


def _durations(
    pack: Pack, found: Found, series: Sequence[Labels], pod_label: str
) -> Durations | None:
    """The histogram that most pods of the service have, the first where equal."""
    pods = {labels.get(pod_label) for labels in series}
    best: tuple[int, Durations | None] = (0, None)
    for part in pack.durations:
        own = rules(part.where, part.without)
        held = {s.get(pod_label) for s in found.get(part.metric, ()) if fits(own, s)}
        best = (len(held & pods), part) if len(held & pods) > best[0] else best
    return best[1]


def _code(errors: Errors, series: Sequence[Labels], found: Found) -> str | None:
    """The label whose values are codes; empty where failures are counted apart."""
    if errors.metrics:
        known = errors.only_on_errors or any(metric in found for metric in errors.metrics)
        return "" if known else None
    (like,) = rules({"": errors.like}, {})
    labels = [
        label
        for label in errors.labels
        if any(fits((like,), {"": value}) for value in values_of(label, series))
    ]
    return first_label(labels, series) or (errors.labels[0] if errors.only_on_errors else None)
