"""How a level moves from one block of time to the next: by season, and how far off that was.

The level itself is the caller's; what is learned is by how much it usually moves at this time, and
how far each past block was from what the others of its time foretell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outlook", "Season", "outlook"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# Others of its time that a block is held against, at least.
_OTHERS = 3
# What is further out, in robust standard deviations, moves a mean no more than that.
_CLIP = 4.0
_MAD = 1.4826
# What one block in a hundred does decides over no season.
_TRIM = 0.99
_FIRST_WEEKDAY = 3


class Season(Enum):
    """Which past blocks are of the same time as another."""

    NONE = "none"
    DAY = "day"
    DAY_KIND = "working day or weekend"
    WEEK = "week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The movement that is expected (log), and how far off it was at K past blocks.

    `noise`: variance of `shift` by counting, and by where between two blocks it was asked for.
    `times`: past blocks of the same time that told it. `off` (K,): what came less what the others
    of its time said, `variance` (K,) of it by counting. `here`: sd of that beyond counting at this
    time of the day, the furthest day left out: what happens once a week is no rare accident then.
    """

    season: Season
    shift: float
    noise: float
    times: int
    off: Array
    variance: Array
    here: float = 0.0

    def interval(self, coverage: float) -> tuple[float, float]:
        """Where the next movement lies with this chance; infinite where too little was seen.

        The conformal quantile of what was off (Vovk, Gammerman, Shafer 2005): it holds for any
        distribution of it, as long as the next one is drawn as the past ones were.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"a coverage lies between 0 and 1, not {coverage}")
        rank = math.ceil((len(self.off) + 1) * coverage)
        far = math.inf if rank > len(self.off) else float(np.sort(np.abs(self.off))[rank - 1])
        return self.shift - far, self.shift + far


def outlook(effect: Array, variance: Array, slot: Ints, at: float, *, a_day: int) -> Outlook:
    """What is expected of the block that begins at slot `at`, by the season that was least off.

    `effect` (K,): by how much (log) each past block was above its reference, `variance` (K,) of
    that by counting, `slot` (K,) its number since 1970 in blocks, `a_day` of them. Between two
    slots the movement is in proportion, and in doubt. Without a season the level is expected to
    stand.
    """
    found = [_standing(effect, variance), *_seasonal(effect, variance, slot, at, a_day)]
    best, kept = min(found, key=lambda one: _usual(one[0].off))
    here = _here(best, (slot[kept] - math.floor(at)) % a_day, is_between=at % 1.0 > 0)
    return replace(best, here=here)


def _here(found: Outlook, ahead: Ints, *, is_between: bool) -> float:
    """How far off it was at this time of past days, or at the next one if that is worse."""
    worst = 0.0
    for step in (0, 1) if is_between else (0,):
        same = ahead == step
        far = np.sort(np.abs(found.off[same]))[: -1 if same.sum() > _OTHERS else None]
        if len(far):
            worst = max(worst, float(np.mean(far**2) - np.mean(found.variance[same])))
    return math.sqrt(worst)


def _standing(effect: Array, variance: Array) -> tuple[Outlook, Bools]:
    found = Outlook(
        season=Season.NONE, shift=0.0, noise=0.0, times=0, off=effect, variance=variance
    )
    return found, np.ones(len(effect), np.bool_)


def _usual(off: Array) -> float:
    """Root mean square of all but the furthest; nothing known is the worst."""
    if not len(off):
        return math.inf
    far = np.abs(off)
    return float(np.sqrt(np.mean(far[far <= np.quantile(far, _TRIM)] ** 2)))


def _seasonal(
    effect: Array, variance: Array, slot: Ints, at: float, a_day: int
) -> Iterator[tuple[Outlook, Bools]]:
    first = math.floor(at)
    beside = np.array([first, first + 1], np.int64)
    for season in (Season.DAY, Season.DAY_KIND, Season.WEEK):
        keys, wanted = (_keys(season, s, a_day) for s in (slot, beside))
        found = _by_key(season, effect, variance, keys, wanted, at - first)
        if found is not None:
            yield found


def _keys(season: Season, slot: Ints, a_day: int) -> Ints:
    """Which blocks are of one time."""
    if season is Season.WEEK:
        return slot % (7 * a_day)
    day = slot % a_day
    if season is Season.DAY:
        return day
    weekday = (slot // a_day + _FIRST_WEEKDAY) % 7
    kind: Ints = day + a_day * (weekday >= 5)
    return kind


def _by_key(
    season: Season, effect: Array, variance: Array, keys: Ints, wanted: Ints, part: float
) -> tuple[Outlook, Bools] | None:
    """By the mean of each time, every block against the mean of the others."""
    names, group = np.unique(keys, return_inverse=True)
    place = np.searchsorted(names, wanted)
    if not len(names) or (place >= len(names)).any() or (names[place] != wanted).any():
        return None
    bounded = _bounded(effect, variance, group, len(names))
    count = np.bincount(group).astype(np.float64)
    total, noise = (np.bincount(group, w) for w in (bounded, variance))
    if (count[place] <= _OTHERS).any():
        return None
    share = np.array([1.0 - part, part])
    kept = count[group] > _OTHERS
    n = count[group][kept]
    others = (total[group] - bounded)[kept] / (n - 1)
    doubt = variance[kept] + (noise[group] - variance)[kept] / (n - 1) ** 2
    # A mean of one block fewer is a little further off than that of all of them.
    more = (1 + 1 / n) / (1 + 1 / (n - 1))
    means = (total / count)[place]
    more_yet, unplaced = _placed(float(means[0]), float(means[1]), part)
    found = Outlook(
        season=season,
        shift=float(share @ means) + more_yet,
        noise=float(share**2 @ (noise / count**2)[place]) + unplaced**2,
        times=int(count[place].min()),
        off=(effect[kept] - others) * np.sqrt(more),
        variance=doubt * more,
    )
    return found, kept


def _placed(here: float, after: float, part: float) -> tuple[float, float]:
    """What a step within two blocks adds to the movement between them, and the doubt about it.

    Movements `here` and `after` of one sign may be a ramp, which is in proportion, or one step, of
    which the second block's share tells the place: then up to twice `min(f, g) - f g` of it are
    missing (f: `part`, g: that share). Half of that is added, and half is in doubt. Where they are
    of two signs nothing tells.
    """
    if here * after <= 0.0:
        return 0.0, 2.0 * min(part, 1.0 - part) * 0.5 * (abs(here) + abs(after))
    whole = here + after
    behind = after / whole
    half = (min(part, behind) - part * behind) * whole
    return half, half


def _bounded(effect: Array, variance: Array, group: Ints, groups: int) -> Array:
    """Effects, each no further from the median of its group than is usual."""
    order = np.lexsort((effect, group))
    ends = np.cumsum(np.bincount(group, minlength=groups))
    begins = np.concatenate([[0], ends[:-1]])
    ranked = effect[order]
    median = 0.5 * (ranked[(begins + ends - 1) // 2] + ranked[(begins + ends) // 2])[group]
    far = effect - median
    usual = _MAD * float(np.median(np.abs(far)))
    most = _CLIP * np.sqrt(usual**2 + variance)
    bounded: Array = median + np.clip(far, -most, most)
    return bounded
