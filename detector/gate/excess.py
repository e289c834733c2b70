"""Which kinds of log lines the canary writes more of than the control: those worth a closer look.

A kind of which the canary writes no more than is tolerated cannot speak for harm. Only the others
are summed up, which keeps hundreds of templates cheap; what they were before is read again then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.gate.talk import Lines
from detector.gate.unasked import lacking
from detector.gate.vocabulary import Vocabulary
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.rows import ROWS, RowName
from models.sequential.warmup import GRACE_S

__all__ = ["LOOK_BACK_S", "Excess", "look_back"]

# As far back as the frame of every chunk of bins reaches, with five minutes of reference before.
LOOK_BACK_S = 1500.0
_SHORT_S = 300.0
_ROW = ROWS[RowName.LOGS]
_TIMES = float(np.exp(_ROW.tolerate))
# One pod alone, by chance: twice what is expected and a few more.
_POD_TIMES, _POD_LINES = 2.0, 3.0
# What lies between two samples is spread over two bins, so that a template that was seen once has
# left something in both.
_APART, _TRACE, _LEAST = 2, 1e-3, 1.5


def look_back(step_s: float) -> int:
    """Bins that are looked back on."""
    return max(4, round(LOOK_BACK_S / step_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """For each new bin (T) which of `kinds` (M) stand out at its end: `stands` (T, M).

    `lines` (T, M): how many the canary wrote lately.
    """

    kinds: tuple[str, ...]
    stands: NDArray[np.bool_]
    lines: FloatArray

    @classmethod
    def of(cls, win: Window, begin: int, name: str, vocabulary: Vocabulary) -> Excess:
        """From bin `begin` (index) of the window on; `name`: the signal of all lines."""
        lines, new = win.frame.lines, len(win.requests) - begin
        nothing = cls(kinds=(), stands=np.zeros((new, 0), np.bool_), lines=np.zeros((new, 0)))
        ours, theirs = (arm.counts.get(name) for arm in (win.frame.canary, win.frame.control))
        if lines is None or ours is None or theirs is None:
            return nothing
        # History is not the canary's, and what came before it is another attempt's.
        since = max(begin - look_back(win.step_s) - 1, -win.first, 0)
        seen = lines.between(since, len(win.requests))
        kinds = _shown(seen, vocabulary)
        if not kinds:
            return nothing
        # What pods write while they start counts for nothing, and makes nothing stand out.
        heard = (win.age[since:] >= GRACE_S).astype(np.float64)
        told = _Told.of(seen, kinds, vocabulary, win, since).heard(heard)
        served = (win.canary(ours.n, since) * heard, win.reference(theirs.n, since))
        lack = lacking(win, ours.n, theirs.n, since) * heard
        usual = np.array([vocabulary.past(k).rate for k in kinds])
        stands = _stands(told, served, lack, usual, win)
        lately = _trailing(told.ours.sum(axis=2), max(2, round(_SHORT_S / win.step_s)))
        last = slice(begin - since, None)
        return cls(kinds=kinds, stands=stands[last], lines=lately[last])


def _shown(seen: Lines, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The kinds of which the canary wrote any line."""
    total = np.zeros(len(seen.templates))
    np.add.at(total, seen.template[seen.canary], seen.counts[seen.canary].sum(axis=1))
    found = {vocabulary.kind(seen.templates[at]) for at in np.flatnonzero(total > _TRACE).tolist()}
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class _Told:
    """Lines of each kind: of canary rows `ours` (T, M, P), of the control set `theirs` (T, M)."""

    ours: FloatArray
    theirs: FloatArray

    @classmethod
    def of(
        cls, seen: Lines, kinds: Sequence[str], vocabulary: Vocabulary, win: Window, since: int
    ) -> _Told:
        place = {kind: at for at, kind in enumerate(kinds)}
        kind_of = np.array([place.get(vocabulary.kind(one), -1) for one in seen.templates])
        mine = kind_of[seen.template] >= 0
        canary, control = mine & seen.canary, mine & ~seen.canary
        ours = np.zeros((len(kinds), win.count, seen.counts.shape[1]))
        rows = np.array(win.rows, np.int64)[seen.pod[canary]]
        np.add.at(ours, (kind_of[seen.template[canary]], rows), seen.counts[canary])
        theirs = np.zeros((len(kinds), seen.counts.shape[1]))
        stable = win.stable[since:].T[seen.pod[control]]
        np.add.at(theirs, kind_of[seen.template[control]], seen.counts[control] * stable)
        return cls(ours.transpose(2, 0, 1), theirs.T)

    def heard(self, rows: FloatArray) -> _Told:
        """The same, where rows of the canary count (T, P)."""
        return _Told(self.ours * rows[:, None], self.theirs)


def _stands(
    told: _Told,
    served: tuple[FloatArray, FloatArray],
    lack: FloatArray,
    usual: FloatArray,
    win: Window,
) -> NDArray[np.bool_]:
    """Whether a kind stands out at the end of each bin, (T, M); `lack`: requests rows lack."""
    wide, short = look_back(win.step_s), max(2, round(_SHORT_S / win.step_s))
    more = np.zeros(told.theirs.shape, np.bool_)
    for width in (wide, short):
        x, n = _trailing(told.ours, width), _trailing(served[0], width)
        y, m = _trailing(told.theirs, width), _trailing(served[1], width)
        rate = np.maximum(usual, y / np.maximum(m, 1.0)[:, None])[..., None]
        mean = n[:, None] * (rate + _ROW.eps0) + _trailing(lack, width)[:, None] * rate
        more |= x.sum(axis=2) >= _TIMES * mean.sum(axis=2)
        more |= (x >= _POD_TIMES * mean + _POD_LINES).any(axis=2)
    total = told.ours.sum(axis=2)
    stands: NDArray[np.bool_] = more & _repeated(total, wide) & (_trailing(total, wide) >= _LEAST)
    return stands


def _trailing(values: FloatArray, width: int) -> FloatArray:
    """Sums over the last `width` bins, time first."""
    sums: FloatArray = values.cumsum(axis=0)
    sums[width:] -= sums[:-width].copy()
    return sums


def _repeated(total: FloatArray, width: int) -> NDArray[np.bool_]:
    """Whether lines were seen in two bins of the last `width`, and not side by side, (T, M)."""
    bins = len(total)
    at = np.arange(bins)[:, None]
    shown = total > _TRACE
    last = np.maximum.accumulate(np.where(shown, at, -1), axis=0)
    following = np.minimum.accumulate(np.where(shown, at, bins)[::-1], axis=0)[::-1]
    first = following[np.maximum(np.arange(bins) - width + 1, 0)]
    apart: NDArray[np.bool_] = last - first >= _APART
    return apart
