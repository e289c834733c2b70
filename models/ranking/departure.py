"""How far values have left what was normal for them, when normal may be few values or many."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

__all__ = ["Normal", "Tail", "normal_of", "surprise", "tail_of", "weight_of"]

Array = NDArray[np.float64]

# Quantiles that the spread must cover, each from so many values on. The last one in a hundred may
# be as wild as it likes: a history holds incidents, too.
_COVERED = ((0.75, 3), (0.9, 20), (0.97, 70), (0.99, 300))
# What is not known of a spread: that of two more values, a third of the middle apart from it.
_PRIOR_VALUES, _PRIOR_RELATIVE = 2.0, 0.3
# Tails of what services do are those of Student's t with four degrees of freedom at best.
_FREEDOM, _FREEDOM_VALUES = 4.0, 10.0
# A tail begins where one value in five is, and is told from two hundred values on. Flatter than
# an index of 0.3 would mean that nothing is ever odd.
_TAIL_SHARE, _TAIL_VALUES, _FLATTEST = 0.2, 200, 0.3
# Odds of Vovk's calibrator k * p ** (k - 1): the smaller the flatter.
_CALIBRATOR = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """Middle and spread towards one side, of `count` values; `spread` 0 where all of them are 0.

    `freedom`: degrees of freedom of the t distribution whose tail a new value is held against.
    """

    middle: float
    spread: float
    freedom: float
    count: int


def normal_of(values: Array, side: int) -> Normal | None:
    """What is normal of finite values (n,), towards above (`side` 1) or below (-1); None of none.

    The spread is the widest that any quantile of the side asks for, were the values t distributed,
    so that a heavy tail in the past is no oddity now; a robust one (MAD) is the least. It scales
    with the unit of the values.
    """
    count = len(values)
    if count == 0:
        return None
    middle = float(np.median(values))
    freedom = 1.0 + (_FREEDOM - 1.0) * count / (count + _FREEDOM_VALUES)
    covering = math.sqrt(count) * _covering(side * (values - middle), freedom)
    prior = math.sqrt(_PRIOR_VALUES) * _PRIOR_RELATIVE * middle
    spread = math.hypot(covering, prior) / math.sqrt(count + _PRIOR_VALUES)
    return Normal(middle=middle, spread=spread, freedom=freedom, count=count)


def _covering(deviations: Array, freedom: float) -> float:
    asked = [level for level, least in _COVERED if len(deviations) >= least]
    reached = np.quantile(deviations, asked) if asked else np.empty(0)
    steps = [found / stdtrit(freedom, level) for found, level in zip(reached, asked, strict=True)]
    typical = float(np.median(np.abs(deviations))) / stdtrit(freedom, 0.75)
    return max(typical, *steps, 0.0) if steps else float(typical)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Of `count` scores of many series: those of its furthest fifth, ascending, and their index.

    Beyond the furthest one chances fall off by a power, `index`, of one at most.
    """

    furthest: Array
    count: int
    index: float

    def beyond(self, score: float) -> float:
        """Probability of a score further out than this one; 1 before the tail begins."""
        if score <= self.furthest[0]:
            return 1.0
        further = len(self.furthest) - int(np.searchsorted(self.furthest, score))
        if further:
            return (further + 1.0) / (self.count + 1.0)
        return float((self.furthest[-1] / score) ** self.index / (self.count + 1.0))


def tail_of(scores: Array) -> Tail | None:
    """The tail of finite scores (n,), its index by Hill's estimator; None of too few values.

    What the same measurement did elsewhere in the past tells of wild values that a short past of
    one series does not hold. Hill, "A simple general approach to inference about the tail of a
    distribution", Annals of Statistics 1975.
    """
    if len(scores) < _TAIL_VALUES:
        return None
    furthest = np.sort(scores)[-int(len(scores) * _TAIL_SHARE) :]
    if furthest[0] <= 0.0:
        return None
    last = furthest[-max(2, len(furthest) // 20) :]
    steep = 1.0 / max(float(np.log(last / last[0]).mean()), 1e-9)
    return Tail(furthest=furthest, count=len(scores), index=min(1.0, max(_FLATTEST, steep)))


def surprise(scores: Array, normal: Normal, tail: Tail | None = None) -> float:
    """Probability that chance brings values as far out as these, from spreads outward (m,).

    Of the two furthest of them the mean counts, so that one wild value alone is doubted; looking at
    m values costs a factor of m. Values that were never anything but 0 are as rare as they were.
    With a `tail` of alike series the chance is no less than that one says.
    """
    if len(scores) == 0:
        return 1.0
    furthest = float(np.sort(scores)[-2:].mean()) if len(scores) > 1 else float(scores[0]) / 2.0
    if furthest <= 0.0:
        return 1.0
    chance = 1.0 / (normal.count + 2.0)
    if math.isfinite(furthest):
        chance = float(stdtr(normal.freedom, -furthest))
        known = tail.beyond(furthest) if tail is not None else 0.0
        chance = max(chance, known) if known < 1.0 else chance
    return min(1.0, chance * len(scores))


def weight_of(probability: float) -> float:
    """Log odds that a p-value brings for *something is wrong* (natural logarithm).

    Vovk's calibrator: Vovk & Wang, "E-values: calibration, combination and applications", Annals of
    Statistics 2021. It bets moderately: p = 1 costs 1.6, p = 0.001 brings 3.9.
    """
    return math.log(_CALIBRATOR) - (1.0 - _CALIBRATOR) * math.log(max(probability, 1e-300))
