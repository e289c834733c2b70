"""One service as discovery sees it: arms, signals, what is not bound, and what there is instead."""

from __future__ import annotations

from dataclasses import dataclass

from detector.discovery.bindings import Binding
from detector.discovery.census import Skipped
from detector.discovery.rehearsal import Rehearsal
from detector.discovery.splits import Split
from detector.discovery.trial import SelfTest
from detector.gate.request import VerdictRequest
from detector.signals.plan import Missing, Plan

__all__ = ["Listing", "Portrait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """A service with what would be judged of it.

    `request` is the question that was planned for; `rehearsal` is None where it was told whom to
    compare; `pods` are those of canary and control lately. `hidden` are metrics of the service
    that cannot be read. `plan` has no signals where the service is not there; its notes name what
    is near. `test` is None where none was asked for.
    """

    request: VerdictRequest
    plan: Plan
    pods: tuple[int, int]
    splits: tuple[Split, ...]
    rehearsal: Rehearsal | None
    bindings: tuple[Binding, ...]
    hidden: tuple[Skipped, ...]
    test: SelfTest | None = None

    @property
    def is_found(self) -> bool:
        """Whether anything is bound, and the arms that were asked for select something."""
        if self.request.control and not self.pods[1]:
            return False
        return bool(self.plan.signals) and (self.is_idle or bool(self.pods[0]))

    @property
    def is_idle(self) -> bool:
        """Whether no canary was told, and there are no two pods that could be compared."""
        return self.rehearsal is None and not self.request.canary

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What is not bound and why; a histogram that cannot be read is the reason before all."""
        told = " ".join(one.why for one in self.hidden)
        durations = {"latency", "tail95", "tail99"}
        return tuple(
            Missing(name=one.name, why=told) if told and one.name in durations else one
            for one in self.plan.missing
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How many metrics and services there are, and what was skipped of them."""

    metrics: int
    services: int
    skipped: tuple[Skipped, ...]
