"""A saw-tooth: what grows until it is thrown back, again and again (rotated logs, restarted leaks).

Each tooth has a length, a rate and a beginning. Cube roots of lengths are normal, as of what is
gamma distributed (Wilson and Hilferty, 1931), rates are normal, beginnings lie about a line. What
is known of the three from the teeth that were seen is drawn anew for each future, so few teeth are
told with less certainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

__all__ = ["Teeth", "drawn_teeth", "teeth"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A fall so much larger than the usual step is a reset, and so large a share of all that was seen.
_TIMES, _SHARE = 2.5, 0.1
_LEAST_RESETS, _LEAST_DAYS = 2, 8
# Steps that are up, of those that are no resets.
_RISING = 0.75
# How much lengths and rates differ before any was seen, which counts as so many that were.
_LENGTHS_DIFFER, _RATES_DIFFER, _SEEN_BEFORE = 0.25, 0.1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Teeth:
    """What was seen of a saw-tooth, by tooth: `lengths` in days, `rates` a day, `bottoms`.

    `at`: how many days before the end each began. The last tooth is not whole: `elapsed` days old,
    `last` its value now and `rate` its own so far, None of a tooth that has just begun. `noise`:
    the spread of single days.
    """

    lengths: Floats
    rates: Floats
    bottoms: Floats
    at: Floats
    last: float
    elapsed: int
    rate: float | None
    noise: float


def teeth(values: Floats) -> Teeth | None:
    """The saw-tooth of a series without gaps, by day: (n,). None where it is none."""
    steps = np.diff(values)
    if len(steps) < _LEAST_DAYS:
        return None
    usual = float(np.median(np.abs(steps)))
    resets = np.flatnonzero(steps < -max(_TIMES * usual, _SHARE * float(np.ptp(values))))
    rises = np.delete(steps, resets)
    if len(resets) < _LEAST_RESETS or (rises > 0).mean() < _RISING:
        return None
    return _seen(values, steps, resets)


def _seen(values: Floats, steps: Floats, resets: Ints) -> Teeth | None:
    begins = resets + 1
    each = [steps[begin:end] for begin, end in zip(begins, [*resets[1:], len(steps)], strict=True)]
    whole = [some.mean() for some in each[:-1] if len(some)]
    if len(whole) < _LEAST_RESETS - 1:
        return None
    own = each[-1]
    off = np.concatenate([some - some.mean() for some in each if len(some) > 1] or [np.zeros(1)])
    return Teeth(
        lengths=np.diff(begins).astype(np.float64),
        rates=np.array(whole),
        bottoms=values[begins],
        at=(len(values) - 1 - begins).astype(np.float64),
        last=float(values[-1]),
        elapsed=len(own),
        rate=float(own.mean()) if len(own) > 1 else None,
        noise=1.4826 * float(np.median(np.abs(off))),
    )


def drawn_teeth(seen: Teeth, ahead: int, count: int, rng: np.random.Generator) -> Floats:
    """Futures, equally likely: (count, ahead)."""
    usual, varied = _sample(seen.rates, _RATES_DIFFER, count, rng)
    mean, spread = _sample(np.cbrt(seen.lengths), _LENGTHS_DIFFER / 3, count, rng)
    bottoms = _bottoms(seen, ahead, count, rng)
    rate = _running(seen, usual, varied, rng)
    left = _left(seen.elapsed, mean, spread, rng)
    value, paths = np.full(count, seen.last), np.empty((ahead, count))
    for day in range(ahead):
        falls = left <= 0
        left = np.where(falls, _lengths(mean, spread, rng), left) - 1
        rate = np.where(falls, usual + varied * rng.standard_normal(count), rate)
        value = np.where(falls, bottoms[day], value + rate)
        paths[day] = value + seen.noise / np.sqrt(2) * rng.standard_normal(count)
    futures: Floats = paths.T
    return futures


def _sample(
    seen: Floats, differ: float, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Mean and spread of a normal of which a sample was seen, as they may be: (count,) each."""
    size, mean = len(seen), float(seen.mean())
    if size > _LEAST_RESETS and np.ptp(seen) == 0:
        return np.full(count, mean), np.zeros(count)
    squares = float(((seen - mean) ** 2).sum()) + _SEEN_BEFORE * (differ * mean) ** 2
    spread = np.sqrt(squares / rng.chisquare(size - 1 + _SEEN_BEFORE, count))
    return mean + spread / np.sqrt(size) * rng.standard_normal(count), spread


def _running(seen: Teeth, usual: Floats, varied: Floats, rng: np.random.Generator) -> Floats:
    """The rate of the tooth that runs: what it showed, and what teeth are like."""
    if seen.rate is None:
        return usual + varied * rng.standard_normal(len(usual))
    chance, known = (seen.noise**2 / seen.elapsed**2) + 1e-300, varied**2 + 1e-300
    share = known / (known + chance)
    middle = share * seen.rate + (1 - share) * usual
    drawn: Floats = middle + np.sqrt(share * chance) * rng.standard_normal(len(usual))
    return drawn


def _lengths(mean: Floats, spread: Floats, rng: np.random.Generator) -> Floats:
    """How long teeth are, in whole days."""
    return _days(mean + spread * rng.standard_normal(len(mean)))


def _days(roots: Floats) -> Floats:
    days: Floats = np.maximum(np.rint(np.maximum(roots, 0.0) ** 3), 1.0)
    return days


def _left(elapsed: int, mean: Floats, spread: Floats, rng: np.random.Generator) -> Floats:
    """Days until the running tooth ends: it has lasted so long already."""
    least = ndtr((np.cbrt(elapsed + 0.5) - mean) / np.maximum(spread, 1e-9))
    share = np.minimum(least + (1 - least) * rng.random(len(mean)), 1 - 1e-12)
    left: Floats = np.maximum(_days(mean + spread * ndtri(share)), elapsed + 1) - elapsed - 1
    return left


def _bottoms(seen: Teeth, ahead: int, count: int, rng: np.random.Generator) -> Floats:
    """Where a tooth would begin each day: (ahead, count), about a line through those seen."""
    days, size = -seen.at, len(seen.at)
    middle = days.mean()
    wide = float(((days - middle) ** 2).sum())
    slope = float(((days - middle) * seen.bottoms).sum()) / wide
    off = seen.bottoms - seen.bottoms.mean() - slope * (days - middle)
    free = max(size - 2, 1)
    spread = np.sqrt((off**2).sum() / rng.chisquare(free, count))
    level = seen.bottoms.mean() + spread / np.sqrt(size) * rng.standard_normal(count)
    slopes = slope + spread / np.sqrt(wide) * rng.standard_normal(count)
    to_come = np.arange(1.0, ahead + 1)[:, None] - middle
    drawn: Floats = level + slopes * to_come + spread * rng.standard_normal((ahead, count))
    return drawn
