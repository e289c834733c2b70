"""Signals that packs know beside the requests: calls to others, queues, runtimes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from detector.discovery.matching import first_label, fits, rules, values_of
from detector.discovery.service import Service
from detector.signals.packs import Pack
from detector.signals.packs.schema import Errors, Extra
from detector.signals.plan import BoundSignal, Family
from detector.signals.signal import Absent, Kind, Signal

__all__ = ["extra_signals"]

_ZERO = {Kind.RATIO, Kind.EVENTS}


def extra_signals(service: Service, bound: frozenset[str]) -> Iterator[BoundSignal]:
    """Each extra signal that the service exposes, by the lowest rank of what exists.

    What stands in for one of the signals `bound` already is left out.
    """
    every = [
        (extra, pack)
        for pack in service.packs
        for extra in pack.signals
        if extra.instead_of not in bound
    ]
    done: set[str] = set()
    for extra, pack in sorted(every, key=lambda told: told[0].rank):
        made = None if extra.name in done else _bound(service, pack, extra)
        if made is not None:
            done.add(extra.name)
            yield made


def _bound(service: Service, pack: Pack, extra: Extra) -> BoundSignal | None:
    family = service.beside_family(extra)
    if family is None:
        return None
    bound = BoundSignal(
        signal=_signal(extra),
        pack=pack.name,
        unit=service.unit,
        total=family,
        load=service.requests() if extra.per_request else None,
    )
    return _with_errors(service, extra.errors, bound) if extra.errors else bound


def _signal(extra: Extra) -> Signal:
    return Signal(
        name=extra.name,
        kind=extra.kind,
        direction=extra.direction,
        unit=extra.unit,
        judged=extra.judged,
        grows=extra.grows,
        absent=Absent.ZERO if extra.kind in _ZERO else Absent.UNSURE,
    )


def _with_errors(service: Service, errors: Errors, bound: BoundSignal) -> BoundSignal | None:
    """The ratio with what is bad in it, None where nothing tells that."""
    total = bound.total
    if errors.metrics:
        apart = [replace(total, metric=one) for one in errors.metrics]
        return replace(bound, bad_in=apart[0], also=tuple(apart[1:]))
    label = _label(service, errors, total)
    if label is None:
        return None
    return replace(bound, bad=rules({label: errors.match}, errors.without))


def _label(service: Service, errors: Errors, total: Family) -> str | None:
    """The label of the series whose values are codes."""
    series = [s for s in service.beside.get(total.metric, ()) if fits(total.matchers, s)]
    known = [name for name in errors.labels if _is_code(errors, values_of(name, series))]
    return first_label(known, series) or (errors.labels[0] if errors.only_on_errors else None)


def _is_code(errors: Errors, values: frozenset[str]) -> bool:
    (like,) = rules({"": errors.like}, {})
    return any(fits((like,), {"": value}) for value in values)
