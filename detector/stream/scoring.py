"""What the operator asks of the models: samples in, evidence and expected ranges out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import Columns, SeriesKind

__all__ = ["Arrays", "Scored", "Scorer"]

Arrays: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """N samples as they were judged, all of shape (N,).

    `value` is what was compared: of a counter its rate per second. `surprise` is -log10 of the
    false alarms a week of one series that a threshold there would give; `side` is 1 where it is
    odd above, -1 below, 0 where nothing is odd. Only where `is_usable` do
    the others mean anything: a series that is still learned, a late, repeated or missing sample
    says nothing.
    """

    value: NDArray[np.float64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    surprise: NDArray[np.float32]
    p_value: NDArray[np.float32]
    side: NDArray[np.int8]
    is_usable: NDArray[np.bool_]


class Scorer(Protocol):
    """The models of all series of a tenant, one row each; it changes in place."""

    def grow(self, kinds: Sequence[SeriesKind]) -> None:
        """Add rows for new series, in id order."""
        ...

    def begin(self, rows: NDArray[np.int32], kinds: Sequence[SeriesKind]) -> None:
        """Give rows that were forgotten to new series."""
        ...

    def forget(self, rows: NDArray[np.int32]) -> None:
        """Let rows be as new ones, of the kinds that they are."""
        ...

    def score(self, columns: Columns) -> Scored:
        """Judge samples in their order and learn from them: the same however they are cut."""
        ...

    def to_arrays(self) -> Arrays:
        """All state as plain arrays by name."""
        ...
