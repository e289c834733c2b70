"""Who is told next when nobody acknowledged: by what is kept, so that no restart repeats it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from detector.alerts.history import Case, Telling
from detector.alerts.settings import Escalation, Step
from detector.alerts.silences import stops_escalation

__all__ = ["due_steps", "next_step_at"]


def due_steps(case: Case, escalations: Mapping[str, Escalation], now: int) -> tuple[Telling, ...]:
    """Who is to be told at unix ms: each step whose time has come, once, the first one first."""
    if stops_escalation(case.words, now):
        return ()
    return tuple(telling for due, telling in _left(case, escalations, now) if due <= now)


def next_step_at(case: Case, escalations: Mapping[str, Escalation], now: int) -> int | None:
    """When the next step is due unless somebody acknowledges; None for never."""
    if stops_escalation(case.words, now):
        return None
    return min((due for due, _ in _left(case, escalations, now)), default=None)


def _left(
    case: Case, escalations: Mapping[str, Escalation], now: int
) -> Iterator[tuple[int, Telling]]:
    """Steps that were not taken, with their times."""
    taken = {(one.escalation, one.step) for one in case.told}
    firsts = {one.escalation: one for one in reversed(case.told) if one.step == 0}
    for name, first in firsts.items():
        chain = escalations.get(name)
        if chain is None or not case.is_open or case.severity.rank < chain.severity.rank:
            continue
        for number, step in enumerate(chain.steps, 1):
            if (name, number) not in taken:
                yield first.at + round(step.after_s * 1000), _telling(first, step, number, now)


def _telling(first: Telling, step: Step, number: int, now: int) -> Telling:
    return Telling(
        receiver=step.receiver,
        team=first.team,
        at=now,
        escalation=first.escalation,
        step=number,
        route=first.route,
    )
