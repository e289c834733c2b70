"""Running sums of one signal: what each unit has shown, under each template, since each start."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.sequential.rows import Row
from models.sequential.warmup import template_shifts

__all__ = ["Path", "Running", "Sums", "moved"]

Array = NDArray[np.float64]


def moved(log_l: Array | NDArray[np.float32], age: Array, row: Row) -> Array:
    """Each template's view of the bins: (T, P, J) and ages (T, P) to (T, P, W, J).

    A template that expects `a` log units more reads the grid `a` higher, clipped at its ends.
    """
    wide = log_l.astype(np.float64)
    if len(row.templates) == 1:
        return wide[:, :, None]
    points = log_l.shape[-1]
    shifts = template_shifts(age, row)
    if not shifts.any():
        return np.broadcast_to(wide[:, :, None], (*shifts.shape, points))
    index = np.clip(np.arange(points) + shifts[..., None], 0, points - 1)
    return np.take_along_axis(wide[:, :, None], index, axis=-1)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums at one boundary: `log_l` (P, W, J), `accounts` (P, A), `reference` (C,)."""

    log_l: Array
    accounts: Array
    reference: Array


@dataclass(frozen=True, slots=True)
class Path:
    """Sums after each of T bins: `log_l` (T, P, W, J), `accounts` (T, P, A), `reference` (T, C)."""

    log_l: Array
    accounts: Array
    reference: Array

    def at(self, index: int) -> Sums:
        """Sums after bin `index`."""
        return Sums(self.log_l[index], self.accounts[index], self.reference[index])

    def since(self, start: Sums | None, begin: int, end: int) -> Path:
        """Sums after bins `begin .. end - 1` less those before `start` (None: the beginning)."""
        log_l, accounts = self.log_l[begin:end], self.accounts[begin:end]
        reference = self.reference[begin:end]
        if start is None:
            return Path(log_l, accounts, reference)
        known = len(start.log_l)
        if start.log_l.shape[1] < log_l.shape[2] and known == log_l.shape[1]:
            log_l = log_l[:, :, :1]
        if known == log_l.shape[1]:
            log_l = _one_template(log_l, start.log_l)
        else:
            log_l = log_l.copy()
            log_l[:, :known] = _one_template(log_l[:, :known], start.log_l)
        accounts = accounts.copy()
        accounts[:, :known] -= start.accounts
        return Path(log_l, accounts, reference - start.reference)

    def since_each(self, starts: Sequence[Sums | None], at: int, width: int) -> Path:
        """Sums after bin `at` less those before each start, a row each, as `since` gives them.

        `width`: 1 where one template stands for all, else all of them.
        """
        now, accounts = self.log_l[at, :, :width], self.accounts[at]
        log_l = np.empty((len(starts), *now.shape))
        counted = np.empty((len(starts), *accounts.shape))
        reference = np.empty((len(starts), *self.reference[at].shape))
        log_l[:], counted[:], reference[:] = now, accounts, self.reference[at]
        for row, start in enumerate(starts):
            if start is None:
                continue
            known, one = len(start.log_l), start.log_l.shape[1] < self.log_l.shape[2]
            past = now[:known, :1] if one else now[:known]
            log_l[row, :known] = past - start.log_l
            counted[row, :known] -= start.accounts
            reference[row] -= start.reference
        return Path(log_l, counted, reference)


def _one_template(now: Array, then: Array) -> Array:
    """Differences; where all templates coincide since `then` it holds the first one alone."""
    if then.shape[1] < now.shape[2]:
        return np.broadcast_to(now[:, :, :1] - then, now.shape)
    return now - then


@dataclass(slots=True)
class Running:
    """Sums of one row over all units, with snapshots at each live start.

    `columns` (A) are summed beside each unit's likelihood, `reference` (C) beside the others'.
    """

    row: Row
    columns: int
    reference: int
    now: Sums = field(init=False)
    snapshots: dict[int, Sums] = field(default_factory=dict)

    def __post_init__(self) -> None:
        width, points = len(self.row.templates), len(self.row.grid.theta)
        self.now = Sums(
            np.zeros((0, width, points)), np.zeros((0, self.columns)), np.zeros(self.reference)
        )

    def grow(self, units: int) -> None:
        """Make room for `units` units; new ones start at zero."""
        missing = units - len(self.now.log_l)
        if missing > 0:
            pad = ((0, missing), (0, 0), (0, 0))
            self.now = Sums(
                np.pad(self.now.log_l, pad), np.pad(self.now.accounts, pad[:2]), self.now.reference
            )

    def path(
        self, log_l: Array | NDArray[np.float32], age: Array, accounts: Array, reference: Array
    ) -> Path:
        """Sums after each of T further bins, not yet kept; any chunking gives the same bits."""
        steps = np.array(moved(log_l, age, self.row), dtype=np.float64)
        steps[0] += self.now.log_l
        accounts = accounts.copy()
        accounts[0] += self.now.accounts
        reference = reference.copy()
        reference[0] += self.now.reference
        return Path(
            np.cumsum(steps, axis=0, out=steps),
            np.cumsum(accounts, axis=0, out=accounts),
            np.cumsum(reference, axis=0, out=reference),
        )

    def before(self, path: Path, index: int) -> Sums:
        """Sums before bin `index` of a path that follows the present."""
        return self.now if index == 0 else path.at(index - 1)

    def snapshot(self, start: int, sums: Sums, known: int, settled: bool) -> None:
        """Remember the sums of the first `known` units before `start`.

        One template stands for all where every known unit was settled.
        """
        log_l = sums.log_l[:known, :1] if settled else sums.log_l[:known]
        self.snapshots[start] = Sums(
            log_l.astype(np.float32), sums.accounts[:known].copy(), sums.reference.copy()
        )

    def keep(self, path: Path, live: Collection[int]) -> None:
        """Make the path's end the present and forget starts that no longer live."""
        last = path.at(-1)
        self.now = Sums(last.log_l.copy(), last.accounts.copy(), last.reference.copy())
        self.snapshots = {s: sums for s, sums in self.snapshots.items() if s in live}

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays held."""
        held = [self.now, *self.snapshots.values()]
        return sum(s.log_l.nbytes + s.accounts.nbytes + s.reference.nbytes for s in held)
