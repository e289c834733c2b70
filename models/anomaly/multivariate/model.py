"""The model of several metrics: views of their departures, smoothed at several paces, as one level.

A row's departures from the usual, with a few rows before it, are looked at by each member; members
are brought to the same spread, smoothed over several half-lives and averaged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from models.anomaly.multivariate.filling import filled, fit_precision
from models.anomaly.multivariate.forest import grow_forest
from models.anomaly.multivariate.members import (
    Deviation,
    Member,
    fit_covariance,
    fit_projection,
)
from models.anomaly.multivariate.seasons import Usual, departures, learn_usual
from models.anomaly.multivariate.tail import Tail, p_values, tail_of

__all__ = [
    "Carried",
    "Kind",
    "Multivariate",
    "Recipe",
    "Scored",
    "begin",
    "calibrated",
    "fit",
    "score",
    "shares",
]

Floats = NDArray[np.float64]


class Kind(Enum):
    """What a member looks at; the last three are fitted by scikit-learn."""

    DEVIATION = "deviation"
    COVARIANCE = "covariance"
    PROJECTION = "projection"
    FOREST = "forest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model is made; docs/models.md says what each choice was measured to do.

    `lags`: rows before the one that is judged which the covariance sees, 0 is that row.
    `half_lives_s`: paces at which members are smoothed, 0 is not at all. `seed` grows the forest.
    """

    kinds: tuple[Kind, ...] = (Kind.DEVIATION, Kind.COVARIANCE)
    lags: tuple[int, ...] = (0, 1, 2, 4)
    half_lives_s: tuple[float, ...] = (0.0, 600.0, 1800.0)
    shrinkage: float = 0.25
    kept: float = 0.7
    trees: int = 100
    sample: int = 256
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Multivariate:
    """A fitted model of M metrics: `centre` and `spread` (members,) are of each member's view.

    `precision` (M, M) is the inverse covariance of departures, by which missing ones are filled.
    """

    recipe: Recipe
    usual: Usual
    precision: Floats
    members: tuple[Member, ...]
    centre: Floats
    spread: Floats
    tail: Tail

    @property
    def metrics(self) -> int:
        """How many metrics it is of."""
        return len(self.usual.centre)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What the next rows need of those before: departures (rows, M), smoothed views."""

    rows: Floats
    smooth: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """T rows: `level`, its `p_value`, and how many metrics were `present`.

    A row without any value keeps the level that was before; whoever reads sees it by `present`.
    """

    level: Floats
    p_value: Floats
    present: NDArray[np.int64]


def fit(x: Floats, first: int, step_s: float, recipe: Recipe) -> Multivariate:
    """Learn from rows `x` (T, M), NaN where missing, `first` steps of `step_s` after 1970.

    Rows are taken as usual, though a few odd ones do little harm. `ValueError` where no row or
    fewer than two have any value.
    """
    seen = np.isfinite(x).any(axis=1)
    if seen.sum() < 2:
        raise ValueError("fewer than two rows have a value: nothing to learn from")
    usual = learn_usual(x, first, step_s)
    known = departures(usual, x, first)
    precision = fit_precision(known[seen], shrinkage=recipe.shrinkage)
    z = filled(known, ~np.isfinite(x), precision)
    wide = _lagged(np.zeros((max(recipe.lags), x.shape[1])), z, recipe.lags)
    members = tuple(_member(kind, z[seen], wide[seen], recipe) for kind in recipe.kinds)
    raw = _raw(members, recipe, z, wide)[seen]
    model = Multivariate(
        recipe=recipe,
        usual=usual,
        precision=precision,
        members=members,
        centre=raw.mean(axis=0),
        spread=np.maximum(raw.std(axis=0), 1e-9),
        tail=Tail(levels=np.zeros(1), log_share=np.zeros(1), decay=1.0),
    )
    return calibrated(model, score(model, x, first, begin(model))[0].level)


def calibrated(model: Multivariate, levels: Floats) -> Multivariate:
    """The same model with p-values by `levels` (N,) that it gave to rows taken as usual."""
    return replace(model, tail=tail_of(levels))


def begin(model: Multivariate) -> Carried:
    """Before the first row: all is as usual."""
    recipe = model.recipe
    return Carried(
        rows=np.zeros((max(recipe.lags), model.metrics)),
        smooth=np.zeros((len(recipe.kinds), len(recipe.half_lives_s))),
    )


def score(model: Multivariate, x: Floats, first: int, carried: Carried) -> tuple[Scored, Carried]:
    """How odd each row of `x` (T, M) is, from itself and what was before it only.

    Rows may come in any cut: what is carried makes the levels equal, to rounding.
    """
    recipe = model.recipe
    z = _departures(model, x, first)
    wide = _lagged(carried.rows, z, recipe.lags)
    present = np.isfinite(x).sum(axis=1)
    views = (_raw(model.members, recipe, z, wide) - model.centre) / model.spread
    smoothed = _smoothed(views, present > 0, carried.smooth, _weights(model))
    level = smoothed.mean(axis=(1, 2))
    rows = np.concatenate([carried.rows, z])
    after = Carried(
        rows=rows[len(rows) - len(carried.rows) :],
        smooth=smoothed[-1] if len(x) else carried.smooth,
    )
    return Scored(level=level, p_value=p_values(model.tail, level), present=present), after


def shares(model: Multivariate, x: Floats, first: int, carried: Carried) -> Floats:
    """What each metric adds to how odd each row is: (T, M), rows add up to 1, or are 0.

    Of each member the share of the metric, averaged over members.
    """
    recipe = model.recipe
    z = _departures(model, x, first)
    wide = _lagged(carried.rows, z, recipe.lags)
    parts = [
        _portions(_folded(member.shares(_input(kind, z, wide)), model.metrics))
        for kind, member in zip(recipe.kinds, model.members, strict=True)
    ]
    return _portions(np.mean(parts, axis=0))


def _departures(model: Multivariate, x: Floats, first: int) -> Floats:
    known = departures(model.usual, x, first)
    return filled(known, ~np.isfinite(x), model.precision)


def _member(kind: Kind, z: Floats, wide: Floats, recipe: Recipe) -> Member:
    match kind:
        case Kind.DEVIATION:
            return Deviation()
        case Kind.COVARIANCE:
            return fit_covariance(wide, shrinkage=recipe.shrinkage)
        case Kind.PROJECTION:
            return fit_projection(z, kept=recipe.kept)
        case Kind.FOREST:
            return grow_forest(z, trees=recipe.trees, sample=recipe.sample, seed=recipe.seed)


def _raw(members: tuple[Member, ...], recipe: Recipe, z: Floats, wide: Floats) -> Floats:
    """(T, members)."""
    views = zip(recipe.kinds, members, strict=True)
    return np.stack([member.raw(_input(kind, z, wide)) for kind, member in views], axis=1)


def _input(kind: Kind, z: Floats, wide: Floats) -> Floats:
    return wide if kind is Kind.COVARIANCE else z


def _lagged(before: Floats, z: Floats, lags: tuple[int, ...]) -> Floats:
    """Each row beside those `lags` before it: (T, lags * M)."""
    rows = np.concatenate([before, z])
    begin_at = len(before)
    return np.hstack([rows[begin_at - lag : begin_at - lag + len(z)] for lag in lags])


def _weights(model: Multivariate) -> Floats:
    """What a new row counts for, at each pace."""
    halves = np.asarray(model.recipe.half_lives_s) / model.usual.step_s
    return 1.0 - 0.5 ** (1.0 / np.maximum(halves, 1e-3))


def _smoothed(views: Floats, seen: NDArray[np.bool_], last: Floats, weights: Floats) -> Floats:
    """Exponentially smoothed views (T, members, paces), still where no row was seen."""
    from scipy.signal import lfilter

    rows = views[seen]
    out = np.empty((len(rows) + 1, *last.shape))
    out[0] = last
    for pace, weight in enumerate(weights):
        if len(rows):
            state = (1.0 - weight) * last[None, :, pace]
            kept, _ = lfilter([weight], [1.0, weight - 1.0], rows, axis=0, zi=state)
            out[1:, :, pace] = kept
    smoothed: Floats = out[np.cumsum(seen)]
    return smoothed


def _folded(parts: Floats, metrics: int) -> Floats:
    """Columns of a metric at several lags, added up."""
    folded: Floats = parts.reshape(len(parts), -1, metrics).sum(axis=1)
    return folded


def _portions(parts: Floats) -> Floats:
    total = parts.sum(axis=1, keepdims=True)
    return np.where(total > 0, parts / np.where(total > 0, total, 1.0), 0.0)
