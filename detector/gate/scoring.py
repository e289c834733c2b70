"""What sums since starts say: log e-values of the arm and of each row, all starts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from detector.gate.learn import Learned
from detector.series import FloatArray
from models.sequential.evidence import evidence, log_shift
from models.sequential.kernels import Kernels, build_kernels
from models.sequential.running import Path, Seen, Stretch
from models.sequential.warmup import log_priors

__all__ = ["Account", "Scorer", "Scores"]

# sd of what history says of now, where the control is starved: counts, histograms.
_HISTORY_SD = {True: 0.25, False: 0.08}
_QUARTERS = 4
# The past of half an hour counts as one; what is judged by it four hours on, on average, as eight.
_MOST = 8 * _QUARTERS
# Boundaries scored at once: 5 rows, 8 templates and 70 effects of each make a megabyte.
_BATCH = 40


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
    """Log e-values of N rows: `arm` (N,), `pods` (N, P); `shift` (N, D) is log L(d) of the arm."""

    arm: FloatArray
    pods: FloatArray
    shift: FloatArray


@dataclass(slots=True)
class Scorer:
    """Reads one signal's sums under kernels made once for each worth of its control.

    `on_counts`: leans on a rate, else on a histogram. `told_apart` False: the series do not tell
    pods apart. `before`: sd of what history says of now, once it was learned; None: as assumed.
    """

    learned: Learned
    on_counts: bool
    told_apart: bool
    before: float | None = None
    _kernels: dict[tuple[int, int], Kernels] = field(init=False, default_factory=dict)
    _log_q: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self._log_q = log_priors(self.learned.row.templates)

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

    def log_shift(self, seen: Seen) -> tuple[FloatArray, FloatArray]:
        """log L(d) of the arm (N, D) and of each row (N, P, D); no worth of the control enters."""
        return log_shift(seen.log_l, self.kernels(1), self._log_q)

    def score(self, seen: Seen, effective: FloatArray) -> Scores:
        """Log e-values of what was seen; `effective` (N,) is what the control amounts to."""
        return self._scores(self._logs(seen), seen.accounts, effective)

    def score_each(self, path: Path, stretches: Sequence[Stretch], effective: FloatArray) -> Scores:
        """Scores of stretches of a path, one after the other; read together where widths agree.

        `effective` (N,) has what the control amounts to at each of their boundaries.
        """
        batches = _batches(path, stretches)
        if len(batches) == 1:
            return self.score(path.since_each(stretches, batches[0][0]), effective)
        places, units = _places(stretches), path.log_l.shape[1]
        logs = np.empty((len(effective), 1 + units, len(self.learned.row.grid.shift)))
        accounts = np.empty((len(effective), *path.accounts.shape[1:]))
        for width, batch in batches:
            rows = np.concatenate([places[k] for k in batch])
            seen = path.since_each([stretches[k] for k in batch], width)
            logs[rows], accounts[rows] = self._logs(seen), seen.accounts
        return self._scores(logs, accounts, effective)

    def _logs(self, seen: Seen) -> FloatArray:
        """log L(d) of the arm, then of each row: (N, 1 + P, D)."""
        arm, rows = self.log_shift(seen)
        return np.concatenate([arm[:, None], rows], axis=1)

    def _scores(self, logs: FloatArray, accounts: FloatArray, effective: FloatArray) -> Scores:
        keys, cautions = _keys(effective, accounts), _cautions(accounts)
        scores = np.empty(logs.shape[:2])
        for key in sorted(set(keys.tolist())):
            kernels = self.kernels(*divmod(key, _MOST + 1))
            for at in _few(np.flatnonzero(keys == key)):
                caution = None if cautions is None else cautions[at]
                scores[at] = evidence(logs[at], kernels, self.learned.row, caution)
        return Scores(arm=scores[:, 0], pods=scores[:, 1:], shift=logs[:, 0])


def _few(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """As many rows at a time as a processor's cache holds."""
    for begin in range(0, len(rows), _BATCH):
        yield rows[begin : begin + _BATCH]


def _batches(path: Path, stretches: Sequence[Stretch]) -> list[tuple[int, list[int]]]:
    """Numbers of stretches of one width that are scored at once: what a processor's cache holds.

    A poll has one boundary of each start, an attempt read from raw all of them.
    """
    batches: list[tuple[int, list[int]]] = []
    newest: dict[int, list[int]] = {}
    rows: dict[int, int] = {}
    for number, stretch in enumerate(stretches):
        width, count = path.width(stretch.before), stretch.end - stretch.begin
        if width not in newest or rows[width] + count > _BATCH:
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
    if not caution.any():
        return None
    requests = np.maximum(accounts[..., Account.REQUESTS], 1e-9)
    arm = caution.sum(axis=1) / np.maximum(requests.sum(axis=1), 1e-9)
    return np.concatenate([arm[:, None], caution / requests], axis=1)


def _keys(effective: FloatArray, accounts: FloatArray) -> NDArray[np.int64]:
    """By worth of the control and share judged on history: rows that share kernels, (N,)."""
    keys = effective * (_MOST + 1)
    on_history = accounts[..., Account.ON_HISTORY].sum(axis=1)
    if on_history.any():
        total = np.maximum(accounts[..., Account.REQUESTS].sum(axis=1), 1e-9)
        keys = keys + np.minimum(np.ceil(on_history / total * _QUARTERS - 1e-9), _MOST)
    return keys.astype(np.int64)
