"""Only what is new: the overlap of one read with the last is taken out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.series import Answer, FloatArray, Series
from detector.signals.plan import ArmName, Family, Reading

__all__ = ["Fresh"]

_Key = tuple[int, frozenset[tuple[str, str]]]


@dataclass(slots=True)
class Fresh:
    """Times already taken of each series of each family and arm, as far back as `keep_s`."""

    keep_s: float
    _slots: dict[tuple[Family, ArmName | None], int] = field(default_factory=dict)
    _taken: dict[_Key, FloatArray] = field(default_factory=dict)

    def new(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> tuple[Answer, ...]:
        """The answers without the samples, and the series, that bring nothing new."""
        return tuple(
            self._answer(reading, answer) for reading, answer in zip(readings, answers, strict=True)
        )

    def _answer(self, reading: Reading, answer: Answer) -> Answer:
        slot = self._slot(reading)
        trimmed = (self._series((slot, _key(s.labels)), s) for s in answer.series)
        return Answer(
            series=tuple(s for s in trimmed if s is not None), warnings=tuple(answer.warnings)
        )

    def _series(self, key: _Key, series: Series) -> Series | None:
        taken = self._taken.get(key)
        if taken is None or not taken.size:
            return series if series.times.size else None
        new = ~np.isin(series.times, taken)
        # What is older than all that is remembered was taken, or came too late to count.
        new &= series.times > taken[0]
        if not new.any():
            return None
        return Series(labels=series.labels, times=series.times[new], values=series.values[new])

    def take(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> None:
        """Remember samples that the judge was fed."""
        for reading, answer in zip(readings, answers, strict=True):
            slot = self._slot(reading)
            for series in answer.series:
                if series.times.size:
                    self._remember((slot, _key(series.labels)), series.times)

    def _remember(self, key: _Key, times: FloatArray) -> None:
        before = self._taken.get(key)
        merged = times if before is None else np.union1d(before, times)
        keep = int(np.searchsorted(merged, merged[-1] - self.keep_s))
        self._taken[key] = merged[max(0, keep - 1) :].copy()

    def _slot(self, reading: Reading) -> int:
        return self._slots.setdefault((reading.family, reading.arm), len(self._slots))


def _key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())
