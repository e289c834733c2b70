"""Histories with a known truth, and what people said of them, for tests of learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from detector.changes.change import Change, ChangeKind
from detector.incidents.folding import begun, resolved
from detector.incidents.incident import Incident
from detector.incidents.linking import Alone
from detector.incidents.record import KeptIncident, Said, SaidKind
from detector.incidents.suspects import SuspectSettings, suspected
from tests.detector.incidents.making import CALLS, T0, change, symptom

__all__ = ["DAY", "DEFAULTS", "History", "incident", "lived", "said"]

DAY = 1440
DEFAULTS = SuspectSettings().bad
# About once in ten days a service falls ill by itself.
ALONE = Alone(services=6, rate=lambda _: 1.0 / (10 * DAY * 60_000))
SERVICES = ("web", "cart", "search", "db", "mail", "cron")


@dataclass(slots=True)
class History:
    """What happened, and what was said of it."""

    kept: list[KeptIncident] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def incident(service: str, minute: float, changes: list[Change]) -> Incident:
    """One that a service showed at a minute, with its suspects among some changes."""
    symptoms = (symptom(service, minute),)
    made = begun("default", symptoms, T0 + round(60_000 * minute))
    suspects = suspected(symptoms, changes, CALLS, ALONE)
    return replace(resolved(made, made.began + 600_000), suspects=suspects)


def said(one: Incident, kind: SaidKind | None, guilty: Change | None = None) -> KeptIncident:
    """A person said it of an incident, or nobody did."""
    if kind is None:
        return KeptIncident(incident=one)
    word = Said(
        at=one.began + 1, kind=kind, person="ada", change=None if guilty is None else guilty.id
    )
    return KeptIncident(incident=one, said=(word,))


def lived(
    seed: int, bad: Mapping[ChangeKind, float], *, days: int = 60, spoken: float = 0.7
) -> History:
    """Days in which changes of each kind break something as often as `bad` says.

    Twelve deployments, eight flags and six configurations a day; a service falls ill by itself
    every other day. People speak of a share of incidents.
    """
    rng, made = np.random.default_rng(seed), History()
    many = {ChangeKind.DEPLOYMENT: 12, ChangeKind.FLAG: 8, ChangeKind.CONFIG: 6}
    broken: list[tuple[float, str, Change | None]] = []
    for day in range(days):
        for kind, count in many.items():
            for _ in range(count):
                minute, service = DAY * (day + float(rng.random())), str(rng.choice(SERVICES))
                one = change(service, round(minute, 4), kind)
                made.changes.append(one)
                if rng.random() < bad[kind]:
                    broken.append((minute + _lag(rng), service, one))
        broken += [
            (DAY * (day + float(rng.random())), str(rng.choice(SERVICES)), None)
            for _ in range(rng.poisson(0.5))
        ]
    for minute, service, guilty in broken:
        at = T0 + 60_000 * minute
        near = [one for one in made.changes if at - 86_400_000 < one.started_at < at + 60_000]
        found = incident(service, round(minute, 4), near)
        word = SaidKind.NO_CHANGE if guilty is None else SaidKind.CAUSED_BY
        made.kept.append(said(found, word if rng.random() < spoken else None, guilty))
    return made


def _lag(rng: np.random.Generator) -> float:
    """Minutes: most at once, some with the first load, some as a leak."""
    return float(rng.exponential(rng.choice([6.0, 25.0, 120.0], p=(0.65, 0.2, 0.15))))
