"""Running sums: what each unit has shown, under each template, since each start.

Of one row, or of a stack of rows side by side: then arrays have one axis more, S before P.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.sequential.rows import Row
from models.sequential.stack import Stack
from models.sequential.warmup import SETTLED_S, template_shifts

__all__ = ["Path", "Running", "Seen", "Snapshot", "Stretch", "Sums", "moved"]

Array = NDArray[np.float64]
Single = NDArray[np.float32]


def moved(log_l: Array | Single, age: Array, row: Row | Stack) -> Array:
    """Each template's view of the bins: (T, P, J) and ages (T, P) to (T, P, W, J).

    A template that expects `a` log units more reads the grid `a` higher, clipped at its ends. Of a
    stack (T, S, P, J) to (T, S, P, W, J), where what lies beyond a row's grid repeats its end.
    """
    width, points = _width(row), log_l.shape[-1]
    if width == 1:
        alone: Array = log_l.astype(np.float64)[..., None, :]
        return alone
    if not (age < SETTLED_S).any():
        return np.repeat(log_l.astype(np.float64)[..., None, :], width, axis=-2)
    shifts = template_shifts(age[:, None] if isinstance(row, Stack) else age, row)
    reach = int(shifts.max())
    edged = np.empty((*log_l.shape[:-1], points + reach), log_l.dtype)
    edged[..., :points], edged[..., points:] = log_l, log_l[..., -1:]
    begins = np.arange(0, edged.size, points + reach).reshape(*log_l.shape[:-1], 1)
    seen: Array = edged.ravel().take((begins + shifts)[..., None] + np.arange(points))
    return seen.astype(np.float64)


def _width(row: Row | Stack) -> int:
    return row.width if isinstance(row, Stack) else len(row.templates)


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

    def of_rows(self, begin: int, end: int) -> Snapshot:
        """What is remembered of some rows of a stack."""
        part = slice(begin, end)
        return Snapshot(self.log_l[part], self.accounts[part], self.reference[part])

    def of_row(self, at: int, row: Row, columns: int, reference: int) -> Snapshot:
        """What is remembered of one row of a stack, as it would be alone."""
        return Snapshot(
            self.log_l[at, :, : len(row.templates), : len(row.grid.theta)],
            self.accounts[at, :, :columns],
            self.reference[at, :reference],
        )


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

    def of_rows(self, begin: int, end: int) -> Path:
        """The path of some rows of a stack."""
        part = (slice(None), slice(begin, end))
        return Path(
            self.log_l[part],
            self.accounts[part],
            self.reference[part],
            self.coarse[part],
            self.fine[part],
        )

    def of_row(self, at: int, row: Row, columns: int, reference: int) -> Path:
        """The path of one row of a stack, as it would be alone."""
        part = (slice(None), at, ..., slice(len(row.templates)), slice(len(row.grid.theta)))
        return Path(
            self.log_l[part],
            self.accounts[:, at, :, :columns],
            self.reference[:, at, :reference],
            self.coarse[part],
            self.fine[part],
        )

    def width(self, before: Snapshot | None) -> int:
        """How many templates must be told apart since a start: all, or one for settled units."""
        units, width = self.log_l.shape[-3:-1]
        if before is None or before.log_l.shape[-3] < units:
            return int(width)
        return int(before.log_l.shape[-2])

    def since(self, before: Snapshot | None, begin: int, end: int) -> Seen:
        """What was seen at boundaries `begin .. end - 1` since `before`."""
        return self.since_each([Stretch(before, begin, end)], self.width(before))

    def since_each(self, stretches: Sequence[Stretch], width: int) -> Seen:
        """What was seen in each stretch, one after the other, under `width` templates.

        Every row has the same bits whatever is read with it.
        """
        rows = sum([s.end - s.begin for s in stretches])
        *lead, _, points = self.log_l.shape
        log_l = np.empty((rows, *lead[1:], width, points), np.float32)
        accounts = np.empty((rows, *self.accounts.shape[1:]))
        coarse, fine = self.coarse[..., :width, :], self.fine[..., :width, :]
        at = 0
        for stretch in stretches:
            end, span = at + stretch.end - stretch.begin, slice(stretch.begin, stretch.end)
            accounts[at:end] = self.accounts[span]
            _differ(stretch.before, coarse[span], fine[span], log_l[at:end], accounts[at:end])
            at = end
        return Seen(log_l, accounts)


def _differ(
    before: Snapshot | None, coarse: Single, fine: Single, log_l: Single, accounts: Array
) -> None:
    """Write what was seen since `before` a start; units that came after it began at zero.

    `coarse` and `fine` are the sums of the likelihood, `accounts` still those beside it.
    """
    if before is None:
        log_l[:] = coarse
        return
    known, width = before.log_l.shape[-3:-1]
    if known < log_l.shape[-3]:
        log_l[..., known:, :, :] = coarse[..., known:, :, :]
        coarse, fine, log_l = (values[..., :known, :, :] for values in (coarse, fine, log_l))
        accounts = accounts[..., :known, :]
    if width < coarse.shape[-2]:
        coarse, fine = coarse[..., :width, :], fine[..., :width, :]
    np.subtract(coarse, before.log_l, out=log_l)
    log_l += fine
    accounts -= before.accounts


def _summed(steps: Array, now: Array) -> Array:
    """Sums after each step, in place: always one after the other, so any chunks give them."""
    steps[0] += now
    for index in range(1, len(steps)):
        steps[index] += steps[index - 1]
    return steps


_Floats = TypeVar("_Floats", Array, Single)


def _fitted(values: _Floats, shape: tuple[int, ...]) -> _Floats:
    """Values with room for more of everything; what is new is zero."""
    if values.shape == shape:
        return values
    wide = np.zeros(shape, values.dtype)
    wide[tuple(slice(size) for size in values.shape)] = values
    return wide


@dataclass(slots=True)
class Running:
    """Sums of a row, or of a stack of rows, over all units, with snapshots at each live start.

    `columns` (A) are summed beside each unit's likelihood, `reference` (C) beside the others'.
    """

    row: Row | Stack
    columns: int
    reference: int
    now: Sums = field(init=False)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lead, width, points = self._shape
        self.now = Sums(
            np.zeros((*lead, 0, width, points)),
            np.zeros((*lead, 0, self.columns)),
            np.zeros((*lead, self.reference)),
        )

    @property
    def _shape(self) -> tuple[tuple[int, ...], int, int]:
        """The axis of rows, if any; templates; effects."""
        if isinstance(self.row, Stack):
            return self.row.lead, self.row.width, self.row.points
        return (), len(self.row.templates), len(self.row.grid.theta)

    def grow(self, units: int) -> None:
        """Make room for `units` units; new ones start at zero."""
        if units > self.now.log_l.shape[-3]:
            self._fit(units)

    def widen(self, stack: Stack, columns: int, reference: int) -> None:
        """Make room for further rows of a stack, of which nothing was seen, and for columns."""
        self.row, self.columns, self.reference = stack, columns, reference
        self._fit(self.now.log_l.shape[-3])
        lead = stack.lead
        self.snapshots = {
            start: Snapshot(
                _fitted(s.log_l, (*lead, *s.log_l.shape[1:])),
                _fitted(s.accounts, (*lead, s.accounts.shape[1], columns)),
                _fitted(s.reference, (*lead, reference)),
            )
            for start, s in self.snapshots.items()
        }

    def _fit(self, units: int) -> None:
        lead, width, points = self._shape
        now = self.now
        self.now = Sums(
            _fitted(now.log_l, (*lead, units, width, points)),
            _fitted(now.accounts, (*lead, units, self.columns)),
            _fitted(now.reference, (*lead, self.reference)),
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
        width = 1 if settled else sums.log_l.shape[-2]
        self.snapshots[start] = Snapshot(
            sums.log_l[..., :known, :width, :].astype(np.float32),
            sums.accounts[..., :known, :].copy(),
            sums.reference.copy(),
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
