"""A pack tried on a source: which of its metrics are there, and what it binds of which service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.discovery.amount import family_queries
from detector.discovery.bindings import Binding
from detector.discovery.matching import values_of
from detector.discovery.nearest import nearest
from detector.gate.request import VerdictRequest
from detector.signals.packs import Pack
from detector.signals.packs.schema import Role
from detector.signals.plan import BoundSignal, Missing, Plan
from pipelines.flows.services import Services

__all__ = ["MetricThere", "PackTest", "Sample", "Tried", "metrics_there", "try_pack"]

_LATELY_S = 600.0
_TRIED, _LISTED = 3, 1000
_SIGNALS = {
    Role.RESTARTS: "restarts",
    Role.OOM: "restarts",
    Role.CPU: "cpu_per_request",
    Role.MEMORY: "memory_growth",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricThere:
    """A metric that the pack names, and where under `key`; `nearest` exist in its place."""

    metric: str
    key: str
    there: bool
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The newest sample of one series of a signal; unix seconds."""

    labels: Mapping[str, str]
    time: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What the pack binds of one service, with a sample by signal, and what it does not."""

    service: str
    bindings: tuple[Binding, ...]
    samples: Mapping[str, Sample]
    missing: tuple[Missing, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackTest:
    """A pack on a source. `services` are those that have its requests, `tried` some of them."""

    pack: Pack
    metrics: tuple[MetricThere, ...]
    services: tuple[str, ...]
    tried: tuple[Tried, ...]

    @property
    def is_there(self) -> bool:
        """Whether any metric of the pack exists."""
        return any(one.there for one in self.metrics)

    @property
    def is_bound(self) -> bool:
        """Whether every service that was tried has what the pack knows of it."""
        return bool(self.tried) and all(one.bindings and not one.missing for one in self.tried)


def try_pack(pack: Pack, known: Services, *, service: str | None) -> PackTest:
    """The pack by itself on what the source has lately; of `service`, or of some that have it.

    A pack without requests is tried beside those of `known`, which find the services for it.
    `SourceError` where the source does not answer.
    """
    beside = [] if pack.requests else [one for one in known.packs if one.name != pack.name]
    services = Services(
        source=known.source,
        catalog=known.catalog,
        packs=[pack, *beside],
        clock=known.clock,
        bound_s=known.bound_s,
    )
    names = services.catalog.metrics(timeout_s=services.bound_s)
    metrics = metrics_there(_named(pack), names)
    listed: tuple[str, ...] = ()
    if any(one.there for one in metrics):
        listed = tuple(one.service for one in services.listed(limit=_LISTED).services)
    chosen = [service] if service is not None else list(listed[:_TRIED])
    tried = [_tried(pack, services, name) for name in chosen]
    return PackTest(
        pack=pack,
        metrics=metrics,
        services=listed,
        tried=tuple(_telling(pack, tried, is_asked=service is not None)),
    )


def _telling(pack: Pack, tried: Sequence[Tried], *, is_asked: bool) -> Iterator[Tried]:
    """Of a pack without requests only the services that it says something of."""
    yield from (one for one in tried if is_asked or pack.requests or one.bindings)


def metrics_there(
    keyed: Iterable[tuple[str, str]], names: frozenset[str]
) -> tuple[MetricThere, ...]:
    """Which metrics exist, each once; `keyed`: metrics after the keys that name them."""
    first: dict[str, str] = {}
    for key, metric in keyed:
        first.setdefault(metric, key)
    return tuple(
        MetricThere(
            metric=metric,
            key=key,
            there=metric in names,
            nearest=() if metric in names else tuple(nearest(metric, names)[:3]),
        )
        for metric, key in first.items()
    )


def _named(pack: Pack) -> Iterator[tuple[str, str]]:
    for at, requests in enumerate(pack.requests):
        yield f"requests[{at}].metric", requests.metric
        for failed in requests.errors.metrics:
            yield f"requests[{at}].errors.metrics", failed
    for at, durations in enumerate(pack.durations):
        yield f"durations[{at}].metric", durations.metric
    for at, resource in enumerate(pack.resources):
        yield f"resources[{at}].metric", resource.metric
    for at, extra in enumerate(pack.signals):
        yield f"signals[{at}].metric", extra.metric


def _tried(pack: Pack, services: Services, service: str) -> Tried:
    portrait = services.portrait(VerdictRequest(service=service, canary=""))
    own = tuple(one for one in portrait.bindings if one.pack == pack.name)
    bound = {one.name for one in own}
    signals = [one for one in portrait.plan.signals if one.signal.name in bound]
    return Tried(
        service=service,
        bindings=own,
        samples=dict(_samples(services, portrait.plan, signals)),
        missing=tuple(_missing(pack, portrait.plan)),
        notes=portrait.plan.notes,
    )


def _missing(pack: Pack, plan: Plan) -> Iterator[Missing]:
    """What the pack says that it knows and that was not bound."""
    wanted = {"error_rate"} if pack.requests else set()
    if pack.durations:
        wanted |= {"latency"}
    wanted |= {_SIGNALS[one.role] for one in pack.resources if one.role in _SIGNALS}
    yield from (one for one in plan.missing if one.name in wanted)
    bound = {one.signal.name for one in plan.signals}
    for name in dict.fromkeys(extra.name for extra in pack.signals):
        stands_in = any(e.instead_of in bound for e in pack.signals if e.name == name)
        if name not in bound and not stands_in:
            yield Missing(name=name, why="no pod of the service has any of its metrics")


def _samples(
    services: Services, plan: Plan, signals: Sequence[BoundSignal]
) -> Iterator[tuple[str, Sample]]:
    """One newest sample of each signal that has any."""
    now, bound_s = services.clock(), services.bound_s
    asked = family_queries(plan, plan.requests, ())
    answers = services.source.read(asked, now - _LATELY_S, now, timeout_s=bound_s)
    held = [series.labels for answer in answers for series in answer.series]
    pods = values_of(plan.requests.pod_label, held)
    for bound in signals:
        queries = family_queries(plan, bound.total, pods)
        for answer in services.source.read(queries, now - _LATELY_S, now, timeout_s=bound_s):
            series = next((one for one in answer.series if one.times.size), None)
            if series is not None:
                time, value = float(series.times[-1]), float(series.values[-1])
                yield bound.signal.name, Sample(labels=series.labels, time=time, value=value)
                break
