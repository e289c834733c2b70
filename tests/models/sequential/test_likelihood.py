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
    cap_information,
    poisson,
    poisson_each,
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


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4))
def test_counts_side_by_side_say_what_each_would_alone(seed: int, bins: int, units: int) -> None:
    """A signal's evidence would else depend on which others a service happens to show."""
    rng = np.random.default_rng(seed)
    grids = tuple(ROWS[name].grid for name in (RowName.ERROR, RowName.TAIL95, RowName.TAIL99))
    n, x = rng.uniform(0, 900, (3, bins, units)), rng.poisson(5.0, (3, bins, units)).astype(float)
    rate, weight = rng.uniform(1e-4, 0.1, (3, bins, 1)), rng.uniform(0, 1, (3, bins, 1))
    together = poisson_each(n, x, rate, weight, grids)
    for at, grid in enumerate(grids):
        alone = poisson(n[at], x[at], rate[at], weight[at], grid)
        np.testing.assert_array_equal(together[at], alone)


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


# -- laws

COUNTS = st.integers(0, 400)
WEIGHTS = st.floats(0.0, 1.0)


def rows_of(x: float, n: float, rate: float, weight: float) -> np.ndarray:
    """One bin's log-likelihood, whatever it saw."""
    exposure, events, usual, worth = (np.array([value]) for value in (n, x, rate, weight))
    log_l: np.ndarray = poisson(exposure, events, usual, worth, ERROR)[0]
    return log_l


@given(COUNTS, st.floats(0, 1e5), st.floats(1e-6, 0.5), WEIGHTS)
def test_no_effect_is_the_zero_of_the_scale(x: int, n: float, rate: float, weight: float) -> None:
    """Everything is said against `no effect`: there every bin says nothing."""
    assert rows_of(x, n, rate, weight)[ERROR.zero] == 0.0


@given(COUNTS, st.floats(0, 1e5), st.floats(1e-6, 0.5))
def test_a_count_has_one_best_effect(x: int, n: float, rate: float) -> None:
    """No second hump, at which a mode could jump from poll to poll."""
    assert (np.diff(rows_of(x, n, rate, 1.0), 2) <= 1e-6).all()


@given(COUNTS, st.floats(1.0, 1e5), st.floats(1e-6, 0.5), WEIGHTS, WEIGHTS)
def test_a_noisier_reference_says_less(
    x: int, n: float, rate: float, one: float, other: float
) -> None:
    """The weight tempers what is said and never turns it round."""
    low, high = (rows_of(x, n, rate, w) for w in sorted((one, other)))
    assert (np.abs(low) <= np.abs(high) + 1e-9).all()
    assert (low * high >= -1e-9).all()


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(1.0, 100.0)), min_size=2, max_size=12))
def test_bins_may_be_cut_anywhere(bins: list[tuple[int, float]]) -> None:
    """Two bins of fifteen seconds say what one of thirty says: nothing is counted in scrapes."""
    x, n = (np.array(column, dtype=float) for column in zip(*bins, strict=True))
    each = poisson(n, x, np.full(len(n), 0.05), np.ones(len(n)), ERROR).sum(axis=0)
    whole = rows_of(float(x.sum()), float(n.sum()), 0.05, 1.0)
    np.testing.assert_allclose(each, whole, rtol=1e-9, atol=1e-9)


@given(st.floats(0, 1e4), st.floats(0.0, 1e12))
def test_what_the_grid_cannot_hold_is_tempered(peak: float, information: float) -> None:
    """A bin sharper than the grid is made as blunt as the grid, and a blunt one is left alone."""
    log_l = -peak * np.abs(ERROR.theta)[None]
    capped = cap_information(log_l, np.array([information]), ERROR)
    factor = min(1.0, 1.0 / max(information * (0.6 * ERROR.h) ** 2, 1e-300))
    np.testing.assert_allclose(capped, factor * log_l)
    if information <= 1 / (0.6 * ERROR.h) ** 2:
        np.testing.assert_array_equal(capped, log_l)


