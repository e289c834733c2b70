"""One question on its way: what was asked, when, and what may not be asked at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from detector.errors import InputError
from detector.gate.reason import Reason
from detector.gate.record import Chunk
from detector.gate.render import utc_text
from detector.gate.request import VerdictRequest
from detector.slo.policy import Spent
from pipelines.flows.turns import Budget

__all__ = ["REACH_S", "Asked", "check_deadline", "check_person", "check_reach", "check_times"]

_AHEAD_S = 60.0
# A day of an attempt that is read at once costs seconds of CPU; nobody bakes for a week unasked.
REACH_S = 7 * 86_400.0
_DECISION_MAX_S = 30 * 86_400.0


@dataclass(slots=True)
class Asked:
    """One question. `chunk`: what was read for it, to be stored with the answer.

    `spent`: what is known of error budgets, where the policy looks at them.
    """

    request: VerdictRequest
    now: float
    budget: Budget
    problem: Reason | None = None
    notes: tuple[str, ...] = ()
    chunk: Chunk | None = None
    spent: tuple[Spent, ...] = ()

    @property
    def deadline(self) -> float | None:
        """By when the rollout must be decided, unix seconds."""
        deadline = self.request.deadline
        return None if deadline is None else deadline.timestamp()


def check_times(asked: Asked) -> None:
    """Refuse moments that lie ahead, and a deadline before its start."""
    request, now = asked.request, asked.now
    if request.as_of is not None and request.as_of.timestamp() > now + _AHEAD_S:
        raise InputError(
            f"as_of {utc_text(request.as_of)} is more than {_AHEAD_S:g} s ahead of the clock"
            " here: leave it out to ask about now",
            field="as_of",
            semantic=True,
        )
    if request.started_at is not None:
        started = request.started_at.timestamp()
        if started > now + _AHEAD_S:
            raise InputError(
                f"started_at {utc_text(request.started_at)} lies ahead of the clock here",
                field="started_at",
                semantic=True,
            )
        check_deadline(asked.deadline, started)


def check_reach(request: VerdictRequest, now: float, reach_s: float) -> None:
    """An attempt cannot begin so long ago that reading it would take longer than anybody waits."""
    if request.started_at is not None and now - request.started_at.timestamp() > reach_s:
        raise InputError(
            f"started_at {utc_text(request.started_at)} is more than {reach_s / 86_400:g} days"
            " back: give the begin of this canary, or leave it out",
            field="started_at",
            semantic=True,
        )


def check_deadline(deadline: float | None, start: float | None) -> None:
    """Refuse a deadline that is not after the start, where both are known."""
    if deadline is not None and start is not None and deadline <= start:
        raise InputError(
            f"deadline {_moment(deadline)} is not after the attempt's start at {_moment(start)}",
            field="deadline",
            semantic=True,
        )


def _moment(at: float) -> str | None:
    return utc_text(datetime.fromtimestamp(at, UTC))


def check_person(person: str, reason: str, for_s: float) -> None:
    """Refuse a decision of nobody, for no reason, or for too long."""
    if not person.strip():
        raise InputError("say who decides", field="person", semantic=True)
    if not reason.strip():
        raise InputError("say why: it is written to the audit log", field="reason", semantic=True)
    if not 0 < for_s <= _DECISION_MAX_S:
        raise InputError("a decision stands for up to 30 days", field="for", semantic=True)
