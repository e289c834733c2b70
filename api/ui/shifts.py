"""Where a canary's requests spend more or less time than the control's, ranked, with certainty."""

from __future__ import annotations

from dataclasses import dataclass

from api.ui.beside import Compared
from api.ui.marked import shortened
from detector.gate.words import seconds_text
from detector.logs.plain import plain
from detector.spans.shift import TimeShift
from detector.spans.words import shift_words

__all__ = ["Shift", "ShiftsView", "shifts_view"]

_MOST = 6
# Where it may be chance, less than that is not worth a line.
_LEAST_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One difference; `words` is all of it in a sentence, in pieces of which every other is a name.

    `kind` is `fail`, `pass` or `maybe`.
    """

    words: tuple[str, ...]
    kind: str
    certainty: str
    canary: str
    control: str
    difference: str
    interval: str
    traces: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftsView:
    """The list, or why there is none; `about` says which versions are compared."""

    about: str
    rows: tuple[Shift, ...]
    more: int
    why: str


def shifts_view(compared: Compared | None) -> ShiftsView | None:
    """What is certain first, then the largest; None where no traces are taken."""
    if compared is None:
        return None
    worth = [s for s in compared.shifts if s.is_certain or abs(s.value) >= _LEAST_S]
    ranked = sorted(worth, key=lambda one: (not one.is_certain, -abs(one.value)))
    version = "/".join(compared.canary)
    about = ""
    if compared.canary:
        about = f"{shortened(version)} against {shortened('/'.join(compared.control))}"
    why = compared.why
    if compared.shifts and not worth:
        why = "Requests of both sides spend the same time everywhere."
    return ShiftsView(
        about=about,
        rows=tuple(_row(one, version) for one in ranked[:_MOST]),
        more=max(0, len(ranked) - _MOST),
        why=why,
    )


def _row(one: TimeShift, version: str) -> Shift:
    certain = "certain, with all that was compared taken into account"
    return Shift(
        words=tuple(plain(shift_words(one, version).rpartition(" (")[0]).split("`")),
        kind="maybe" if not one.is_certain else "fail" if one.value > 0 else "pass",
        certainty=certain if one.is_certain else "may be chance",
        canary=seconds_text(one.canary),
        control=seconds_text(one.control),
        difference=_signed(one.value),
        interval=f"{_signed(one.low)} to {_signed(one.high)}",
        traces=f"{one.canary_traces} against {one.control_traces}",
    )


def _signed(seconds: float) -> str:
    return f"{'+' if seconds >= 0 else '−'}{seconds_text(abs(seconds))}"
