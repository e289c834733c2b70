"""Views of a row of departures: each says how odd the row is, and which metrics make it so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Covariance", "Deviation", "Member", "Projection", "fit_covariance", "fit_projection"]

Floats = NDArray[np.float64]

# Departures beyond this bend no covariance: what was odd while learning is not learned.
_WINSOR = 5.0
_CAP = 100.0
_LEAST = 1e-9


class Member(Protocol):
    """One view."""

    def raw(self, x: Floats) -> Floats:
        """How odd rows `x` (T, width) are: (T,), higher is odder."""
        ...

    def shares(self, x: Floats) -> Floats:
        """What each column adds to that: (T, width), not negative."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far metrics are from usual, each by itself: the log of the mean square."""

    def raw(self, x: Floats) -> Floats:
        """The log of the mean over columns."""
        return _log_mean(self.shares(x))

    def shares(self, x: Floats) -> Floats:
        """Squares."""
        return x**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """The Mahalanobis distance: how far metrics are from how they move together.

    `weights` (width, width) is the symmetric root of the inverse covariance, so that the squares
    of the transformed columns add up to the distance and each stays closest to its own column
    (Garthwaite and Koch, Electronic Journal of Statistics 2016).
    """

    weights: Floats

    def raw(self, x: Floats) -> Floats:
        """The log of the mean square distance over columns."""
        return _log_mean(self.shares(x))

    def shares(self, x: Floats) -> Floats:
        """Squares of the transformed columns."""
        moved: Floats = np.clip(x @ self.weights, -_CAP, _CAP) ** 2
        return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """What principal components (k, width) do not explain of a row."""

    components: Floats

    def raw(self, x: Floats) -> Floats:
        """The log of the mean square of what is left."""
        return _log_mean(self.shares(x))

    def shares(self, x: Floats) -> Floats:
        """Squares of what is left."""
        left: Floats = np.clip(x - (x @ self.components.T) @ self.components, -_CAP, _CAP) ** 2
        return left


def fit_covariance(x: Floats, *, shrinkage: float) -> Covariance:
    """Of winsorised rows `x` (T, width), shrunk towards equal spreads by the share `shrinkage`."""
    from sklearn.covariance import shrunk_covariance

    held = np.clip(x, -_WINSOR, _WINSOR)
    covariance = shrunk_covariance(held.T @ held / len(held), shrinkage=shrinkage)
    spreads, axes = np.linalg.eigh(covariance)
    floor = max(float(spreads[-1]), 1.0) * _LEAST
    root = (axes / np.sqrt(np.maximum(spreads, floor))) @ axes.T
    return Covariance(weights=np.ascontiguousarray(root))


def fit_projection(x: Floats, *, kept: float) -> Projection:
    """The components of winsorised rows that explain the share `kept` of their variance."""
    from sklearn.decomposition import PCA

    fitted = PCA(n_components=kept, svd_solver="full").fit(np.clip(x, -_WINSOR, _WINSOR))
    return Projection(components=np.ascontiguousarray(fitted.components_, dtype=np.float64))


def _log_mean(squares: Floats) -> Floats:
    level: Floats = np.log(squares.mean(axis=1) + _LEAST)
    return level
