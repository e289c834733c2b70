"""Running sums of one signal: what each unit has shown, under each template, since each start."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.sequential.rows import Row
from models.sequential.warmup import SETTLED_S, template_shifts

__all__ = ["Path", "Running", "Seen", "Snapshot", "Stretch", "Sums", "moved"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]


def moved(log_l: Array | Single, age: Array, row: Row) -> Array:
    """Each template's view of the bins: (T, P, J) and ages (T, P) to (T, P, W, J).

    A template that expects `a` log units more reads the grid `a` higher, clipped at its ends.
    """
    if len(row.templates) == 1:
        alone: Array = log_l.astype(np.float64)[:, :, None]
        return alone
    if not (age < SETTLED_S).any():
        return np.repeat(log_l.astype(np.float64)[:, :, None], len(row.templates), axis=2)
    points = log_l.shape[-1]
    shifts = template_shifts(age, row)
    reach = int(shifts.max())
    ends = np.repeat(log_l[..., -1:], reach, axis=-1)
    edged = np.concatenate([log_l, ends], axis=-1)
    rows = np.arange(age.size).reshape(*age.shape, 1)
    index = (rows * (points + reach) + shifts)[..., None] + np.arange(points)
    seen: Array = edged.ravel().take(index).astype(np.float64)
    return seen


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums at one boundary: `log_l` (P, W, J), `accounts` (P, A), `reference` (C,)."""

    log_l: Array
    accounts: Array
    reference: Array


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Sums before a start, of the units known then: `log_l` (known, V, J), and as in `Sums`.

    V is 1 where all of them were settled: then one template stands for all.
    """

    log_l: Single
    accounts: Array
    reference: Array


@dataclass(frozen=True, slots=True)
class Stretch:
    """Boundaries after bins `begin .. end - 1` of a path, counted from `before` a start.

    `before` None: from the beginning of all.
    """

    before: Snapshot | None
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen since starts, a row each boundary: `log_l` (N, P, V, J), `accounts` (N, P, A).

    V is 1 where one template stands for all, else W.
    """

    log_l: Array | Single
    accounts: Array

    def rows(self, at: NDArray[np.int64]) -> Seen:
        """Some of the rows."""
        return Seen(self.log_l[at], self.accounts[at])


@dataclass(frozen=True, slots=True)
class Path:
    """Sums after each of T bins: `log_l` (T, P, W, J), `accounts` (T, P, A), `reference` (T, C).

    `coarse` and `fine` are `log_l` in two halves of single precision: what was seen since a start
    is as exact as that precision can tell, for a fraction of the time that doubles take.
    """

    log_l: Array
    accounts: Array
    reference: Array
    coarse: Single
    fine: Single

    @classmethod
    def of(cls, log_l: Array, accounts: Array, reference: Array) -> Path:
        """A path of these sums."""
        coarse = log_l.astype(np.float32)
        return cls(log_l, accounts, reference, coarse, (log_l - coarse).astype(np.float32))

    def at(self, index: int) -> Sums:
        """Sums after bin `index`."""
        return Sums(self.log_l[index], self.accounts[index], self.reference[index])

    def width(self, before: Snapshot | None) -> int:
        """How many templates must be told apart since a start: all, or one for settled units."""
        units, width = self.log_l.shape[1:3]
        if before is None or len(before.log_l) < units:
            return int(width)
        return int(before.log_l.shape[1])

    def since(self, before: Snapshot | None, begin: int, end: int) -> Seen:
        """What was seen at boundaries `begin .. end - 1` since `before`."""
        return self.since_each([Stretch(before, begin, end)], self.width(before))

    def since_each(self, stretches: Sequence[Stretch], width: int) -> Seen:
        """What was seen in each stretch, one after the other, under `width` templates.

        Every row has the same bits whatever is read with it.
        """
        rows = sum(s.end - s.begin for s in stretches)
        _, units, _, points = self.log_l.shape
        log_l = np.empty((rows, units, width, points), np.float32)
        accounts = np.empty((rows, *self.accounts.shape[1:]))
        at = 0
        for stretch in stretches:
            end = at + stretch.end - stretch.begin
            self._differ(stretch, log_l[at:end], accounts[at:end])
            at = end
        return Seen(log_l, accounts)

    def _differ(self, stretch: Stretch, log_l: Single, accounts: Array) -> None:
        """Write what was seen in one stretch; units that came after its start began at zero."""
        span, before = slice(stretch.begin, stretch.end), stretch.before
        accounts[:] = self.accounts[span]
        if before is None:
            log_l[:] = self.coarse[span]
            return
        known, width = before.log_l.shape[:2]
        coarse, fine, old = self.coarse[span], self.fine[span], log_l
        if known < log_l.shape[1]:
            log_l[:, known:] = coarse[:, known:]
            coarse, fine, old = coarse[:, :known], fine[:, :known], log_l[:, :known]
        if width < coarse.shape[2]:
            coarse, fine = coarse[:, :, :width], fine[:, :, :width]
        np.subtract(coarse, before.log_l, out=old)
        old += fine
        accounts[:, :known] -= before.accounts


def _summed(steps: Array, now: Array) -> Array:
    """Sums after each step, in place: always one after the other, so any chunks give them."""
    steps[0] += now
    for index in range(1, len(steps)):
        steps[index] += steps[index - 1]
    return steps


@dataclass(slots=True)
class Running:
    """Sums of one row over all units, with snapshots at each live start.

    `columns` (A) are summed beside each unit's likelihood, `reference` (C) beside the others'.
    """

    row: Row
    columns: int
    reference: int
    now: Sums = field(init=False)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)

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

    def path(self, log_l: Array | Single, age: Array, accounts: Array, reference: Array) -> Path:
        """Sums after each of T further bins, not yet kept; any chunking gives the same bits."""
        return Path.of(
            _summed(moved(log_l, age, self.row), self.now.log_l),
            _summed(accounts.copy(), self.now.accounts),
            _summed(reference.copy(), self.now.reference),
        )

    def present(self) -> Path:
        """The sums as they stand, as a path of one bin."""
        now = self.now
        return Path.of(now.log_l[None], now.accounts[None], now.reference[None])

    def before(self, path: Path, index: int) -> Sums:
        """Sums before bin `index` of a path that follows the present."""
        return self.now if index == 0 else path.at(index - 1)

    def snapshot(self, start: int, sums: Sums, known: int, settled: bool) -> None:
        """Remember the sums of the first `known` units before `start`.

        One template stands for all where every known unit was settled.
        """
        log_l = sums.log_l[:known, :1] if settled else sums.log_l[:known]
        self.snapshots[start] = Snapshot(
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
        held: list[Sums | Snapshot] = [self.now, *self.snapshots.values()]
        return sum(s.log_l.nbytes + s.accounts.nbytes + s.reference.nbytes for s in held)
