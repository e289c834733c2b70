"""What sums since starts say: log e-values of the arm and of each row, all starts at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.gate.learn import Learned
from detector.series import FloatArray
from models.sequential.evidence import ceiling, evidence, log_shift
from models.sequential.kernels import Kernels, build_kernels
from models.sequential.rows import Row
from models.sequential.running import Path, Seen, Stretch
from models.sequential.stack import Stack, StackedKernels, stack_of, stacked
from models.sequential.warmup import log_priors

__all__ = ["Account", "Scorer", "Scores", "SideBySide"]

# sd of what history says of now, where the control is starved: counts, histograms.
_HISTORY_SD = {True: 0.25, False: 0.08}
_QUARTERS = 4
# The past of half an hour counts as one; what is judged by it four hours on, on average, as eight.
_MOST = 8 * _QUARTERS
# Boundaries of a signal scored at once: 5 rows, 8 templates, 70 effects of each: two megabytes.
_BATCH = 80


class Account(IntEnum):
    """Columns summed per canary row beside the likelihood; the tally's columns follow."""

    REQUESTS = 0
    COUNTED = 1
    CAUTION = 2
    MASK = 3
    ON_HISTORY = 4
    BINS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Log e-values of N rows, `each` (N, 1 + P): the arm, then its pods.

    It is -inf for a pod whose e is not above what was asked for. `shift` (N, D) is log L(d) of the
    arm. Of S signals side by side (N, S, 1 + P) and (N, S, D).
    """

    each: FloatArray
    shift: FloatArray

    @property
    def arm(self) -> FloatArray:
        """Those of the arm."""
        return self.each[..., 0]

    @property
    def pods(self) -> FloatArray:
        """Those of single pods."""
        return self.each[..., 1:]


class _Scoring(ABC):
    """Reads sums under kernels: of one signal, or of several side by side."""

    __slots__ = ()

    @property
    @abstractmethod
    def row(self) -> Row | Stack:
        """What the sums are of."""

    @property
    @abstractmethod
    def log_q(self) -> FloatArray:
        """Log priors of the templates."""

    @abstractmethod
    def kernels(self, effective: int, quarters: int = 0) -> Kernels | StackedKernels:
        """Kernels for a control worth `effective` pods, `quarters` of it replaced by history."""

    def log_shift(self, seen: Seen) -> tuple[FloatArray, FloatArray]:
        """log L(d) of the arm (N, D) and of each row (N, P, D); no worth of the control enters."""
        return log_shift(seen.log_l, self.kernels(1), self.log_q)

    def score(self, seen: Seen, effective: FloatArray) -> Scores:
        """Log e-values of what was seen; `effective` (N,) is what the control amounts to."""
        return self._scores(self._logs(seen, spent=False), seen.accounts, effective)

    def score_each(
        self,
        path: Path,
        stretches: Sequence[Stretch],
        effective: FloatArray,
        least: FloatArray | None = None,
    ) -> Scores:
        """Scores of stretches of a path, one after the other; read together where widths agree.

        `effective` (N,) has what the control amounts to at each of their boundaries. Of pods e
        matters only above `least` (N, 1 + P, logs).
        """
        limit = self._limit
        batches = _batches(path, stretches, limit)
        if len(batches) == 1:
            seen = path.since_each(stretches, batches[0][0])
            return self._scores(self._logs(seen, spent=True), seen.accounts, effective, least)
        places, (*lead, units, _, _) = _places(stretches), path.log_l.shape
        logs = np.empty((len(effective), *lead[1:], 1 + units, _shifts(self.row)))
        accounts = np.empty((len(effective), *path.accounts.shape[1:]))
        for width, batch in batches:
            rows = np.concatenate([places[k] for k in batch])
            seen = path.since_each([stretches[k] for k in batch], width)
            logs[rows], accounts[rows] = self._logs(seen, spent=True), seen.accounts
        return self._scores(logs, accounts, effective, least)

    @property
    def _limit(self) -> int:
        """Boundaries that are scored at once."""
        return max(1, _BATCH // len(self.row.rows)) if isinstance(self.row, Stack) else _BATCH

    def _logs(self, seen: Seen, *, spent: bool) -> FloatArray:
        """log L(d) of the arm, then of each row: (N, 1 + P, D); what was seen may be `spent`."""
        arm, rows = log_shift(seen.log_l, self.kernels(1), self.log_q, spent=spent)
        logs = np.empty((*arm.shape[:-1], rows.shape[-2] + 1, arm.shape[-1]))
        logs[..., 0, :], logs[..., 1:, :] = arm, rows
        return logs

    def _scores(
        self,
        logs: FloatArray,
        accounts: FloatArray,
        effective: FloatArray,
        least: FloatArray | None = None,
    ) -> Scores:
        keys, cautions = _keys(effective, accounts), _cautions(accounts)
        scores = np.empty(logs.shape[:-1])
        for key, at in _alike(keys, self._limit):
            kernels, row = self.kernels(*divmod(key, _MOST + 1)), self.row
            caution = None if cautions is None else cautions[at]
            which = at[1] if isinstance(at, tuple) and len(at) > 1 else None
            if least is None or caution is not None or which is not None:
                scores[at] = evidence(logs[at], kernels, row, caution, which)
            elif isinstance(kernels, StackedKernels):
                scores[at] = _above(logs[at], kernels, row, least[at])
        if least is not None:
            pods = scores[..., 1:]
            pods[pods <= least[:, None, 1:]] = -np.inf
        return Scores(each=scores, shift=logs[..., 0, :])


@dataclass(slots=True)
class Scorer(_Scoring):
    """Reads one signal's sums under kernels made once for each worth of its control.

    `on_counts`: leans on a rate, else on a histogram. `told_apart` False: the series do not tell
    pods apart. `before`: sd of what history says of now, once it was learned; None: as assumed.
    """

    learned: Learned
    on_counts: bool
    told_apart: bool
    before: float | None = None
    _kernels: dict[tuple[int, int], Kernels] = field(init=False, default_factory=dict)

    @property
    def row(self) -> Row:
        """The signal's row."""
        return self.learned.row

    @property
    def log_q(self) -> FloatArray:
        """Log priors of its templates, (W,)."""
        return log_priors(self.learned.row.templates)

    def kernels(self, effective: int, quarters: int = 0) -> Kernels:
        """Kernels for a control worth `effective` pods, `quarters` of it replaced by history."""
        key = (effective, quarters)
        if key not in self._kernels:
            noise = self.learned.noise
            before = _HISTORY_SD[self.on_counts] if self.before is None else self.before
            square = self.learned.arm**2 + before**2 * quarters / _QUARTERS
            square += noise.tau**2 / effective if self.told_apart else noise.tau**2
            tau, rho = noise.tau_grid, noise.rho
            if not self.told_apart:
                tau, rho = np.array([1e-6]), np.array([1.0])
            self._kernels[key] = build_kernels(self.learned.row, tau, rho, float(np.sqrt(square)))
        return self._kernels[key]

    def remember(self, before: float) -> None:
        """Take what history was learned to be worth."""
        self.before = before
        self._kernels.clear()


