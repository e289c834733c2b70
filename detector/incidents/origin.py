"""Where an incident may have begun: how well each service explains who shows symptoms, and when.

Harm travels from a service to who calls it, as errors and as time that they wait, and to whom it
calls as more load, or less: what a service shows tells from where it came. What the services that
show symptoms say of an origin is added up as if each spoke for itself (a composite likelihood:
C. Varin, N. Reid, D. Firth, An Overview of Composite Likelihood Methods, 2011), the less the later
it began, as another cause may have joined by then.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from detector.incidents.calls import CallMap, Relation

__all__ = ["Origins", "Place", "Shown", "SpreadSettings", "log_sum"]

_MINUTE_MS = 60_000.0
# Callees that show nothing themselves are looked at for so many of the first services.
_HIDDEN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadSettings:
    """How harm spreads, as chances that a service shows it.

    `caller`, `callee` and `sibling` are what it is to the origin, `passed` what is left of that
    after each further call, `apart` where no way is known; of load it is the other way round for
    callers and callees. `unseen`: the origin shows nothing itself, which may be as nobody measures
    it; `missed`: nor does one that did show harm of its own before, so that it is measured. What
    the others show is weighed down to `least` each, with `fade_ms` as the time after which it
    counts for a third, and never for more than `joined` against an origin: so likely it is that
    another cause joined. An origin shows harm first, or `late_ms` later on average.
    """

    caller: float = 0.5
    callee: float = 0.1
    sibling: float = 0.05
    passed: float = 0.7
    apart: float = 0.002
    unseen: float = 0.15
    missed: float = 0.05
    least: float = 0.02
    joined: float = 0.01
    fade_ms: float = 15 * _MINUTE_MS
    late_ms: float = 6 * _MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A service that shows symptoms since `start` (unix ms); `is_load` if of nothing but load.

    Load is how much it is asked for, and what of its own that takes.
    """

    service: str
    start: int
    is_load: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A service as an origin: natural log likelihood, and which service that shows harm is near."""

    weight: float
    relation: Relation
    steps: int
    near: str


def log_sum(weights: Sequence[float]) -> float:
    """The natural logarithm of the sum of what these are the logarithms of.

    >>> round(log_sum([0.0, 0.0]), 6) == round(math.log(2.0), 6)
    True
    """
    most = max(weights)
    return most + math.log(sum(math.exp(weight - most) for weight in weights))


class Origins:
    """`shown` are services that show symptoms, the first one first; `watched` did so before.

    Weights have the same unknown constant: only their differences say something.
    """

    def __init__(
        self,
        shown: Sequence[Shown],
        calls: CallMap,
        settings: SpreadSettings,
        watched: Collection[str] = (),
    ) -> None:
        self._shown, self._calls, self._settings = shown, calls, settings
        self._by_service = {one.service: one for one in shown}
        self._watched = watched
        self._added: dict[str, float] = {}

    @cached_property
    def likely(self) -> Mapping[str, float]:
        """The weights of those that show harm, and of whom the first of these call."""
        return {name: self.place(name).weight for name in self._candidates}

    def anywhere(self, services: int) -> float:
        """How well what touches one of so many services, and does not say which, explains it."""
        return log_sum(list(self.likely.values())) - math.log(max(services, len(self._shown)))

    def place(self, service: str) -> Place:
        """How well a service explains it all."""
        near = self._near(service)
        relation, steps = self._calls.relation(service, near)
        others = max(self._others(service, near), self._most + math.log(self._settings.joined))
        return Place(
            weight=self._own(service, near) + others, relation=relation, steps=steps, near=near
        )

    @cached_property
    def _candidates(self) -> tuple[str, ...]:
        names = [one.service for one in self._shown]
        hidden = [
            callee
            for name in names[:_HIDDEN]
            for callee in sorted(self._calls.callees.get(name, frozenset()))
        ]
        return tuple(dict.fromkeys([*names, *hidden]))

    @cached_property
    def _most(self) -> float:
        """How well the best of the likely ones explains what others show."""
        return max(self._others(name, self._near(name)) for name in self._candidates)

    def _near(self, service: str) -> str:
        """Whose symptoms it explains best: its own, if it has any."""
        if service in self._by_service:
            return service
        gains = {
            one.service: self._reach(one, service) - self._late(one.start) for one in self._shown
        }
        return max(gains, key=gains.__getitem__)

    def _own(self, service: str, near: str) -> float:
        one = self._by_service[near]
        own = 0.0 if near == service else math.log(self._hidden(service))
        return own + self._reach(one, service) - self._late(one.start)

    def _hidden(self, service: str) -> float:
        """The chance that it shows nothing of its own harm."""
        is_watched = service in self._watched
        return self._settings.missed if is_watched else self._settings.unseen

    def _others(self, service: str, near: str) -> float:
        """Changes of one service, and those that are likely anyway, are asked for again."""
        found = self._added.get(service)
        if found is None:
            found = self._added[service] = self._sum_of_others(service, near)
        return found

    def _sum_of_others(self, service: str, near: str) -> float:
        least, fade_ms = math.log(self._settings.least), self._settings.fade_ms
        return sum(
            max(self._reach(one, service), least) * math.exp(-self._after(one.start) / fade_ms)
            for one in self._shown
            if one.service != near
        )

    def _late(self, start: int) -> float:
        return self._after(start) / self._settings.late_ms

    def _after(self, start: int) -> float:
        return float(start - self._shown[0].start)

    def _reach(self, one: Shown, origin: str) -> float:
        """Log chance that a service shows what it does of the harm of an origin."""
        relation, steps = self._calls.relation(one.service, origin)
        up, down = self._settings.caller, self._settings.callee
        if one.is_load:
            up, down = down, up
        further = (steps - 1) * math.log(self._settings.passed)
        match relation:
            case Relation.SAME:
                return 0.0
            case Relation.CALLER:
                return math.log(up) + further
            case Relation.CALLEE:
                return math.log(down) + further
            case Relation.SIBLING:
                return math.log(self._settings.sibling)
        return math.log(self._settings.apart)
