"""From a service's families to bound signals, and why others are not bound."""

from __future__ import annotations

from collections.abc import Iterator

from detector.discovery.extras import extra_signals
from detector.discovery.matching import rules
from detector.discovery.service import Service, ranked
from detector.signals.packs.schema import Role
from detector.signals.plan import BoundSignal, Missing
from detector.signals.signal import Absent, Kind, Signal, Unit

__all__ = ["bound_signals"]

_TAILS = ("tail95", "tail99")
_PER_REQUEST = "CPU seconds per request"


def bound_signals(service: Service) -> tuple[tuple[BoundSignal, ...], tuple[Missing, ...]]:
    """Every signal that the service's families feed, and those that none does."""
    made = [
        _errors(service),
        *_durations(service),
        _restarts(service),
        _cpu(service),
        _memory(service),
        _logs(service),
    ]
    names = {one.signal.name for one in made if isinstance(one, BoundSignal)}
    made += extra_signals(service, frozenset(names))
    bound = tuple(one for one in made if isinstance(one, BoundSignal))
    return bound, tuple(one for one in made if isinstance(one, Missing))


def _errors(service: Service) -> BoundSignal | Missing:
    candidate = service.candidate
    told, label = candidate.requests.errors, candidate.code
    if label is None:
        return Missing(name="error_rate", why=_no_errors(service))
    bad = rules({label: told.match} if label else {}, told.without)
    apart = service.failures()
    signal = Signal(
        name="error_rate", kind=Kind.RATIO, required=True, absent=Absent.ZERO, unit="ratio"
    )
    return BoundSignal(
        signal=signal,
        pack=candidate.pack.name,
        unit=service.unit,
        total=service.requests(),
        bad=bad,
        bad_in=apart[0] if apart else None,
        also=apart[1:],
    )


def _no_errors(service: Service) -> str:
    requests = service.candidate.requests
    if requests.errors.metrics:
        return f"the source has none of {', '.join(requests.errors.metrics)}, which count failures"
    looked = ", ".join(requests.errors.labels)
    return f"{requests.metric} has no label that tells errors: {looked}"


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
    if any(labels.get("quantile") for metric in native for labels in service.found[metric]):
        return _advised(service, f"{native[0]} has quantiles, which cannot be added up over pods")
    if native:
        return f"{native[0]} has no buckets"
    why = f"the service has none of {', '.join(looked) or 'the histograms of a pack'}"
    return _advised(service, why)


def _advised(service: Service, why: str) -> str:
    advice = service.candidate.pack.missing.get("latency")
    return f"{why}; {advice}" if advice else why


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
    signal = Signal(name="memory_growth", kind=Kind.GAUGE, judged=False, unit="bytes", grows=True)
    return BoundSignal(signal=signal, pack=pack.name, unit=service.unit, total=family)


def _logs(service: Service) -> BoundSignal | Missing | None:
    """Error lines by template; without logs in the source there is nothing to miss."""
    every = [one for one in ranked(service.packs, Role.LOG_LINES) if one[1].metric in service.names]
    for pack, told in every if service.unit is Unit.POD else ():
        family = service.beside_family(told)
        if family is not None:
            signal = Signal(name="log_templates", kind=Kind.EVENTS, absent=Absent.ZERO)
            return BoundSignal(
                signal=signal, pack=pack.name, unit=service.unit, total=family, apart=told.apart
            )
    return _absent(service, "log_templates", Role.LOG_LINES) if every else None


def _absent(service: Service, name: str, role: Role) -> Missing:
    if service.unit is not Unit.POD:
        why = "the request series name no pods of the service by which it could be looked up"
        return Missing(name=name, why=why)
    looked = dict.fromkeys(told.metric for _, told in ranked(service.packs, role))
    return Missing(name=name, why=f"the service's pods have none of {', '.join(looked)}")
