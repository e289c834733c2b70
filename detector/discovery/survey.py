"""A look at services without a rollout: pods, namespaces, splits, and what hides a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.discovery.asked import Asked
from detector.discovery.census import Sighting, Skipped
from detector.discovery.looking import Look, service_matcher, service_queries
from detector.discovery.matching import Labels, first_label, fits, literal, rules, values_of
from detector.discovery.splits import Split, splits
from detector.discovery.traffic import Candidate, candidates
from detector.errors import SourceError
from detector.series import Matcher, MatchOp, Query
from detector.signals.packs import Pack
from detector.signals.signal import Unit

__all__ = ["Glance", "Sight", "View", "glances", "hidden", "pods_of", "sight", "views"]

_AT_ONCE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A service as a list shows it; `metrics` count its requests, the one that is looked at first.

    `split` is the label that tells its versions apart, None where none is of use.
    """

    service: str
    metrics: tuple[str, ...]
    packs: tuple[str, ...]
    namespaces: tuple[str, ...]
    pods: int
    split: Split | None


def glances(
    look: Look, packs: Sequence[Pack], sightings: Sequence[Sighting]
) -> tuple[tuple[Glance, ...], tuple[Skipped, ...]]:
    """What the sighted services look like now, by name, and those that were too wide to look at."""
    found, skipped = views(look, packs, sightings)
    return tuple(_glance(name, held) for name, held in found.items()), skipped


def views(
    look: Look,
    packs: Sequence[Pack],
    sightings: Sequence[Sighting],
    *,
    whole: bool = False,
    may_go_on: Callable[[], bool] = lambda: True,
) -> tuple[Mapping[str, Sequence[View]], tuple[Skipped, ...]]:
    """By service each of its request metrics, the one that is looked at first in front.

    Series are those of now, or of the `whole` span of the look. Many services are asked for at
    once; where that is too much for the source, in halves. Who is not asked about by the time at
    which `may_go_on` says no is among the skipped.
    """
    found: dict[tuple[str, str], dict[str, list[Labels]]] = {}
    skipped: list[Skipped] = []
    by_name = {pack.name: pack for pack in packs}
    for metric, label, pack in sorted({(o.metric, o.label, o.pack) for o in sightings}):
        key = metric, label, pack
        names = sorted({o.service for o in sightings if (o.metric, o.label, o.pack) == key})
        wanted = _Wanted(
            look=look,
            metric=metric,
            label=label,
            pack=by_name[pack],
            whole=whole,
            may_go_on=may_go_on,
        )
        for begin in range(0, len(names), _AT_ONCE):
            series = wanted.series(names[begin : begin + _AT_ONCE], skipped)
            held = found.setdefault((metric, label), {})
            for labels in series:
                held.setdefault(labels.get(label, ""), []).append(labels)
    services: dict[str, list[View]] = {name: [] for name in sorted({o.service for o in sightings})}
    for one in sightings:
        services[one.service].append(_view(one, by_name[one.pack], found))
    return {name: _ranked(held) for name, held in services.items()}, tuple(skipped)


