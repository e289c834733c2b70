"""Likelihoods on a grid: what counts and histograms say of an effect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.sequential.evidence import evidence, log_shift
from models.sequential.kernels import BLUR_FLOOR, blur, blur_kernel, build_kernels
from models.sequential.likelihood import (
    ScaleTable,
    poisson,
    reference_survival,
    scale_likelihood,
)
from models.sequential.rows import ROWS, RowName

EDGES = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
ERROR = ROWS[RowName.ERROR].grid
LATENCY = ROWS[RowName.LATENCY].grid


def lognormal(median: float, sigma: float, requests: float) -> np.ndarray:
    """Expected counts per bucket."""
    cdf = stats.norm.cdf((np.log(EDGES) - np.log(median)) / sigma)
    return requests * np.diff(np.concatenate([[0.0], cdf, [1.0]]))


def one(x: float, n: float = 1000.0, rate: float = 0.01) -> np.ndarray:
    """One bin's log-likelihood."""
    exposure, events = np.array([n]), np.array([x])
    log_l: np.ndarray = poisson(exposure, events, np.array([rate]), np.ones(1), ERROR)[0]
    return log_l


@given(st.floats(1, 60), st.floats(0.001, 0.05))
def test_poisson_peaks_at_the_observed_ratio(x: float, rate: float) -> None:
    """The best effect is log(observed / expected)."""
    best = ERROR.theta[one(x, 1000.0, rate).argmax()]
    truth = np.clip(np.log(x / (1000 * rate)), ERROR.theta[0], ERROR.theta[-1])
    assert abs(best - truth) <= ERROR.h


@given(st.integers(0, 150))
def test_more_errors_never_favour_health(x: int) -> None:
    """Adding an error never lowers what speaks for harm against health."""
    here, there = one(x), one(x + 1)
    gain = (there - there[ERROR.zero]) - (here - here[ERROR.zero])
    assert (gain[ERROR.zero :] >= -1e-9).all()


def test_weight_zero_says_nothing() -> None:
    """A bin without any reference leaves all effects alike."""
    flat = poisson(np.array([50.0]), np.array([9.0]), np.array([0.1]), np.array([0.0]), ERROR)
    assert np.ptp(flat) == 0


@given(
    st.integers(0, 10**9),
    st.floats(0, 1),
    st.sampled_from([1e-9, 1e-5, 0.01, 1.0]),
)
def test_poisson_is_finite(n: int, share: float, rate: float) -> None:
    """No NaN or inf for any traffic, a billion requests included."""
    log_l = poisson(
        np.array([float(n)]), np.array([n * share]), np.array([rate]), np.array([1.0]), ERROR
    )
    assert np.isfinite(log_l).all()


@given(st.floats(-0.4, 1.0))
def test_scale_finds_a_slowdown(shift: float) -> None:
    """Latency times exp(shift) is read as that shift, to within a grid step or two."""
    reference = lognormal(0.06, 0.8, 50_000)[None]
    canary = lognormal(0.06 * np.exp(shift), 0.8, 300)[None, None]
    table = ScaleTable.of(EDGES, LATENCY)
    log_l = scale_likelihood(canary, reference, np.ones(1), table, LATENCY)[0, 0]
    assert abs(LATENCY.theta[log_l.argmax()] - shift) <= 0.06


def test_equal_histograms_peak_at_zero_whatever_the_shape() -> None:
    """Under health the model is the control's own histogram, bimodal or not."""
    shape = lognormal(0.02, 0.4, 7000) + lognormal(1.2, 0.3, 3000)
    table = ScaleTable.of(EDGES, LATENCY)
    log_l = scale_likelihood(shape[None, None] * 0.05, shape[None], np.ones(1), table, LATENCY)[
        0, 0
    ]
    assert abs(LATENCY.theta[log_l.argmax()]) <= 2 * LATENCY.h


@given(st.integers(2, 6), st.floats(0.05, 0.9), st.floats(-0.1, 0.3))
def test_slower_buckets_never_favour_health(bucket: int, part: float, shift: float) -> None:
    """Moving requests one bucket up never lowers the evidence of a slow-down by more than .05.

    Among the buckets that hold the mass: beyond 99.9 % the uniform part flattens the model.
    """
    reference = lognormal(0.06, 0.8, 50_000)[None]
    before = lognormal(0.06 * np.exp(shift), 0.8, 400)[None, None]
    after = before.copy()
    after[0, 0, bucket] -= part * before[0, 0, bucket]
    after[0, 0, bucket + 1] += part * before[0, 0, bucket]
    row, table = ROWS[RowName.LATENCY], ScaleTable.of(EDGES, LATENCY)
    kernels = build_kernels(row, np.array([0.02]), np.ones(1), 0.03)
    sums = [
        scale_likelihood(c, reference, np.ones(1), table, LATENCY)[:, :, None]
        for c in (before, after)
    ]
    low, high = (evidence(log_shift(s, kernels, np.zeros(1))[0], kernels, row)[0] for s in sums)
    certain = 15.0  # nats; beyond what any rule needs the grid may saturate
    assert min(high, certain) >= min(low, certain) - 0.05


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=13))
def test_survival_is_strictly_between_zero_and_one(counts: list[int]) -> None:
    """Empty and one-bucket histograms stay finite on the logit scale, and fall over edges."""
    survival = reference_survival(np.array([counts], dtype=float))[0]
    assert ((survival > 0) & (survival < 1)).all()
    assert (np.diff(survival) < 0).all()


@given(st.integers(0, 400), st.floats(0.001, 1.0))
def test_one_bin_says_at_most_log_hundred(x: int, noise: float) -> None:
    """The floor of the blur bounds the influence of one bin of one pod."""
    blurred = blur(one(float(x))[None], blur_kernel(ERROR, noise))[0]
    assert np.ptp(blurred) <= np.log(1 / BLUR_FLOOR) + np.log(1 + BLUR_FLOOR) + 1e-9


@pytest.mark.parametrize("row", list(RowName))
def test_every_grid_holds_zero_and_its_shifts(row: RowName) -> None:
    """theta = 0 is on the grid exactly, and every shift is one of its points."""
    grid = ROWS[row].grid
    assert grid.theta[grid.zero] == 0.0
    assert grid.shift[0] >= grid.theta[0]
    assert grid.shift[-1] <= grid.theta[-1]


def test_template_priors_sum_to_one() -> None:
    """Each row's cold-start templates are a distribution."""
    for row in ROWS.values():
        assert sum(t.prior for t in row.templates) == pytest.approx(1.0)
    assert sum(ROWS[r].weight for r in RowName) <= 1.0
