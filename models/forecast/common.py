"""What the series of a fleet have in common, for each scale, and without their last part, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forecast.regression import Pool, Sums
from models.forecast.scale import SCALES, scales_of

__all__ = ["Common", "Gathered"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Weights over a fleet by the name of the scale: of all, and of all but the last `held` steps.

    The second are for origins in the past: nothing that came after one speaks there.
    """

    whole: Mapping[str, Pool]
    before: Mapping[str, Pool]
    held: int

    @property
    def ahead(self) -> int:
        """Steps that are told."""
        return next(iter(self.whole.values())).ahead

    @property
    def past(self) -> int:
        """Steps that are looked at."""
        return next(iter(self.whole.values())).past

    @property
    def day(self) -> int:
        """Steps in a day."""
        return next(iter(self.whole.values())).day


class Gathered:
    """What `Common` is fitted from: it grows by series; parts of a fleet add up by `merge`."""

    def __init__(self, *, past: int, ahead: int, day: int, held: int) -> None:
        self.held = held
        self.whole = {s.name: Sums(past=past, ahead=ahead, day=day) for s in SCALES}
        self.before = {s.name: Sums(past=past, ahead=ahead, day=day) for s in SCALES}

    def add(self, values: Floats) -> None:
        """One more series, without gaps: where it has no logarithm, it speaks as measured."""
        own = scales_of(values)
        for scale in SCALES:
            seen = scale.to(values) if scale in own else values
            self.whole[scale.name].add(seen)
            self.before[scale.name].add(seen[: len(seen) - self.held])

    def merge(self, others: Iterable[Gathered]) -> Gathered:
        """This and what other parts of the fleet gathered."""
        for other in others:
            for name in self.whole:
                self.whole[name].merge([other.whole[name]])
                self.before[name].merge([other.before[name]])
        return self

    def common(self) -> Common | None:
        """The weights, None where no series was long enough."""
        if not all(sums.series for sums in self.before.values()):
            return None
        return Common(
            whole={name: sums.pool() for name, sums in self.whole.items()},
            before={name: sums.pool() for name, sums in self.before.items()},
            held=self.held,
        )
