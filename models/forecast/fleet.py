"""What the series of a fleet have in common, for each scale, and without their last part, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forecast.boosted import Boosted, Examples
from models.forecast.regression import Pool, Sums
from models.forecast.scale import SCALES, scales_of

__all__ = ["Common", "Gathered"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What was learned of a fleet: of all, and of all but the last `held` steps of each series.

    `whole`, `before`: weights by the name of the scale; `trees`, `trees_before`: boosted models,
    None where the fleet is too small. The second of each are for origins in the past: nothing that
    came after one speaks there.
    """

    whole: Mapping[str, Pool]
    before: Mapping[str, Pool]
    held: int
    trees: Boosted | None = None
    trees_before: Boosted | None = None

    @property
    def ahead(self) -> int:
        """Steps that are told."""
        return self.whole[SCALES[0].name].ahead

    @property
    def past(self) -> int:
        """Steps that are looked at."""
        return self.whole[SCALES[0].name].past

    @property
    def day(self) -> int:
        """Steps in a day."""
        return self.whole[SCALES[0].name].day

    def serves(self, *, count: int, first: int, ahead: int, day: int) -> bool:
        """Whether it tells `ahead` steps of a series of this rhythm, and may be tried on it.

        `count` values, the first origin after `first` of them: what is tried must not have seen
        what came after.
        """
        fits = self.day == day and self.ahead >= ahead and self.past <= first
        return fits and self.held >= count - first


class _Part:
    """What is gathered up to a moment: sums by scale, and examples."""

    def __init__(self, *, past: int, ahead: int, day: int) -> None:
        self.sums = {scale.name: Sums(past=past, ahead=ahead, day=day) for scale in SCALES}
        self.examples = Examples(ahead=ahead, day=day)

    def add(self, values: Floats, slots: Ints) -> None:
        own = scales_of(values)
        for scale in SCALES:
            self.sums[scale.name].add(scale.to(values) if scale in own else values)
        self.examples.add(values, slots)

    def merge(self, other: _Part) -> None:
        for name, sums in self.sums.items():
            sums.merge([other.sums[name]])
        self.examples.merge(other.examples)

    def pools(self) -> dict[str, Pool]:
        return {name: sums.pool() for name, sums in self.sums.items()}


class Gathered:
    """What `Common` is fitted from: it grows by series; parts of a fleet add up by `merge`.

    `past` and `ahead` in steps, `held`: steps at the end of each series that the models for its
    origins do not see.
    """

    def __init__(self, *, past: int, ahead: int, day: int, held: int) -> None:
        self.held = held
        self._whole = _Part(past=past, ahead=ahead, day=day)
        self._before = _Part(past=past, ahead=ahead, day=day)

    def add(self, values: Floats, slots: Ints) -> None:
        """One more series, without gaps, at local times of the week: (n,) each."""
        self._whole.add(values, slots)
        until = max(len(values) - self.held, 0)
        self._before.add(values[:until], slots[:until])

    def merge(self, others: Iterable[Gathered]) -> Gathered:
        """This and what other parts of the fleet gathered."""
        for other in others:
            self._whole.merge(other._whole)
            self._before.merge(other._before)
        return self

    def common(self) -> Common | None:
        """What was learned, None where no series was long enough."""
        if not all(sums.series for sums in self._before.sums.values()):
            return None
        return Common(
            whole=self._whole.pools(),
            before=self._before.pools(),
            held=self.held,
            trees=self._whole.examples.fitted(),
            trees_before=self._before.examples.fitted(),
        )