def _ranked(found: Sequence[View]) -> Sequence[View]:
    """Those with series, of pods before all others, with most pods first."""
    held = [view for view in found if view.series] or found
    return sorted(held, key=lambda one: (one.pack.unit is Unit.POD, one.pods), reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Services that one metric names by one label."""

    look: Look
    metric: str
    label: str
    pack: Pack
    whole: bool
    may_go_on: Callable[[], bool]

    def _asked(self, names: Sequence[str]) -> Sequence[Labels]:
        matchers = [service_matcher(self.label, name, self.pack) for name in names]
        queries = [Query(self.metric, (_any(matchers),))]
        found = self.look.series(queries) if self.whole else self.look.now(queries)
        return found.get(self.metric, ())

    def series(self, names: Sequence[str], skipped: list[Skipped]) -> Sequence[Labels]:
        """Label sets of some services now; a source that finds them too many is asked in halves."""
        if not self.may_go_on():
            why = "not looked at in the time"
            skipped += [Skipped(what=f"{name} ({self.metric})", why=why) for name in names]
            return ()
        try:
            return self._asked(names)
        except SourceError as error:
            if error.code != "query_rejected" or len(names) == 1:
                why = f"not looked at: {error}"
                skipped += [Skipped(what=f"{name} ({self.metric})", why=why) for name in names]
                return ()
        middle = len(names) // 2
        return [*self.series(names[:middle], skipped), *self.series(names[middle:], skipped)]


def _any(matchers: Sequence[Matcher]) -> Matcher:
    """One matcher of what any of several selects, all of one label."""
    if len(matchers) == 1:
        return matchers[0]
    parts = [m.value if m.op is MatchOp.MATCHES else literal(m.value) for m in matchers]
    return Matcher(matchers[0].label, MatchOp.MATCHES, "|".join(parts))


def _glance(service: str, found: Sequence[View]) -> Glance:
    best = found[0]
    usable = [one for one in splits(best.series, best.split_by) if not one.against]
    return Glance(
        service=service,
        metrics=tuple(dict.fromkeys(view.metric for view in found)),
        packs=tuple(dict.fromkeys(view.pack.name for view in found)),
        namespaces=tuple(sorted({n for view in found for n in view.namespaces})),
        pods=best.pods,
        split=usable[0] if usable else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A service by one of its metrics; `matchers` select its requests."""

    service: str
    metric: str
    pack: Pack
    matchers: tuple[Matcher, ...]
    series: tuple[Labels, ...]
    pod_label: str

    @property
    def query(self) -> Query:
        """What selects its requests."""
        return Query(self.metric, self.matchers)

    def reading(self, metric: str, others: tuple[Matcher, ...]) -> View:
        """The same service by another metric that carries its name."""
        return replace(self, metric=metric, matchers=(self.matchers[0], *others))

    @property
    def split_by(self) -> str:
        """The label that names its own pods, empty where none does."""
        return pods_of(self.pack, self.pod_label)

    @property
    def pods(self) -> int:
        """How many of its own pods there are."""
        return len(values_of(self.split_by, self.series))

    @property
    def namespaces(self) -> frozenset[str]:
        """Where it is."""
        label = first_label(self.pack.namespaces, self.series)
        return values_of(label, self.series) if label else frozenset()


def _view(
    sighting: Sighting,
    pack: Pack,
    found: Mapping[tuple[str, str], Mapping[str, Sequence[Labels]]],
) -> View:
    named = service_matcher(sighting.label, sighting.service, pack)
    told = next(one for one in pack.requests if one.metric == sighting.metric)
    others = rules(told.where, told.without)
    held = found.get((sighting.metric, sighting.label), {})
    ours = [value for value in held if fits((named,), {sighting.label: value})]
    series = tuple(s for value in ours for s in held[value] if fits(others, s))
    label = first_label(pack.pods, series) or pack.pods[0]
    return View(
        service=sighting.service,
        metric=sighting.metric,
        pack=pack,
        matchers=(named, *others),
        series=series,
        pod_label=label,
    )


def pods_of(pack: Pack, pod_label: str) -> str:
    """The label that names the service's own pods; empty where series are not of its pods."""
    return pod_label if pack.unit is Unit.POD else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The request metric of one service as it is now; `doubles` are its histograms besides."""

    candidate: Candidate
    doubles: tuple[str, ...]

    @property
    def note(self) -> tuple[str, ...]:
        """A word where durations are counted more than once, be it in other units."""
        chosen = self.candidate.durations
        if chosen is None or not self.doubles:
            return ()
        others = ", ".join(self.doubles)
        return (
            f"Durations are read from {chosen.metric}, which most pods have; not from {others}.",
        )


def sight(look: Look, packs: Sequence[Pack], names: frozenset[str], asked: Asked) -> Sight | None:
    """One service with all of its series; None where it is not there."""
    found = look.now(service_queries(packs, names, asked.service, asked.namespace))
    every = candidates(packs, found, asked)
    if not every:
        return None
    best = every[0]
    told = dict.fromkeys(part.metric for part in best.pack.durations if found.get(part.metric))
    chosen = None if best.durations is None else best.durations.metric
    return Sight(candidate=best, doubles=tuple(name for name in told if name != chosen))


def hidden(
    look: Look, packs: Sequence[Pack], names: frozenset[str], service: str
) -> Iterator[Skipped]:
    """Histograms that the service has and that cannot be read: those without their last bucket."""
    for pack in packs:
        for told in pack.durations:
            if told.metric not in names:
                continue
            named = [service_matcher(label, service, pack) for label in pack.services]
            edges = look.values_now("le", [Query(told.metric, (one,)) for one in named])
            if edges and not {"+Inf", "inf", "Inf"} & set(edges):
                yield Skipped(what=told.metric, why=_endless(told.metric, edges))


def _endless(metric: str, edges: Sequence[str]) -> str:
    shown = ", ".join(sorted(edges, key=_number)[-3:])
    return (
        f'{metric} has no bucket le="+Inf" (its last edges: {shown}), so that nobody knows how'
        " many requests there were: client libraries write it, a relabelling drops it"
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")
