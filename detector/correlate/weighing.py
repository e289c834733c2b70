"""All measurements of a scene judged, together by service and kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.correlate.evidence import Kind, Scene
from detector.correlate.finding import Finding, found_in_gauge, found_in_tally, tails

__all__ = ["Pile", "Weighed", "piled", "weighed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """All findings of one service and one kind; `odds` of them together: the mean of their odds.

    Which of many measurements shows a fault is not known before, so looking at more of them costs.
    """

    findings: tuple[Finding, ...]
    odds: float

    @property
    def amount(self) -> Finding | None:
        """The finding whose excess adds up over calls."""
        return next((found for found in self.findings if len(found.excess)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Every service of a scene by its place, and what is odd about it, by kind."""

    services: Mapping[str, int]
    piles: Mapping[Kind, Mapping[str, Pile]]

    def findings(self, service: str) -> tuple[Finding, ...]:
        """All of a service, the oddest first."""
        found = [one for of in self.piles.values() if service in of for one in of[service].findings]
        return tuple(sorted(found, key=_oddest))


def piled(findings: Sequence[Finding]) -> Pile:
    """Findings together, the oddest first."""
    ordered = tuple(sorted(findings, key=_oddest))
    odds = np.array([found.odds for found in ordered])
    return Pile(findings=ordered, odds=float(np.logaddexp.reduce(odds) - np.log(len(odds))))


def _oddest(found: Finding) -> tuple[float, str, str]:
    return -found.odds, found.name, found.occasion or ""


def weighed(scene: Scene) -> Weighed:
    """Every measurement that has values on both sides, judged."""
    gathered: dict[Kind, dict[str, list[Finding]]] = {}
    for found in _judged(scene):
        gathered.setdefault(found.kind, {}).setdefault(found.service, []).append(found)
    return Weighed(
        services={name: place for place, name in enumerate(_services(scene))},
        piles={
            kind: {service: piled(found) for service, found in sorted(of_kind.items())}
            for kind, of_kind in sorted(gathered.items())
        },
    )


def _judged(scene: Scene) -> list[Finding]:
    wild = tails(scene.gauges)
    found = [
        found_in_gauge(gauge, scene.at, wild.get(gauge.family or gauge.name))
        for gauge in scene.gauges
    ]
    return [one for one in found if one is not None] + [
        found_in_tally(tally, scene.at) for tally in scene.tallies
    ]


def _services(scene: Scene) -> list[str]:
    named = {gauge.service for gauge in scene.gauges} | {tally.service for tally in scene.tallies}
    named |= {call.caller for call in scene.calls} | {call.callee for call in scene.calls}
    return sorted(named | ({scene.complaint.service} if scene.complaint else set()))
