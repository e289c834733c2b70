"""The newest bins of an ensemble as they were heard, for the persistence rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.series import FloatArray

__all__ = ["Ring"]

SingleArray = NDArray[np.float32]

_KEPT_S = 600.0
# Bins beyond those that are not worth a copy to be rid of.
_SPARE = 4


class Ring:
    """Bins of S signals with J effects, and how old their units were; units only become more."""

    def __init__(self, signals: int, points: int) -> None:
        self._bins: SingleArray = np.zeros((0, signals, 0, points), np.float32)
        self._ages: FloatArray = np.zeros((0, 0))
        self._held = 0

    @property
    def bins(self) -> SingleArray:
        """The bins, (T, S, P, J)."""
        return self._bins[: self._held]

    @property
    def ages(self) -> FloatArray:
        """How old the units were in them, (T, P)."""
        return self._ages[: self._held]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._bins.nbytes + self._ages.nbytes

    def widen(self, signals: int) -> None:
        """Room for further signals, which said nothing yet."""
        self._bins = np.pad(self._bins, ((0, 0), (0, signals), (0, 0), (0, 0)))

    def add(self, log_l: SingleArray, age: FloatArray, step_s: float) -> None:
        """Keep new bins (T, S, P, J) with ages (T, P) beside the last ten minutes of others."""
        keep, more, units = _kept(step_s), len(log_l), log_l.shape[2]
        if self._held + more > len(self._bins) or units > self._bins.shape[2]:
            self._make_room(max(keep + _SPARE, min(self._held, keep) + more), units, keep)
        new = slice(self._held, self._held + more)
        self._bins[new], self._ages[new] = log_l, age
        self._held += more

    def trim(self, step_s: float) -> None:
        """Forget what no boundary to come looks back on."""
        keep = _kept(step_s)
        if len(self._bins) > keep + _SPARE:
            self._make_room(keep + _SPARE, self._bins.shape[2], keep)

    def _make_room(self, bins: int, units: int, keep: int) -> None:
        """Room for so many bins of so many units; the newest `keep` of them stay."""
        ring, ages = self.bins[-keep:], self.ages[-keep:]
        held, known = ages.shape
        if (bins, units) != self._ages.shape:
            _, signals, _, points = self._bins.shape
            self._bins = np.zeros((bins, signals, units, points), np.float32)
            self._ages = np.full((bins, units), np.nan)
        self._bins[:held, :, :known], self._ages[:held, :known] = ring, ages
        self._held = held


def _kept(step_s: float) -> int:
    """Bins that the persistence rule looks back on; of very long ones a few."""
    return round(_KEPT_S / step_s) or _SPARE
