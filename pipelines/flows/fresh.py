"""Only what is new: the overlap of one read with the last is taken out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.gate.known import Key, KnownByQuestion, Labels, key_of
from detector.series import Answer, Columns, FloatArray
from detector.signals.plan import ArmName, Family, Reading

__all__ = ["Fresh"]

Ints = NDArray[np.int64]
_Key: TypeAlias = tuple[Family, ArmName | None, Key]


@dataclass(slots=True)
class Fresh:
    """Time of the newest sample that was taken of each series of a family and arm.

    A series comes in order: what is older than its newest sample was taken, or is too late.
    """

    _newest: FloatArray = field(default_factory=lambda: np.zeros(0))
    _numbers: dict[_Key, int] = field(default_factory=dict)
    _known: KnownByQuestion = field(default_factory=KnownByQuestion)

    def new(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> tuple[Answer, ...]:
        """The answers without the samples, and the series, that bring nothing new."""
        parts = [Columns.of(answer.series) for answer in answers]
        if not parts:
            return ()
        numbers = self._all(readings, parts)
        found = _since(self._newest[numbers], parts)
        return tuple(
            Answer(series=columns, warnings=tuple(answer.warnings))
            for columns, answer in zip(found, answers, strict=True)
        )

    def take(self, readings: Sequence[Reading], answers: Sequence[Answer]) -> None:
        """Remember samples that the judge was fed."""
        parts = [Columns.of(answer.series) for answer in answers]
        if not parts:
            return
        numbers, sizes, times = self._all(readings, parts), _sizes(parts), _times(parts)
        last = np.cumsum(sizes) - 1
        if not sizes.all():
            numbers, last = numbers[sizes > 0], last[sizes > 0]
        self._newest[numbers] = times[last]

    def _all(self, readings: Sequence[Reading], parts: Sequence[Columns]) -> Ints:
        """Numbers of all series, one part after the other, with room for each in `_newest`."""
        numbers = np.concatenate(
            [
                self._known.of(reading).numbers(part.labels, self._placing(reading))
                for reading, part in zip(readings, parts, strict=True)
            ]
        )
        missing = len(self._numbers) - len(self._newest)
        if missing:
            self._newest = np.concatenate([self._newest, np.full(missing, -np.inf)])
        return numbers

    def _placing(self, reading: Reading) -> Callable[[Labels], int]:
        """Gives each series of a family and arm its number, whatever question it answers."""
        family, arm, numbers = reading.family, reading.arm, self._numbers

        def place(labels: Labels) -> int:
            return numbers.setdefault((family, arm, key_of(labels)), len(numbers))

        return place


def _sizes(parts: Sequence[Columns]) -> Ints:
    return np.concatenate([part.sizes for part in parts])


def _times(parts: Sequence[Columns]) -> FloatArray:
    return np.concatenate([part.times for part in parts])


def _since(newest: FloatArray, parts: Sequence[Columns]) -> Sequence[Columns]:
    """What of all series is later than the newest sample of each, as parts again."""
    sizes, times = _sizes(parts), _times(parts)
    ends = np.cumsum(sizes)
    if sizes.all() and (times[ends - sizes] > newest).all():
        return parts
    values = np.concatenate([part.values for part in parts])
    if (sizes > 1).all() and (times[ends - 2] <= newest).all():
        # As at most polls no series has more than its last sample new.
        new = (times[ends - 1] > newest).astype(np.int64)
        keep = ends[new > 0] - 1
    else:
        fresh = times > np.repeat(newest, sizes)
        until = np.concatenate([np.zeros(1, np.int64), np.cumsum(fresh)])
        new, keep = until[ends] - until[ends - sizes], np.flatnonzero(fresh)
    return list(_parted([part.labels for part in parts], new, times[keep], values[keep]))


def _parted(
    labels: Sequence[list[Labels]], sizes: Ints, times: FloatArray, values: FloatArray
) -> Iterator[Columns]:
    """Samples of series, one after the other, as parts; series without any are left out."""
    whole = bool(sizes.all())
    ends = np.cumsum([len(names) for names in labels])
    until = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])[ends]
    begin = at = 0
    for names, end, to in zip(labels, ends.tolist(), until.tolist(), strict=True):
        columns = Columns(names, sizes[begin:end], times[at:to], values[at:to])
        yield columns if whole else columns.some()
        begin, at = end, to