@dataclass(slots=True)
class SideBySide(_Scoring):
    """Reads the sums of several signals at once; each keeps its own kernels."""

    scorers: tuple[Scorer, ...]
    _stack: Stack = field(init=False)
    _stacked: dict[tuple[object, ...], StackedKernels] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._stack = stack_of(tuple(scorer.row for scorer in self.scorers))

    @property
    def row(self) -> Stack:
        """The signals' rows."""
        return self._stack

    @property
    def log_q(self) -> FloatArray:
        """Log priors of their templates, (S, W)."""
        return self._stack.log_q

    def kernels(self, effective: int, quarters: int = 0) -> StackedKernels:
        """Kernels of each for a control worth so much."""
        key = (effective, quarters, *(scorer.before for scorer in self.scorers))
        if key not in self._stacked:
            each = [scorer.kernels(effective, quarters) for scorer in self.scorers]
            self._stacked[key] = stacked(each, self._stack)
        return self._stacked[key]


def _above(
    logs: FloatArray, kernels: StackedKernels, row: Row | Stack, least: FloatArray
) -> FloatArray:
    """Log e-values of the arm, and of pods where they may be above `least`, from (N, S, 1 + P, D).

    Hardly ever any is.
    """
    scores = np.empty(logs.shape[:-1])
    scores[..., :1] = evidence(logs[:, :, :1], kernels, row)
    scores[..., 1:] = ceiling(logs[:, :, 1:], kernels)
    at, rows, pods = np.nonzero(scores[..., 1:] > least[:, None, 1:])
    if len(at):
        each = logs[at, rows, 1 + pods][:, None]
        scores[at, rows, 1 + pods] = evidence(each, kernels, row, rows=rows)[:, 0]
    return scores


