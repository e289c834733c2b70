"""Which metric counts the service's requests: candidates from every pack, best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.discovery.arms import Side, resolve
from detector.discovery.asked import Asked
from detector.discovery.looking import service_matcher
from detector.discovery.matching import Labels, equal, first_label, fits, rules, values_of
from detector.series import Matcher, MatchOp
from detector.signals.packs import Pack
from detector.signals.packs.schema import Durations, Requests
from detector.signals.signal import Unit

__all__ = ["Candidate", "candidates", "durations_of", "probes"]

_UNITS = (Unit.PROXY, Unit.WORKLOAD, Unit.POD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A request metric of a pack that the service has.

    `series` are in the service's scope, probes left out; `canary` is what the asked selector
    finds among them.
    """

    pack: Pack
    requests: Requests
    service: Matcher
    series: tuple[Labels, ...]
    pod_label: str
    canary: Side | None
    durations: Durations | None
    code: str | None

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int, int]:
        """Greater is better: it tells the arms apart, errors, and latency; then by its traffic."""
        return (
            self.canary is not None,
            self.code is not None,
            self.durations is not None,
            _UNITS.index(self.pack.unit),
            len(values_of(self.pod_label, self.series)),
            len(self.series),
        )


def candidates(
    packs: Sequence[Pack], found: Mapping[str, Sequence[Labels]], asked: Asked
) -> list[Candidate]:
    """Every request metric that the service has, best first; packs in order where equal."""
    every = [
        candidate
        for pack in packs
        for requests in pack.requests
        for candidate in _of(pack, requests, found, asked)
    ]
    return sorted(every, key=lambda candidate: candidate.rank, reverse=True)


def _of(
    pack: Pack, requests: Requests, found: Mapping[str, Sequence[Labels]], asked: Asked
) -> Iterator[Candidate]:
    """The candidate by the first label that names the service, one that knows the canary first."""
    own = rules(requests.where, requests.without)
    held = [labels for labels in found.get(requests.metric, ()) if fits(own, labels)]
    made = [
        candidate
        for label in pack.services
        if (candidate := _by(pack, requests, label, held, found, asked)) is not None
    ]
    knowing = [candidate for candidate in made if candidate.canary is not None]
    yield from (knowing or made)[:1]


def _by(
    pack: Pack,
    requests: Requests,
    label: str,
    held: Sequence[Labels],
    found: Mapping[str, Sequence[Labels]],
    asked: Asked,
) -> Candidate | None:
    service = _exact(service_matcher(label, asked.service), asked.service, held)
    left_out = probes(pack)
    series = tuple(
        labels
        for labels in _scoped(pack, held, asked)
        if fits((service,), labels) and not any(fits((probe,), labels) for probe in left_out)
    )
    pod_label = first_label(pack.pods, series)
    if pod_label is None:
        return None
    return Candidate(
        pack=pack,
        requests=requests,
        service=service,
        series=series,
        pod_label=pod_label,
        canary=resolve(asked.canary, series, pod_label),
        durations=durations_of(pack, found, service),
        code=first_label(requests.errors.labels, series),
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


def durations_of(
    pack: Pack, found: Mapping[str, Sequence[Labels]], service: Matcher
) -> Durations | None:
    """The histogram of the pack that most series of the service have, the first where equal."""
    best: tuple[int, Durations | None] = (0, None)
    for part in pack.durations:
        own = (service, *rules(part.where, part.without))
        size = sum(fits(own, labels) for labels in found.get(part.metric, ()))
        best = (size, part) if size > best[0] else best
    return best[1]
