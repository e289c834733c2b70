"""What sums since starts say: log e-values of the arm and of each row, all starts at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from detector.gate.batching import BATCH, alike, batches, places
from detector.gate.learn import Learned
from detector.series import FloatArray
from models.sequential.evidence import ceiling, evidence, log_shift
from models.sequential.kernels import Apart, Kernels, build_kernels
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
# Where series do not tell units apart these do not differ.
_ALIKE = (np.array([1e-6]), np.array([1.0]))


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

    @property
    @abstractmethod
    def known(self) -> Kernels | StackedKernels | None:
        """Kernels that were made before, for whatever worth of the control."""

    def log_shift(self, seen: Seen) -> tuple[FloatArray, FloatArray]:
        """log L(d) of the arm (N, D) and of each row (N, P, D); no worth of the control enters."""
        return log_shift(seen.log_l, self.known or self.kernels(1), self.log_q)

    def score(self, seen: Seen, effective: FloatArray) -> Scores:
        """Log e-values of what was seen; `effective` (N,) is what the control amounts to."""
        return self._scores(self._logs(seen, effective), seen.accounts, effective)

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
        parts = batches(path, stretches, limit)
        if len(parts) == 1:
            seen = path.since_each(stretches, parts[0][0])
            logs = self._logs(seen, effective, spent=True)
            return self._scores(logs, seen.accounts, effective, least)
        rows_of, (*lead, units, _, _) = places(stretches), path.log_l.shape
        logs = np.empty((len(effective), *lead[1:], 1 + units, _shifts(self.row)))
        accounts = np.empty((len(effective), *path.accounts.shape[1:]))
        for width, batch in parts:
            rows = np.concatenate([rows_of[k] for k in batch])
            seen = path.since_each([stretches[k] for k in batch], width)
            logs[rows] = self._logs(seen, effective, spent=True)
            accounts[rows] = seen.accounts
        return self._scores(logs, accounts, effective, least)

    @property
    def _limit(self) -> int:
        """Boundaries that are scored at once."""
        return max(1, BATCH // len(self.row.rows)) if isinstance(self.row, Stack) else BATCH

    def _logs(self, seen: Seen, effective: FloatArray, *, spent: bool = False) -> FloatArray:
        """log L(d) of the arm, then of each row: (N, 1 + P, D); what was seen may be `spent`."""
        # Of any worth: none is made that evidence does not need.
        kernels = self.known or self.kernels(int(effective[0]))
        arm, rows = log_shift(seen.log_l, kernels, self.log_q, spent=spent)
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
        for key, at in alike(keys, self._limit):
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
    _apart: dict[tuple[int, int], Apart] = field(init=False, default_factory=dict)

    @property
    def row(self) -> Row:
        """The signal's row."""
        return self.learned.row

    @property
    def log_q(self) -> FloatArray:
        """Log priors of its templates, (W,)."""
        return log_priors(self.learned.row.templates)

    @property
    def known(self) -> Kernels | None:
        """Kernels that were made before, for whatever worth of the control."""
        return next(iter(self._kernels.values()), None)

    def kernels(self, effective: int, quarters: int = 0) -> Kernels:
        """Kernels for a control worth `effective` pods, `quarters` of it replaced by history."""
        key = (effective, quarters)
        if key not in self._kernels:
            self._kernels[key] = self.made(effective, quarters)
        return self._kernels[key]

    def made(self, effective: int, quarters: int = 0) -> Kernels:
        """The same, not kept: half a rollout's memory would be kernels twice."""
        sds, shares = self._between
        sc = self.apart(effective, quarters).sc
        return build_kernels(self.learned.row, sds, shares, sc, like=self.known)

    @property
    def _between(self) -> tuple[FloatArray, FloatArray]:
        """Sds between units, and how much each is believed."""
        noise = self.learned.noise
        return (noise.tau_grid, noise.rho) if self.told_apart else _ALIKE

    def apart(self, effective: int, quarters: int = 0) -> Apart:
        """Sds of what all units share, and of each, for a control worth so much."""
        key, learned = (effective, quarters), self.learned
        if key not in self._apart:
            before = _HISTORY_SD[self.on_counts] if self.before is None else self.before
            square = learned.arm**2 + before**2 * quarters / _QUARTERS
            tau = learned.noise.tau
            square += tau**2 / effective if self.told_apart else tau**2
            sds, shares = self._between
            self._apart[key] = Apart(sc=float(np.sqrt(square)), tau=float(shares @ sds))
        return self._apart[key]

    def remember(self, before: float) -> None:
        """Take what history was learned to be worth."""
        self.before = before
        self._kernels.clear()
        self._apart.clear()


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

    @property
    def known(self) -> StackedKernels | None:
        """Kernels that were made before, for whatever worth of the control."""
        return next(iter(self._stacked.values()), None)

    def kernels(self, effective: int, quarters: int = 0) -> StackedKernels:
        """Kernels of each for a control worth so much."""
        key = (effective, quarters, *(scorer.before for scorer in self.scorers))
        if key not in self._stacked:
            each = [scorer.made(effective, quarters) for scorer in self.scorers]
            self._stacked[key] = stacked(each, self._stack, like=self.known)
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
