"""Only what is new: the overlap of one read with the last is taken out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detector.series import Answer, Series
from detector.signals.plan import ArmName, Family, Reading

__all__ = ["Fresh"]

_Key = tuple[int, frozenset[tuple[str, str]]]


@dataclass(slots=True)
class Fresh:
    """Time of the newest sample that was taken, of each series of each family and arm.

    A series comes in order: what is older than its newest sample was taken, or is too late.
    """

    _slots: dict[tuple[Family, ArmName | None], int] = field(default_factory=dict)
    _newest: dict[_Key, float] = field(default_factory=dict)

    def new(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> tuple[Answer, ...]:
        """The answers without the samples, and the series, that bring nothing new."""
        return tuple(
            self._answer(reading, answer) for reading, answer in zip(readings, answers, strict=True)
        )

    def _answer(self, reading: Reading, answer: Answer) -> Answer:
        slot = self._slot(reading)
        trimmed = (self._series(slot, series) for series in answer.series)
        return Answer(
            series=tuple(s for s in trimmed if s is not None), warnings=tuple(answer.warnings)
        )

    def _series(self, slot: int, series: Series) -> Series | None:
        newest = self._newest.get((slot, _key(series.labels)), float("-inf"))
        begin = int(series.times.searchsorted(newest, side="right"))
        if begin == series.times.size:
            return None
        if begin == 0:
            return series
        return Series(
            labels=series.labels, times=series.times[begin:], values=series.values[begin:]
        )

    def take(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> None:
        """Remember samples that the judge was fed."""
        for reading, answer in zip(readings, answers, strict=True):
            slot = self._slot(reading)
            for series in answer.series:
                if series.times.size:
                    self._newest[slot, _key(series.labels)] = float(series.times[-1])

    def _slot(self, reading: Reading) -> int:
        return self._slots.setdefault((reading.family, reading.arm), len(self._slots))


def _key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())
