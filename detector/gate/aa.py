"""The A/A self-check of a service: what the gate says of placebos, pods that changed nothing.

Placebos are canaries by name only. How often evidence against them reaches what a fail needs is
the false-alarm rate on the service's own data; it can raise what is needed and never lower it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from detector.signals.plan import AgeGrowth

__all__ = [
    "ENOUGH",
    "TOLERATED",
    "AaKind",
    "AaResult",
    "AaSignal",
    "AaSummary",
    "PlaceboKind",
    "Scope",
    "Tally",
]

# Of fewer placebos one per cent cannot be told.
ENOUGH = 200
# A fail of a placebo is a false alarm; more than this share asks for higher thresholds.
TOLERATED = 0.01
_DAYS_UNEQUAL = 14.0
_EACH_SIDE = 50
_DAY_S = 86_400.0


class PlaceboKind(StrEnum):
    """What was called a canary.

    `old`: pods that had long been stable, at random times. `born`: pods that started together,
    from their birth. `past`: canaries of the past that nobody rolled back.
    """

    OLD = "old"
    BORN = "born"
    PAST = "past"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose self-check it is: one service of a tenant."""

    tenant: str
    cluster: str | None
    namespace: str | None
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Of `placebos`, how many ever had evidence of what is needed, and of a tenth of it."""

    placebos: int = 0
    reached: int = 0
    near: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether none reached what a fail needs and at most one per cent came near."""
        return not self.reached and self.near <= TOLERATED * self.placebos


@dataclass(frozen=True, slots=True, kw_only=True)
class AaKind:
    """One kind of placebo; `failed` counts those that the gate would have rolled back."""

    kind: PlaceboKind
    placebos: int
    failed: int
    reached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AaSignal:
    """One signal over all placebos that had data of it.

    `judged`: whether it may fail a rollout under the policy of the check. `quantile`: 99.5 % of
    the largest log of evidence over needed, nats. `unequal`: those placebos alone whose pods had
    less than .67 (`light` of them) or more than 1.5 times (`heavy`) the load of the others.
    """

    name: str
    judged: bool
    all: Tally
    quantile: float
    unequal: Tally = Tally()
    light: int = 0
    heavy: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AaSummary:
    """What stands beside each verdict. `at` is unix seconds, `raised` what multiplies `needed`."""

    at: float
    placebos: int
    failed: int
    reached: int
    raised: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AaResult:
    """The self-check of one service, done at `at` on placebos from `since` to `until` (unix s).

    `raised`: by how much what is needed for a fail is multiplied, 1 or more. `growth`: how memory
    grew at each age of the starts that were looked at.
    """

    scope: Scope
    at: float
    since: float
    until: float
    policy: str
    engine: str
    kinds: tuple[AaKind, ...]
    signals: tuple[AaSignal, ...]
    raised: float = 1.0
    growth: tuple[AgeGrowth, ...] = ()

    @property
    def placebos(self) -> int:
        """How many were judged."""
        return sum(kind.placebos for kind in self.kinds)

    @property
    def failed(self) -> int:
        """How many the gate would have rolled back."""
        return sum(kind.failed for kind in self.kinds)

    @property
    def reached(self) -> int:
        """How many ever had the evidence that a fail needs, in a burst or not."""
        return sum(kind.reached for kind in self.kinds)

    @property
    def summary(self) -> AaSummary:
        """In five numbers."""
        return AaSummary(
            at=self.at,
            placebos=self.placebos,
            failed=self.failed,
            reached=self.reached,
            raised=max(self.raised, 1.0),
        )

    @property
    def is_enough(self) -> bool:
        """Whether there were placebos enough to say anything of one per cent."""
        return self.placebos >= ENOUGH

    @property
    def by_signal(self) -> Mapping[str, AaSignal]:
        """Signals by name."""
        return {signal.name: signal for signal in self.signals}

    def certifies(self, signal: str, *, at_unequal_load: bool = False) -> bool:
        """Whether an advisory signal may be judged for this service.

        200 placebos of it, none of which reached what a fail needs, one per cent at most a tenth
        of it. `at_unequal_load` asks it of placebos at another load than the others, 50 on either
        side, drawn over 14 days.
        """
        found = self.by_signal.get(signal)
        if found is None:
            return False
        if not at_unequal_load:
            return found.all.placebos >= ENOUGH and found.all.is_clean
        spread = self.until - self.since >= _DAYS_UNEQUAL * _DAY_S
        sides = min(found.light, found.heavy) >= _EACH_SIDE
        return spread and sides and found.unequal.placebos >= ENOUGH and found.unequal.is_clean

    @property
    def log_raised(self) -> float:
        """Nats that are added to the log of what is needed; never negative."""
        return math.log(max(self.raised, 1.0))
