"""What to ask the source next: each family for each arm, or by the names of the pods known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from detector.gate.roster import Pod, Roster
from detector.series import Matcher, MatchOp, Query
from detector.signals.plan import ArmName, Family, Plan, Reading
from detector.signals.signal import Unit

__all__ = ["Asking"]

_PODS_PER_QUERY = 100
# Queries by pod names whose answers may still come; each change of pods makes new ones.
_ASKED = 1024
# A pod silent for half an hour is no longer asked for by name.
_SILENT_S = 1800.0
_REGEX_SPECIAL = frozenset(r"\.+*?()|[]{}^$")
_NOBODY: frozenset[str] = frozenset()


class Asking:
    """The readings of a plan, and for which pods the metrics joined by pod name were read.

    `watermark`: until when samples were used, unix seconds; pods silent for long before it are
    asked for no more.
    """

    def __init__(self, plan: Plan, roster: Roster, *, time_scale: float) -> None:
        self.plan, self.roster = plan, roster
        self.watermark = -math.inf
        self._silent = _SILENT_S * time_scale
        self._joined = [r.family for r in roster.roles if r.family.joined]
        # The same objects at every poll: what is kept by reading finds them by identity.
        self._plain = {role.family: tuple(self._by_arm(role.family)) for role in roster.roles}
        self._asked: dict[Query, frozenset[str]] = {}
        self._named: dict[Family, tuple[list[str], tuple[Reading, ...]]] = {}
        self._covered: set[str] = set()

    def readings(self) -> tuple[Reading, ...]:
        """Queries to send next: each family for each arm, or by the names of the pods known."""
        out: list[Reading] = []
        names = self._alive_names() if self._joined else []
        for role in self.roster.roles:
            family = role.family
            out += self._by_pod(family, names) if family.joined else self._plain[family]
        return tuple(out)

    def _by_arm(self, family: Family) -> Iterator[Reading]:
        arms = [(ArmName.CANARY, self.plan.canary)]
        arms += [(ArmName.CONTROL, matchers) for matchers in self.plan.control]
        for arm, matchers in arms:
            query = Query(family.metric, (*family.matchers, *matchers))
            yield Reading(family=family, arm=arm, query=query)

    def _by_pod(self, family: Family, names: list[str]) -> Iterable[Reading]:
        if self.plan.unit is not Unit.POD:
            return self._by_named_pods(family)
        held = self._named.get(family)
        if held is None or held[0] != names:
            held = self._named[family] = (names, tuple(self._among(family, names)))
        return held[1]

    def _among(self, family: Family, names: list[str]) -> Iterator[Reading]:
        """Questions for the series of some pods."""
        for begin in range(0, len(names), _PODS_PER_QUERY):
            chunk = names[begin : begin + _PODS_PER_QUERY]
            pattern = "|".join(_escaped(name) for name in chunk)
            among = Matcher(family.pod_label, MatchOp.MATCHES, pattern)
            query = Query(family.metric, (*family.matchers, among))
            self._asked[query] = frozenset(chunk)
            while len(self._asked) > _ASKED:
                del self._asked[next(iter(self._asked))]
            yield Reading(family=family, arm=None, query=query)

    def _by_named_pods(self, family: Family) -> Iterator[Reading]:
        """Without pods to go by: selectors that speak of pod names alone fit joined metrics too."""
        for reading in self._plain[family]:
            own = reading.query.matchers[len(family.matchers) :]
            if own and all(matcher.label == family.pod_label for matcher in own):
                yield reading

    def _alive_names(self) -> list[str]:
        since = self.watermark - self._silent
        return sorted([pod.name for pod in self.roster.pods if pod.newest >= since])

    def _is_alive(self, pod: Pod) -> bool:
        return pod.newest >= self.watermark - self._silent

    def answered(self, readings: Sequence[Reading]) -> None:
        """Note the pods that answers cover."""
        for reading in readings:
            self._covered |= self._asked.get(reading.query, _NOBODY)

    @property
    def is_waiting(self) -> bool:
        """Whether a pod that reports was not read by name yet."""
        if not self._joined or self.plan.unit is not Unit.POD:
            return False
        return any(
            pod.name not in self._covered and self._is_alive(pod) for pod in self.roster.pods
        )


def _escaped(name: str) -> str:
    """A name as RE2 text that matches nothing else."""
    return "".join("\\" + char if char in _REGEX_SPECIAL else char for char in name)
