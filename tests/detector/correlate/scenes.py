"""Simulated services that call each other, and a fault in one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detector.correlate.evidence import Calls, Complaint, Gauge, Kind, Scene, Tally
from detector.stream.anomaly import Side

__all__ = ["MINUTE", "START", "World", "failures", "gauge", "renamed", "scene", "world"]

Array = NDArray[np.float64]
START, MINUTE = 1_700_000_000_000, 60_000
_PAST, _DURING = 60, 5
AT = tuple(START + MINUTE * later for later in range(_DURING))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Mean latencies by minute: a service's own, and that of those it calls, once each."""

    scene: Scene
    guilty: str | None


def gauge(service: str, past: Array, during: Array, **changed: object) -> Gauge:
    """A mean latency."""
    told = Gauge(
        service=service, name="latency", kind=Kind.LATENCY, side=Side.ABOVE,
        past=past, before=np.empty(0), during=during, additive=True,
    )  # fmt: skip
    return replace(told, **changed)  # type: ignore[arg-type]


def failures(service: str, past: Array, during: Array, requests: float = 100.0) -> Tally:
    """Failures by bin of so many requests each."""
    return Tally(
        service=service, name="failures", kind=Kind.ERRORS, side=Side.ABOVE, past_events=past,
        past_occasions=np.full(len(past), requests), events=during,
        occasions=np.full(len(during), requests),
    )  # fmt: skip


def scene(*found: Gauge | Tally, calls: str = "", complaint: Complaint | None = None) -> Scene:
    """A scene of measurements; `calls` as `web>cart cart>db`."""
    return Scene(
        start=START,
        at=AT,
        gauges=tuple(one for one in found if isinstance(one, Gauge)),
        tallies=tuple(one for one in found if isinstance(one, Tally)),
        calls=tuple(
            Calls(caller=caller, callee=callee)
            for caller, callee in (pair.split(">") for pair in calls.split())
        ),
        requests={},
        complaint=complaint,
    )


def world(seed: int, services: int = 12, slower: float = 6.0) -> World:
    """A random graph without circles; the latency of one service, drawn too, is `slower` times.

    `slower` 1 is a world without a fault.
    """
    rng = np.random.default_rng(seed)
    calls = [
        (caller, callee)
        for callee in range(1, services)
        for caller in {int(rng.integers(callee)) for _ in range(1 + int(rng.integers(2)))}
    ]
    guilty = int(rng.integers(services))
    minutes = _PAST + _DURING
    own = rng.lognormal(rng.normal(-3.0, 1.0, services)[:, None], 0.1, (services, minutes))
    own[guilty, _PAST:] *= slower
    total = own.copy()
    for place in reversed(range(services)):
        for caller, callee in calls:
            if caller == place:
                total[place] += total[callee]
    names = [f"service-{place}" for place in range(services)]
    return World(
        scene=replace(
            scene(
                *(gauge(n, row[:_PAST], row[_PAST:]) for n, row in zip(names, total, strict=True))
            ),
            calls=tuple(
                Calls(caller=names[a], callee=names[b], per_request=1.0) for a, b in sorted(calls)
            ),
        ),
        guilty=names[guilty] if slower != 1.0 else None,
    )


def renamed(told: Scene, names: dict[str, str]) -> Scene:
    """The same scene under other names."""
    return replace(
        told,
        gauges=tuple(replace(one, service=names[one.service]) for one in told.gauges),
        tallies=tuple(replace(one, service=names[one.service]) for one in told.tallies),
        calls=tuple(
            replace(one, caller=names[one.caller], callee=names[one.callee]) for one in told.calls
        ),
        requests={names[name]: values for name, values in told.requests.items()},
    )
