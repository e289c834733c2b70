"""Only what is new: the overlap of one read with the last is taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from detector.series import Answer, Series
from detector.signals.plan import ArmName, Family, Reading
from pipelines.flows.names import Names

__all__ = ["Fresh"]

_NEVER = float("-inf")


@dataclass(slots=True)
class _Taken:
    """Time of the newest sample that was taken of each series of one family and arm."""

    names: Names = field(default_factory=Names)
    newest: list[float] = field(default_factory=list)

    def numbers(self, question: int, series: Sequence[Series]) -> list[int]:
        """Numbers of series, with room for each in `newest`."""
        numbers = self.names.numbers(question, series)
        missing = len(self.names.known) - len(self.newest)
        if missing:
            self.newest += [_NEVER] * missing
        return numbers


@dataclass(slots=True)
class Fresh:
    """What was taken already.

    A series comes in order: what is older than its newest sample was taken, or is too late.
    """

    _taken: dict[tuple[Family, ArmName | None], _Taken] = field(default_factory=dict)

    def new(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> tuple[Answer, ...]:
        """The answers without the samples, and the series, that bring nothing new."""
        return tuple(
            self._answer(reading, answer) for reading, answer in zip(readings, answers, strict=True)
        )

    def _answer(self, reading: Reading, answer: Answer) -> Answer:
        taken = self._of(reading)
        numbers = taken.numbers(0, answer.series)
        newest = taken.newest
        kept = []
        for number, series in zip(numbers, answer.series, strict=True):
            # Asked of every series at every poll: most have one new sample behind many old ones.
            last = newest[number]
            times = series.times
            if not times.size or times.item(-1) <= last:
                continue
            kept.append(series if last == _NEVER else _later(series, last))
        return Answer(series=tuple(kept), warnings=tuple(answer.warnings))

    def take(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> None:
        """Remember samples that the judge was fed."""
        for reading, answer in zip(readings, answers, strict=True):
            taken = self._of(reading)
            for number, series in zip(taken.numbers(1, answer.series), answer.series, strict=True):
                if series.times.size:
                    taken.newest[number] = float(series.times[-1])

    def _of(self, reading: Reading) -> _Taken:
        key = (reading.family, reading.arm)
        taken = self._taken.get(key)
        if taken is None:
            taken = self._taken[key] = _Taken()
        return taken


def _later(series: Series, newest: float) -> Series:
    """The samples after `newest`, of which there is one at least."""
    times = series.times
    size = times.size
    one = size == 1 or times.item(-2) <= newest
    begin = size - 1 if one else int(times.searchsorted(newest, side="right"))
    if begin == 0:
        return series
    return Series(labels=series.labels, times=times[begin:], values=series.values[begin:])
