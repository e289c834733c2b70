"""The promise, drawn from the model itself: units, shift, cold start, Poisson counts in health."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.sequential.evidence import evidence, log_shift
from models.sequential.kernels import Kernels, build_kernels
from models.sequential.likelihood import poisson
from models.sequential.rows import ROWS, Row, RowName
from models.sequential.running import moved
from models.sequential.shares import ARM_SHARE, start_share, unit_shares
from models.sequential.warmup import template_shifts

ROW = ROWS[RowName.ERROR]
ALPHA = 0.005
UNITS, BINS, EACH = 3, 16, 250
# Starts of the schedule at 15 s: 0, then each minute.
STARTS = (0, 4, 8, 12)


def drawn(rng: np.random.Generator, k: Kernels, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Counts of many attempts in health, and the units' ages: (BINS, EACH * UNITS) each."""
    age = (np.arange(BINS) + 1.0)[:, None] * 15.0 * np.ones((1, EACH * UNITS))
    shift = rng.normal(0, k.sc, EACH)[:, None] + rng.normal(0, tau, (EACH, UNITS))
    prior = np.array([t.prior for t in ROW.templates])
    which = np.repeat(rng.choice(len(prior), EACH, p=prior), UNITS)
    cold = template_shifts(age, ROW)[:, np.arange(EACH * UNITS), which] * ROW.grid.h
    return rng.poisson(2.0 * np.exp(shift.ravel() + cold)).astype(float), age


def reached(sums: np.ndarray, k: Kernels, index: int, row: Row) -> np.ndarray:
    """Which attempts reach what is needed: sums (EACH, UNITS, W, J) since start `index`."""
    log_q = np.log([t.prior for t in row.templates])
    arm, units = log_shift(sums, k, log_q)
    base = -math.log(ALPHA * start_share(index))
    strong = evidence(arm, k, row) >= base - math.log(ARM_SHARE)
    single = evidence(units, k, row) >= base - np.log(unit_shares(UNITS))
    return np.asarray(strong | single.any(axis=1))


def attempts_that_fail(rng: np.random.Generator, k: Kernels, tau: float) -> int:
    """How many of EACH attempts reach any needed, at any of eight looks, from any start."""
    x, age = drawn(rng, k, tau)
    ones = np.ones_like(x)
    log_l = poisson(ones, x, 2.0 * ones, ones, ROW.grid)
    path = np.cumsum(moved(log_l, age, ROW), axis=0)
    path = path.reshape(BINS, EACH, UNITS, *path.shape[2:])
    failed = np.zeros(EACH, dtype=bool)
    for look in range(1, BINS, 2):
        for index, begin in enumerate(STARTS):
            if begin <= look:
                sums = path[look] - (path[begin - 1] if begin else 0.0)
                failed |= reached(sums, k, index, ROW)
    return int(failed.sum())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_healthy_attempts_keep_below_alpha() -> None:
    """Over 20,000 attempts, looked at eight times from four starts: at most alpha + 3 sd."""
    rng, tau, attempts = np.random.default_rng(5), 0.15, 20_000
    k = build_kernels(ROW, np.array([tau]), np.ones(1), 0.1)
    failed = sum(attempts_that_fail(rng, k, tau) for _ in range(attempts // EACH))
    print(f"{failed} of {attempts} healthy attempts reached what is needed (alpha {ALPHA})")
    assert failed / attempts <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / attempts)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_evidence_of_health_averages_at_most_one() -> None:
    """E is an e-value: its mean over what the null draws is at most 1, cold starts included."""
    rng, tau, values = np.random.default_rng(6), 0.15, []
    k = build_kernels(ROW, np.array([tau]), np.ones(1), 0.1)
    log_q = np.log([t.prior for t in ROW.templates])
    for _ in range(40):
        x, age = drawn(rng, k, tau)
        ones = np.ones_like(x)
        sums = moved(poisson(ones, x, 2.0 * ones, ones, ROW.grid), age, ROW).sum(axis=0)
        arm, _ = log_shift(sums.reshape(EACH, UNITS, *sums.shape[1:]), k, log_q)
        values.append(np.exp(evidence(arm, k, ROW)))
    mean, sd = np.mean(values), np.std(values) / math.sqrt(np.size(values))
    print(f"mean of E in health: {mean:.3f} +- {sd:.3f}")
    assert mean <= 1 + 3 * sd