@given(st.integers(1, 10**7))
def test_more_of_the_same_requests_say_more_up_to_the_cap(n: int) -> None:
    """Ten thousand requests at once are not ten thousand times as sure as the grid is fine."""
    small, large = (np.ptp(rows_of(0.05 * k, float(k), 0.01, 1.0)) for k in (n, 2 * n))
    assert large >= small * (1 - 1e-9)
    assert large <= np.ptp(rows_of(0.05 * 1e9, 1e9, 0.01, 1.0)) * (1 + 1e-6)


# -- latency

TABLE = ScaleTable.of(EDGES, LATENCY)
HISTOGRAM = st.lists(st.integers(0, 500), min_size=12, max_size=12)


def scaled(
    counts: list[int] | np.ndarray, reference: np.ndarray, weight: float = 1.0
) -> np.ndarray:
    """One bin of one pod."""
    held = np.asarray(counts, dtype=float)[None, None]
    log_l: np.ndarray = scale_likelihood(held, reference[None], np.array([weight]), TABLE, LATENCY)[
        0, 0
    ]
    return log_l


@given(HISTOGRAM, HISTOGRAM, WEIGHTS)
def test_any_histograms_are_finite_and_zero_at_no_effect(
    ours: list[int], theirs: list[int], weight: float
) -> None:
    """Empty, one-bucket or lopsided: no NaN, and no effect is the measure of all."""
    log_l = scaled(ours, np.array(theirs, dtype=float), weight)
    assert np.isfinite(log_l).all()
    assert log_l[LATENCY.zero] == 0.0


@given(HISTOGRAM)
def test_every_effect_shares_all_requests_out(theirs: list[int]) -> None:
    """At each effect the buckets' probabilities sum to one: none is favoured by bookkeeping."""
    survival = reference_survival(np.array([theirs], dtype=float))
    shares = np.exp(TABLE.log_shares(survival))[0]
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-9)
    assert (shares > 0).all()


@given(HISTOGRAM.filter(any))
def test_a_slow_down_moves_requests_up(theirs: list[int]) -> None:
    """The larger the effect, the more requests are expected above any edge."""
    survival = reference_survival(np.array([theirs], dtype=float))
    shares = np.exp(TABLE.log_shares(survival))[0]
    above = shares[::-1].cumsum(axis=0)[::-1]
    assert (np.diff(above, axis=1) >= -1e-9).all()


@given(st.floats(1e-3, 1e3), st.floats(-0.3, 0.6))
def test_the_unit_of_latency_does_not_matter(unit: float, shift: float) -> None:
    """Seconds or milliseconds: only ratios of edges count."""
    reference, ours = lognormal(0.06, 0.8, 5000), lognormal(0.06 * np.exp(shift), 0.8, 300)
    other = ScaleTable.of(EDGES * unit, LATENCY)
    theirs = scale_likelihood(ours[None, None], reference[None], np.ones(1), other, LATENCY)[0, 0]
    np.testing.assert_allclose(theirs, scaled(ours, reference), atol=1e-6)


@given(st.floats(0.5, 2.0))
def test_more_control_does_not_change_its_shape(factor: float) -> None:
    """Twice as many control requests are the same reference, but for half a request of prior."""
    ours = lognormal(0.07, 0.8, 200)
    one, other = (scaled(ours, lognormal(0.06, 0.8, 1e6 * k)) for k in (1.0, factor))
    np.testing.assert_allclose(other, one, atol=0.01)


def test_pods_and_bins_are_judged_side_by_side() -> None:
    """What one pod shows in one bin changes nothing of another's."""
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 50, (4, 3, 12)).astype(float)
    theirs = rng.integers(1, 500, (4, 12)).astype(float)
    together = scale_likelihood(counts, theirs, np.full(4, 0.7), TABLE, LATENCY)
    for bin_ in range(4):
        for pod in range(3):
            alone = scaled(counts[bin_, pod], theirs[bin_], 0.7)
            np.testing.assert_allclose(together[bin_, pod], alone, atol=1e-9)
