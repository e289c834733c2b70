"""The self-test of a configuration: what it says of healthy samples, and of plain faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.backtest.course import Course

__all__ = ["SelfTest", "Tried", "tried"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One run over a copy of the samples; `signal` is None for the healthy copy.

    `failed_after_s`: seconds from the fault's begin until it was failed, None where it never was.
    `by` is the signal that failed it; `last` what was said at the end.
    """

    signal: str | None
    words: str
    failed_after_s: float | None
    by: str | None
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """Whether a configuration can fail what is bad, and leaves alone what is not.

    `problem` says why nothing could be tried, empty where it was.
    """

    minutes: float
    healthy: Tried | None
    faults: tuple[Tried, ...]
    problem: str = ""

    @property
    def found(self) -> tuple[str, ...]:
        """Signals whose fault was failed."""
        return tuple(f.signal for f in self.faults if f.signal and f.failed_after_s is not None)

    @property
    def missed(self) -> tuple[Tried, ...]:
        """Faults that were not."""
        return tuple(f for f in self.faults if f.failed_after_s is None)

    @property
    def can_fail(self) -> bool:
        """Whether any fault would have been stopped."""
        return not self.problem and bool(self.found)

    @property
    def is_sound(self) -> bool:
        """Whether it can fail, and did not fail the copy without a fault."""
        return self.can_fail and self.healthy is not None and self.healthy.failed_after_s is None

    @property
    def verdict(self) -> str:
        """The result in a sentence, with the next move where it is refused."""
        if self.problem:
            return f"Refused: {self.problem}"
        if not self.can_fail:
            return f"Refused, it cannot fail: {_never(self.faults, self.minutes)}"
        if not self.is_sound and self.healthy is not None:
            return (
                f"Refused: it fails a healthy copy, by {self.healthy.by}: {self.healthy.last}"
                " Compare pods that do the same work, or tolerate more of that signal."
            )
        return f"It can fail: {_found(self.faults)}, and nothing without a fault."


def _never(faults: Sequence[Tried], minutes: float) -> str:
    if not faults:
        return "no bound signal may fail a rollout under this policy; let one be judged."
    told = "; ".join(f"{fault.words} was not failed within {minutes:g} minutes" for fault in faults)
    return f"{told}. It said: {faults[0].last}"


def _found(faults: Sequence[Tried]) -> str:
    return ", ".join(
        f"{fault.words} was failed after {_minutes(fault.failed_after_s)}"
        for fault in faults
        if fault.failed_after_s is not None
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} s"


def tried(course: Course, *, signal: str | None, words: str, since: float) -> Tried:
    """What a course of answers comes to; `since` is when the fault began."""
    last = course.last
    said = course.problem or (last.reason.text if last else "nothing.")
    fail = course.first_fail
    return Tried(
        signal=signal,
        words=words,
        failed_after_s=None if fail is None else max(fail.at - since, 0.0),
        by=course.signal,
        last=said,
    )
