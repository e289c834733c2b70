"""What the statistics say of one attempt at one moment, before latch, override and mode."""

from __future__ import annotations

from dataclasses import dataclass

from detector.gate.reason import Reason
from detector.gate.verdict import Effect, Needs, Outcome, SignalVerdict

__all__ = ["FirstFail", "Judgement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFail:
    """The first bin boundary at which the fail rule held; `at` is unix seconds."""

    at: float
    signal: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The answer of the statistics at `as_of`; times are unix seconds.

    `evaluated_to`: end of the newest bin that was judged, None before the first. `memory`: how many
    times as much of it the canary's pods hold, at least; None where not more, or nobody asks.
    """

    outcome: Outcome
    reason: Reason
    signals: tuple[SignalVerdict, ...]
    needs: Needs
    exposure_since: float | None
    evaluated_to: float | None
    first_fail: FirstFail | None
    notes: tuple[str, ...] = ()
    waiting: str | None = None
    memory: Effect | None = None
