"""What sums since starts say: log e-values of the arm and of each row, all starts at once."""

from __future__ import annotations

from collections.abc import Sequence
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
    """Log e-values of one start at T boundaries: `arm` (T,), `pods` (T, P).

    `shift` (T, D) is log L(d) of the arm, read under the kernels `key`, where all share them.
    """

    arm: FloatArray
    pods: FloatArray
    shift: FloatArray
    key: tuple[int, int] | None


@dataclass(slots=True)
class Scorer:
    """Reads one signal's sums under kernels made once for each worth of its control.

    `on_counts`: leans on a rate, else on a histogram. `told_apart` False: the series do not tell
    pods apart.
    """

    learned: Learned
    on_counts: bool
    told_apart: bool
    _kernels: dict[tuple[int, int], Kernels] = field(init=False, default_factory=dict)
    _log_q: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self._log_q = log_priors(self.learned.row.templates)

    def kernels(self, effective: int, quarters: int = 0) -> Kernels:
        """Kernels for a control worth `effective` pods, `quarters` of it replaced by history."""
        key = (effective, quarters)
        if key not in self._kernels:
            noise = self.learned.noise
            square = self.learned.arm**2 + _HISTORY_SD[self.on_counts] ** 2 * quarters / _QUARTERS
            square += noise.tau**2 / effective if self.told_apart else noise.tau**2
            tau, rho = noise.tau_grid, noise.rho
            if not self.told_apart:
                tau, rho = np.array([1e-6]), np.array([1.0])
            self._kernels[key] = build_kernels(self.learned.row, tau, rho, float(np.sqrt(square)))
        return self._kernels[key]

    def log_shift(self, seen: Seen, kernels: Kernels) -> tuple[FloatArray, FloatArray]:
        """log L(d) of the arm (T, D) and of each row (T, P, D)."""
        return log_shift(seen.log_l, kernels, self._log_q)

    def score(self, seen: Seen, effective: FloatArray) -> Scores:
        """Log e-values of what was seen; `effective` (N,) is what the control amounts to."""
        keys = _keys(effective, seen.accounts)
        first = int(keys[0])
        if (keys == first).all():
            return self._score(seen, divmod(first, _QUARTERS + 1))
        found = []
        for key in sorted(set(keys.tolist())):
            at = np.flatnonzero(keys == key)
            found.append((at, self._score(seen.rows(at), divmod(key, _QUARTERS + 1))))
        return _together(found)

    def _score(self, seen: Seen, key: tuple[int, int]) -> Scores:
        kernels = self.kernels(*key)
        shift, pods = self.log_shift(seen, kernels)
        logs = np.concatenate([shift[:, None], pods], axis=1)
        scores = evidence(logs, kernels, self.learned.row, _cautions(seen.accounts))
        return Scores(arm=scores[:, 0], pods=scores[:, 1:], shift=shift, key=key)

    def score_each(self, path: Path, stretches: Sequence[Stretch], effective: FloatArray) -> Scores:
        """Scores of stretches of a path, one after the other; done together where widths agree.

        `effective` (N,) has what the control amounts to at each of their boundaries.
        """
        batches = _batches(path, stretches)
        if len(batches) == 1:
            return self.score(path.since_each(stretches, batches[0][0]), effective)
        places, found = _places(stretches), []
        for width, batch in batches:
            rows = np.concatenate([places[k] for k in batch])
            seen = path.since_each([stretches[k] for k in batch], width)
            found.append((rows, self.score(seen, effective[rows])))
        return _together(found)


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


def _together(found: Sequence[tuple[NDArray[np.int64], Scores]]) -> Scores:
    """Scores of parts, each in its places."""
    first = found[0][1]
    if len(found) == 1:
        return first
    count = sum(len(at) for at, _ in found)
    arm, pods = np.empty(count), np.empty((count, first.pods.shape[1]))
    shift = np.empty((count, first.shift.shape[1]))
    for at, scores in found:
        arm[at], pods[at], shift[at] = scores.arm, scores.pods, scores.shift
    key = first.key if all(scores.key == first.key for _, scores in found) else None
    return Scores(arm=arm, pods=pods, shift=shift, key=key)


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
    keys = effective * (_QUARTERS + 1)
    on_history = accounts[..., Account.ON_HISTORY].sum(axis=1)
    if on_history.any():
        total = np.maximum(accounts[..., Account.REQUESTS].sum(axis=1), 1e-9)
        keys = keys + np.ceil(np.minimum(on_history / total, 1.0) * _QUARTERS - 1e-9)
    return keys.astype(np.int64)
