"""Trees over a whole fleet: what a step ahead is, from lags, the profile, and the calendar.

One gradient-boosted model (scikit-learn) for all series and all steps: each series is looked at
from the level of its last week, in units of its usual daily change, so that what was learned of
one speaks of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.forecast.past import Past

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

__all__ = ["Boosted", "Examples"]

Floats = NDArray[np.float64]
# Steps that are learned of each origin, and origins of each series.
_STEPS, _ORIGINS = 12, 8
# Examples below which trees would learn noise, and at most.
_LEAST, _MOST = 2_000, 60_000
_TREES, _RATE, _LEAVES, _LEAF = 100, 0.08, 31, 100
_SMALLEST = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosted:
    """A fitted model. It was fitted on `examples` steps."""

    model: HistGradientBoostingRegressor
    examples: int

    def told(self, past: Past) -> Floats:
        """The steps ahead of an origin: (H,)."""
        level, change = _frame(past)
        told: Floats = self.model.predict(_seen(past)) * change + level
        return told


class Examples:
    """What the trees learn from: it grows by series, and those of parts of a fleet add up."""

    __slots__ = ("_came", "_seen", "ahead", "count", "day")

    def __init__(self, *, ahead: int, day: int) -> None:
        self.ahead, self.day, self.count = ahead, day, 0
        self._seen: list[Floats] = []
        self._came: list[Floats] = []

    def add(self, values: Floats, slots: NDArray[np.int64]) -> None:
        """One more series, without gaps, at local times of the week (n,); short ones are left."""
        first, last = 14 * self.day, len(values) - self.ahead
        if last < first or self.count >= _MOST:
            return
        for number, at in enumerate(np.unique(np.linspace(first, last, _ORIGINS).astype(int))):
            past = Past(values=values[:at], slots=slots[: at + self.ahead], day=self.day)
            level, change = _frame(past)
            steps = np.arange(number % _STEPS, self.ahead, max(self.ahead // _STEPS, 1))
            self._seen.append(_seen(past)[steps])
            self._came.append((values[at : at + self.ahead][steps] - level) / change)
            self.count += len(steps)

    def merge(self, other: Examples) -> None:
        """Take those of another part of the fleet."""
        self._seen += other._seen
        self._came += other._came
        self.count += other.count

    def fitted(self) -> Boosted | None:
        """The model, None where examples are too few. The same examples give the same trees."""
        if self.count < _LEAST:
            return None
        from sklearn.ensemble import HistGradientBoostingRegressor

        model = HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=_TREES,
            learning_rate=_RATE,
            max_leaf_nodes=_LEAVES,
            min_samples_leaf=_LEAF,
            early_stopping=False,
            random_state=0,
        )
        model.fit(np.vstack(self._seen), np.concatenate(self._came))
        return Boosted(model=model, examples=self.count)


def _frame(past: Past) -> tuple[float, float]:
    """The level of the last week, and how much a day usually changes."""
    recent = past.values[-2 * past.week :]
    change = float(np.abs(recent[past.day :] - recent[: -past.day]).mean())
    least = _SMALLEST * float(np.abs(recent).mean()) + 1e-9
    return float(past.values[-past.week :].mean()), max(change, least)


def _seen(past: Past) -> Floats:
    """What the trees see of each step ahead: (H, features)."""
    values, day, week, ahead = past.values, past.day, past.week, past.ahead
    level, change = _frame(past)
    usual = float(np.median(past.levels[-7:]))
    today = past.adjusted[-day:].mean() - usual
    recent = values[-2 * week :]
    lags = [
        np.resize(values[-day:], ahead),
        np.resize(values[-2 * day : -day], ahead),
        np.resize(values[-week:], ahead),
        np.resize(values[-2 * week : -week], ahead),
        past.season + usual,
    ]
    alike = [
        today,
        values[-1] - values[-1 - day],
        recent[week:].mean() - recent[:week].mean(),
        recent[week:].std(),
        np.abs(recent[week:] - recent[:week]).mean(),
    ]
    clock = past.slots[len(values) :]
    columns = [(lag - level) / change for lag in lags]
    columns += [np.full(ahead, one / change) for one in alike]
    columns += [np.arange(ahead) / day, clock % day / day, (clock // day).astype(np.float64)]
    seen: Floats = np.stack(columns, axis=1)
    return seen
