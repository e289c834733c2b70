"""What a metric source is asked for and what it answers: raw samples with their own times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["Answer", "Columns", "FloatArray", "HashedOnce", "MatchOp", "Matcher", "Query", "Series"]

FloatArray = NDArray[np.float64]


class MatchOp(StrEnum):
    """The four PromQL label matching operators."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher; regular expressions are anchored and RE2, as in PromQL."""

    label: str
    op: MatchOp
    value: str


class HashedOnce:
    """A frozen dataclass that is a key many times in every poll: it keeps its hash.

    A subclass says `__hash__ = HashedOnce.__hash__`, or it is given one that computes it each time.
    """

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            found = hash(tuple(getattr(self, name) for name in self.__slots__))
            object.__setattr__(self, "_hash", found)
            return found


@dataclass(frozen=True, slots=True)
class Query(HashedOnce):
    """One metric name with matchers: what `name{matchers}` selects."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    __hash__ = HashedOnce.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Raw samples of one series: `times` are unix seconds, ascending; same length as `values`."""

    labels: Mapping[str, str]
    times: FloatArray
    values: FloatArray


class Columns(Sequence[Series]):
    """Series as flat arrays, one after the other: `sizes` are the numbers of their samples.

    Whoever looks at all samples at once takes the arrays; to all others this is a sequence.
    """

    __slots__ = ("labels", "sizes", "times", "values")

    def __init__(
        self,
        labels: list[Mapping[str, str]],
        sizes: NDArray[np.int64],
        times: FloatArray,
        values: FloatArray,
    ) -> None:
        self.labels, self.sizes, self.times, self.values = labels, sizes, times, values

    @classmethod
    def of(cls, series: Sequence[Series]) -> Columns:
        """The same series as columns."""
        if isinstance(series, Columns):
            return series
        times = [one.times for one in series]
        return cls(
            [one.labels for one in series],
            np.array([len(part) for part in times], np.int64),
            np.concatenate(times) if times else np.zeros(0),
            np.concatenate([one.values for one in series]) if times else np.zeros(0),
        )

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """The series of all parts."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.of(())
        return cls(
            [one for part in parts for one in part.labels],
            np.concatenate([part.sizes for part in parts]),
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.values for part in parts]),
        )

    @property
    def ends(self) -> NDArray[np.int64]:
        """Where each series ends in the arrays."""
        return np.cumsum(self.sizes)

    def some(self) -> Columns:
        """The series that have samples."""
        if self.sizes.all():
            return self
        there = np.flatnonzero(self.sizes)
        labels = [self.labels[at] for at in there.tolist()]
        return Columns(labels, self.sizes[there], self.times, self.values)

    def kept(self, keep: NDArray[np.bool_]) -> Columns:
        """The samples that are kept, and the series that have any."""
        if keep.all():
            return self.some()
        until = np.concatenate([np.zeros(1, np.int64), np.cumsum(keep)])
        ends = self.ends
        sizes = until[ends] - until[ends - self.sizes]
        return Columns(self.labels, sizes, self.times[keep], self.values[keep]).some()

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, index: int) -> Series: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Series]: ...

    def __getitem__(self, index: int | slice) -> Series | Sequence[Series]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        size = int(self.sizes[index])
        end = int(self.sizes[: index % len(self) + 1].sum())
        return self._cut(index, end - size, end)

    def __iter__(self) -> Iterator[Series]:
        begin = 0
        for at, size in enumerate(self.sizes.tolist()):
            yield self._cut(at, begin, begin + size)
            begin += size

    def _cut(self, at: int, begin: int, end: int) -> Series:
        return Series(
            labels=self.labels[at], times=self.times[begin:end], values=self.values[begin:end]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the source said to one query; `warnings` mean that series may be missing."""

    series: Sequence[Series]
    warnings: tuple[str, ...] = ()