def _shifts(row: Row | Stack) -> int:
    return row.shifts if isinstance(row, Stack) else len(row.grid.shift)


def _alike(keys: NDArray[np.int64], limit: int) -> Iterator[tuple[int, Any]]:
    """Each key with the places that have it, as many at a time as a processor's cache holds.

    Mostly all have the same, and places are slices of all.
    """
    first = int(keys.flat[0]) if keys.size else 0
    if (keys == first).all():
        for begin in range(0, len(keys), limit):
            yield first, slice(begin, begin + limit)
        return
    for key in sorted(set(keys.ravel().tolist())):
        places = np.nonzero(keys == key)
        for begin in range(0, len(places[0]), _BATCH):
            yield key, tuple(place[begin : begin + _BATCH] for place in places)


def _batches(path: Path, stretches: Sequence[Stretch], limit: int) -> list[tuple[int, list[int]]]:
    """Numbers of stretches of one width that are scored at once: what a processor's cache holds.

    A poll has one boundary of each start, an attempt read from raw all of them.
    """
    batches: list[tuple[int, list[int]]] = []
    newest: dict[int, list[int]] = {}
    rows: dict[int, int] = {}
    for number, stretch in enumerate(stretches):
        width, count = path.width(stretch.before), stretch.end - stretch.begin
        if width not in newest or rows[width] + count > limit:
            newest[width], rows[width] = [], 0
            batches.append((width, newest[width]))
        newest[width].append(number)
        rows[width] += count
    return batches


def _places(stretches: Sequence[Stretch]) -> list[NDArray[np.int64]]:
    """Rows of each stretch where all of them lie one after the other."""
    rows, end = [], 0
    for stretch in stretches:
        begin, end = end, end + stretch.end - stretch.begin
        rows.append(np.arange(begin, end))
    return rows


def _cautions(accounts: FloatArray) -> FloatArray | None:
    """Caution a request of the arm, then of each row, (N, 1 + P); None where there is none."""
    caution = accounts[..., Account.CAUTION]
    if not np.count_nonzero(caution):
        return None
    requests = accounts[..., Account.REQUESTS]
    cautions = np.empty((*caution.shape[:-1], caution.shape[-1] + 1))
    cautions[..., 0] = caution.sum(axis=-1) / np.maximum(requests.sum(axis=-1), 1e-9)
    cautions[..., 1:] = caution / np.maximum(requests, 1e-9)
    return cautions


def _keys(effective: FloatArray, accounts: FloatArray) -> NDArray[np.int64]:
    """By worth of the control and share judged on history: rows that share kernels, (N,)."""
    keys = np.empty(accounts.shape[:-2])
    keys.T[:] = effective * (_MOST + 1)
    on_history = np.add.reduce(accounts[..., Account.ON_HISTORY], axis=-1)
    if np.count_nonzero(on_history):
        total = np.maximum(accounts[..., Account.REQUESTS].sum(axis=-1), 1e-9)
        keys += np.minimum(np.ceil(on_history / total * _QUARTERS - 1e-9), _MOST)
    return keys.astype(np.int64)
