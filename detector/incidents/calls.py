"""Who calls whom, as far as it matters for what spreads from where."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["CallMap", "Relation", "call_map"]

# Harm that travels further than this passes a service in between that shows it too.
_FAR = 3
# Services whose neighbourhood is remembered.
_REMEMBERED = 512


class Relation(StrEnum):
    """What one service is to another."""

    SAME = "same"
    CALLEE = "callee"
    CALLER = "caller"
    SIBLING = "sibling"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """Who is near a service: within two calls either way; by steps, whom it reaches, and who it."""

    near: frozenset[str]
    down: Mapping[str, int]
    up: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMap:
    """Callees and callers of `size` services; empty where nobody sends spans."""

    callees: Mapping[str, frozenset[str]] = field(default_factory=dict)
    callers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    size: int = 0
    # What was looked for of the latest services; of no weight in a comparison.
    _known: dict[str, _Around] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_known(self) -> bool:
        """Whether there is any call on it."""
        return bool(self.callees)

    def knows(self, service: str) -> bool:
        """Whether the service has a place on it."""
        return service in self.callees or service in self.callers

    def round(self, service: str) -> frozenset[str]:
        """The service, and who is up to two calls away from it, in either direction."""
        return self._around(service).near

    def relation(self, service: str, to: str) -> tuple[Relation, int]:
        """What `service` is to another, and over how many calls; cycles are no trouble.

        Where both directions lead there it is the shorter one, of equals the callee.
        """
        if service == to:
            return Relation.SAME, 0
        around = self._around(to)
        down, up = around.down.get(service), around.up.get(service)
        if down is not None and (up is None or down <= up):
            return Relation.CALLEE, down
        if up is not None:
            return Relation.CALLER, up
        shared = self.callers.get(service, frozenset()) & self.callers.get(to, frozenset())
        return (Relation.SIBLING, 2) if shared else (Relation.NONE, _FAR + 1)

    def _around(self, service: str) -> _Around:
        found = self._known.get(service)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[service] = _Around(
                near=_two_calls(self, service),
                down=_steps(self.callees, service),
                up=_steps(self.callers, service),
            )
        return found


def call_map(calls: Iterable[tuple[str, str]]) -> CallMap:
    """The map of some calls, caller first; who calls itself does so unseen."""
    callees: dict[str, set[str]] = {}
    callers: dict[str, set[str]] = {}
    for caller, callee in calls:
        if caller != callee:
            callees.setdefault(caller, set()).add(callee)
            callers.setdefault(callee, set()).add(caller)
    return CallMap(
        callees={name: frozenset(found) for name, found in callees.items()},
        callers={name: frozenset(found) for name, found in callers.items()},
        size=len(callees.keys() | callers.keys()),
    )


def _two_calls(calls: CallMap, service: str) -> frozenset[str]:
    near = {service}
    for _ in range(2):
        near |= {
            other
            for one in near
            for edges in (calls.callees, calls.callers)
            for other in edges.get(one, ())
        }
    return frozenset(near)


def _steps(edges: Mapping[str, frozenset[str]], start: str) -> dict[str, int]:
    """Calls on the shortest way to each service that is at most three away."""
    seen, wave = {start: 0}, deque([start])
    while wave:
        name = wave.popleft()
        if seen[name] == _FAR:
            continue
        for near in edges.get(name, frozenset()):
            if near not in seen:
                seen[near] = seen[name] + 1
                wave.append(near)
    del seen[start]
    return seen
