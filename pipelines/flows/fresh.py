"""Only what is new: the overlap of one read with the last is taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.series import Answer, Columns, FloatArray, Series
from detector.signals.plan import ArmName, Family, Reading
from pipelines.flows.names import Labels, Names

__all__ = ["Fresh"]

Ints = NDArray[np.int64]
# What is asked of the names: the whole answer, and what of it was new.
_WHOLE, _NEW = 0, 1


@dataclass(slots=True)
class _Taken:
    """Time of the newest sample that was taken of each series of one family and arm."""

    names: Names = field(default_factory=Names)
    newest: FloatArray = field(default_factory=lambda: np.zeros(0))

    def numbers(self, question: int, labels: list[Labels]) -> Ints:
        """Numbers of series, with room for each in `newest`."""
        numbers = self.names.numbers(question, labels)
        missing = len(self.names.known) - len(self.newest)
        if missing:
            self.newest = np.concatenate([self.newest, np.full(missing, -np.inf)])
        return numbers

    def until(self, question: int, labels: list[Labels]) -> FloatArray:
        """Time of the newest sample of each series, -inf for none."""
        numbers = self.numbers(question, labels)
        return self.newest[numbers]


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
        taken, series = self._of(reading), answer.series
        labels = series.labels if isinstance(series, Columns) else [one.labels for one in series]
        newest = taken.until(_WHOLE, labels)
        found = _last_ones(series, labels, newest)
        if found is None:
            columns = Columns.of(series)
            found = _kept(columns, columns.times > np.repeat(newest, columns.sizes))
        return Answer(series=found, warnings=tuple(answer.warnings))

    def take(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> None:
        """Remember samples that the judge was fed."""
        for reading, answer in zip(readings, answers, strict=True):
            taken, columns = self._of(reading), Columns.of(answer.series)
            numbers, sizes = taken.numbers(_NEW, columns.labels), columns.sizes
            if len(columns.times) == len(sizes) and sizes.all():
                taken.newest[numbers] = columns.times
                continue
            some = sizes > 0
            taken.newest[numbers[some]] = columns.times[np.cumsum(sizes)[some] - 1]

    def _of(self, reading: Reading) -> _Taken:
        key = (reading.family, reading.arm)
        taken = self._taken.get(key)
        if taken is None:
            taken = self._taken[key] = _Taken()
        return taken


def _last_ones(
    series: Sequence[Series], labels: list[Labels], newest: FloatArray
) -> Columns | None:
    """What is new where no series has more than its last sample new, as at most polls; or None.

    All the overlap is then left alone: the last two times of a series tell it.
    """
    try:
        before = np.array([one.times.item(-2) for one in series])
    except IndexError:
        return None
    if not (before <= newest).all():
        return None
    last = np.array([one.times.item(-1) for one in series])
    values = np.array([one.values.item(-1) for one in series])
    new = last > newest
    if not new.all():
        labels = [labels[at] for at in np.flatnonzero(new).tolist()]
        last, values = last[new], values[new]
    return Columns(labels, np.ones(len(labels), np.int64), last, values)


def _kept(columns: Columns, keep: NDArray[np.bool_]) -> Columns:
    """The samples that are kept, and the series that have any."""
    if keep.all() and columns.sizes.all():
        return columns
    until = np.concatenate([np.zeros(1, np.int64), np.cumsum(keep)])
    ends = np.cumsum(columns.sizes)
    sizes = until[ends] - until[ends - columns.sizes]
    labels = columns.labels
    if not sizes.all():
        labels = [labels[at] for at in np.flatnonzero(sizes).tolist()]
        sizes = sizes[sizes > 0]
    return Columns(labels, sizes, columns.times[keep], columns.values[keep])
