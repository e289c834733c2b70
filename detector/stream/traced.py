"""Traces that an anomaly carries: requests of its time, and where each spent it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["LEADING", "MOST", "SPENT", "SpentNote", "TraceNote", "TraceWhy", "merged"]

# Of an anomaly: those that show best what is odd, others that do, and one for comparison.
LEADING, MOST = 3, 5
# Operations of a trace that are told.
SPENT = 5


class TraceWhy(StrEnum):
    """Why a trace is shown: it failed, it took longest, or it is what requests usually are."""

    FAILED = "failed"
    SLOWEST = "slowest"
    ORDINARY = "ordinary"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentNote:
    """What an operation added to the duration of a request: its time on the critical path."""

    service: str
    operation: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceNote:
    """A request to a service, all of it fit to be shown. Ids in hexadecimal, `at` unix ms.

    `usual_s` is what requests to the operation took before, the middle one of some; 0 where that is
    not known. `spent` has the operations that took longest first, none while its spans are waited
    for.
    """

    trace: str
    span: str
    at: int
    duration_s: float
    why: TraceWhy
    has_failed: bool
    service: str
    version: str
    operation: str
    usual_s: float = 0.0
    spent: tuple[SpentNote, ...] = ()

    @property
    def excess_s(self) -> float:
        """By how much it took longer than usual."""
        return self.duration_s - self.usual_s


def merged(
    first: Iterable[TraceNote], second: Iterable[TraceNote], lead: TraceWhy
) -> tuple[TraceNote, ...]:
    """The best of both, each trace once: those for which `lead` holds first, at last an ordinary.

    Of a trace in both it is the one that tells where its time went. Of ordinary ones the first
    stays that does.
    """
    known: dict[str, TraceNote] = {}
    for note in (*first, *second):
        if note.trace not in known or (note.spent and not known[note.trace].spent):
            known[note.trace] = note
    ordinary = [note for note in known.values() if note.why is TraceWhy.ORDINARY]
    odd = sorted(
        (note for note in known.values() if note.why is not TraceWhy.ORDINARY),
        key=lambda note: (-note.excess_s, note.trace),
    )
    leading = [note for note in odd if note.why is lead]
    others = [note for note in odd if note.why is not lead]
    room = MOST - 1
    kept = leading[: max(LEADING, room - len(others))]
    kept += others[: room - len(kept)]
    ordinary.sort(key=lambda note: not note.spent)
    return (*kept, *ordinary[:1])
