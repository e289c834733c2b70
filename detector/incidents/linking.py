"""Whether two symptoms have one cause: the odds of it, by time, service and who calls whom.

Two accounts of the later one are weighed. By chance a service shows a symptom at the rate that it
has shown of itself. As an effect of the other's cause it comes soon before or after it, the sooner
the fewer calls lie between. The weight of evidence is the logarithm of the ratio of both densities
(I. J. Good, Probability and the Weighing of Evidence, 1950).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from detector.incidents.calls import CallMap, Relation
from detector.incidents.symptom import Symptom
from detector.stream.anomaly import Severity

__all__ = ["Alone", "LinkSettings", "Rates", "is_same_place", "link"]

_HOUR_MS = 3_600_000.0
# Incidents of which the prior of a fleet counts as much.
_PRIOR = 10.0
# Incidents of which what all services do counts as much, beside those of one.
_ALIKE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How harm spreads.

    `shown` is how many symptoms a cause makes of the service itself, of a caller, of a callee and
    of who shares a caller with it, `passed` how much of that is left after each further call, and
    `apart` after none that is known; `unmapped` where nobody knows who calls whom. `lag_ms` is the
    mean time between two symptoms of one cause; a `slow` share comes at any time within `long_ms`.
    """

    shown: float = 2.0
    to_caller: float = 0.5
    to_callee: float = 0.1
    to_sibling: float = 0.02
    passed: float = 0.5
    apart: float = 1e-5
    unmapped: float = 0.003
    lag_ms: float = 180_000.0
    slow: float = 0.2
    long_ms: float = _HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """How often each of so many `services` falls ill by itself: `rate`, per millisecond.

    `watched` did so before.
    """

    services: int
    rate: Callable[[str], float]
    watched: Collection[str] = ()


@dataclass(slots=True)
class Rates:
    """How often each service begins an incident by itself: counted, with a prior of one a week.

    `begun` counts all, `graded` those that last by what severity they have, and by the service that
    showed them first. `prior_ms` is for how long of looking the prior counts.
    """

    since: int
    begun: dict[str, int] = field(default_factory=dict)
    graded: dict[str, dict[str, int]] = field(default_factory=dict)
    prior_ms: float = 168 * _HOUR_MS

    def of(self, service: str, now: int) -> float:
        """Incidents per millisecond, of whatever weight."""
        return (1.0 + self.begun.get(service, 0)) / (self.prior_ms + self._looked(now))

    def grade(self, severity: Severity, service: str, by: int) -> None:
        """One more of a severity, or one less."""
        counted = self.graded.setdefault(severity.value, {})
        counted[service] = max(0, counted.get(service, 0) + by)

    def besides(self, severity: Severity, service: str, services: int, now: int) -> Alone:
        """How often they do of this severity, without one of this service that is counted.

        What all services do together is what is expected of each before it is looked at (an
        empirical prior: B. Efron, C. Morris, Stein's Estimation Rule and Its Competitors, 1973):
        grave incidents are far rarer than slight ones, however many there are of these.
        """
        counted, looked = dict(self.graded.get(severity.value, {})), self._looked(now)
        if service in counted:
            counted[service] = max(0, counted[service] - 1)
        services = max(services, len(self.begun), 1)
        told = _PRIOR + sum(counted.values())
        usual_ms = (_PRIOR * self.prior_ms + services * looked) / told
        return Alone(
            services=services,
            rate=lambda one: (_ALIKE + counted.get(one, 0)) / (_ALIKE * usual_ms + looked),
            watched=self.begun.keys(),
        )

    def _looked(self, now: int) -> float:
        return max(0.0, float(now - self.since))


def link(
    earlier: Symptom,
    later: Symptom,
    calls: CallMap,
    rate: Callable[[str], float],
    settings: LinkSettings = LinkSettings(),
) -> float:
    """Natural log odds that both have one cause; above 0 it is the better account."""
    expected = _expected(earlier, later, calls, settings)
    if expected <= 0.0:
        return -math.inf
    lag = abs(later.start - earlier.start)
    soon = math.exp(-lag / settings.lag_ms) / (2 * settings.lag_ms)
    lasts = earlier.end is None or later.start <= earlier.end
    slow = 1.0 / (2 * settings.long_ms) if lag <= settings.long_ms and lasts else 0.0
    density = (1 - settings.slow) * soon + settings.slow * slow
    return math.log(expected) + _log(density) - math.log(rate(later.service))


def is_same_place(one: Symptom, other: Symptom) -> bool:
    """Whether two services of a name may be one: no namespace and no cluster says otherwise."""
    return all(
        a == b or not a or not b
        for a, b in ((one.namespace, other.namespace), (one.cluster, other.cluster))
    )


def _expected(earlier: Symptom, later: Symptom, calls: CallMap, settings: LinkSettings) -> float:
    """How many symptoms of the later one's service the earlier one's cause makes."""
    if earlier.service == later.service:
        return settings.shown if is_same_place(earlier, later) else settings.apart
    if not (calls.knows(earlier.service) and calls.knows(later.service)):
        return settings.unmapped
    relation, steps = calls.relation(later.service, earlier.service)
    further = settings.passed ** (steps - 1)
    match relation:
        case Relation.CALLER:
            return settings.to_caller * further
        case Relation.CALLEE:
            # Either shows first: the callee may be the cause whose caller was heard before it.
            return max(settings.to_callee, settings.to_caller) * further
        case Relation.SIBLING:
            return settings.to_sibling
        case _:
            return settings.apart


def _log(value: float) -> float:
    return math.log(value) if value > 0.0 else -math.inf
