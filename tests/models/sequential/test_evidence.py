"""The promise itself: evidence drawn from health rarely reaches what is needed, bounds cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from models.sequential.bound import Ends, Progress, log_bet, outlook, smallest_effect
from models.sequential.evidence import evidence, log_shift
from models.sequential.kernels import Kernels, build_kernels
from models.sequential.rows import ROWS, Row, RowName
from models.sequential.shares import ARM_SHARE, start_share, unit_shares

LATENCY = ROWS[RowName.LATENCY]
TAU = np.array([0.02])


def kernels(row: Row = LATENCY, sc: float = 0.025) -> Kernels:
    """Kernels with one known sd between units."""
    return build_kernels(row, TAU, np.ones(1), sc)


def normal_sums(means: np.ndarray, sd: float, row: Row = LATENCY) -> np.ndarray:
    """Log-likelihood of each unit known to `sd`: (..., P) to (..., P, 1, J)."""
    z = (row.grid.theta - means[..., None]) / sd
    log_l: np.ndarray = (-0.5 * z**2)[..., None, :]
    return log_l


def arm_evidence(sums: np.ndarray, k: Kernels, row: Row = LATENCY) -> tuple[np.ndarray, np.ndarray]:
    """Log e-values of the arm and of each unit."""
    arm, units = log_shift(sums, k, np.zeros(1))
    return evidence(arm, k, row), evidence(units, k, row)


def test_union_bound_holds_in_simulation() -> None:
    """20,000 attempts drawn from the null itself: no more than alpha reach any needed."""
    rng, k, attempts, units, looks = np.random.default_rng(7), kernels(), 4000, 3, 5
    alpha, reached = 0.005, 0
    for _ in range(5):
        shift = rng.normal(0, k.sc, attempts)
        effects = shift[:, None] + rng.normal(0, TAU[0], (attempts, units))
        noise = np.cumsum(rng.normal(0, 0.1, (looks, attempts, units)), axis=0)
        worst = np.zeros(attempts, dtype=bool)
        for look in range(looks):
            count = look + 1
            sums = normal_sums(effects + noise[look] / count, 0.1 / math.sqrt(count))
            arm, single = arm_evidence(sums, k)
            base = -math.log(alpha * start_share(0))
            worst |= arm >= base - math.log(ARM_SHARE)
            worst |= (single >= base - np.log(unit_shares(units))).any(axis=1)
        reached += int(worst.sum())
    total = 5 * attempts
    assert reached / total <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / total)


def test_identical_canary_never_gathers_evidence() -> None:
    """With ever more data that show no effect E stays below 1."""
    for sd in (1.0, 0.1, 0.01, 0.002):
        arm, single = arm_evidence(normal_sums(np.zeros((1, 4)), sd), kernels())
        assert arm[0] <= 0
        assert (single <= 0).all()


@given(st.floats(0.0, 0.5), st.floats(0.0, 0.2))
def test_more_harm_never_lowers_evidence(effect: float, more: float) -> None:
    """Evidence rises with the effect."""
    low, _ = arm_evidence(normal_sums(np.full((1, 3), effect), 0.05), kernels())
    high, _ = arm_evidence(normal_sums(np.full((1, 3), effect + more), 0.05), kernels())
    assert high[0] >= low[0] - 1e-4


@given(st.floats(-0.3, 0.0))
def test_a_faster_canary_never_fails(effect: float) -> None:
    """Only harm counts."""
    arm, _ = arm_evidence(normal_sums(np.full((1, 3), effect), 0.01), kernels())
    assert arm[0] <= 0


@given(st.permutations(range(4)))
def test_order_of_units_changes_nothing_for_the_arm(order: list[int]) -> None:
    """The arm's evidence is a product over units."""
    means = np.array([0.01, 0.1, -0.02, 0.2])
    one, _ = arm_evidence(normal_sums(means[None], 0.03), kernels())
    two, _ = arm_evidence(normal_sums(means[None, order], 0.03), kernels())
    assert one[0] == pytest.approx(two[0], abs=1e-6)


def test_caution_only_lowers_evidence() -> None:
    """Load that is not comparable raises what is tolerated."""
    arm, _ = log_shift(normal_sums(np.full((1, 3), 0.3), 0.02), kernels(), np.zeros(1))
    plain = evidence(arm, kernels(), LATENCY)
    careful = evidence(arm, kernels(), LATENCY, np.array([0.15]))
    assert careful[0] < plain[0]


def test_a_silent_unit_changes_nothing() -> None:
    """A pod without data has a likelihood of one for every effect."""
    two = normal_sums(np.array([[0.1, 0.12]]), 0.03)
    three = np.concatenate([two, np.zeros_like(two[:, :1])], axis=1)
    one_arm, _ = arm_evidence(two, kernels())
    other_arm, single = arm_evidence(three, kernels())
    assert one_arm[0] == pytest.approx(other_arm[0], abs=1e-5)
    assert single[0, 2] <= 1e-6


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("delta", [0.0, 0.1, 0.2])
def test_the_bound_covers(delta: float, alpha: float) -> None:
    """In 2,000 attempts the bound falls below the true shift, ever, in at most 5 % (or 1 %)."""
    rng, k, attempts = np.random.default_rng(11), kernels(), 2000
    shift = delta + rng.normal(0, k.sc, attempts)
    effects = shift[:, None] + rng.normal(0, TAU[0], (attempts, 3))
    walk = np.cumsum(rng.normal(0, 0.15, (4, attempts, 3)), axis=0)
    below = np.zeros(attempts, dtype=bool)
    for look in range(4):
        sums = normal_sums(effects + walk[look] / (look + 1), 0.15 / math.sqrt(look + 1))
        arm, _ = log_shift(sums, k, np.zeros(1))
        found = Ends.of(log_bet(arm, k), [LATENCY] * attempts, [alpha] * attempts)
        highs = np.array([found.high(at) for at in range(attempts)])
        below |= highs < delta
    assert below.mean() <= alpha


def test_without_data_the_bound_is_infinite() -> None:
    """No data is never good news."""
    nothing = np.zeros((1, len(LATENCY.grid.shift)))
    assert Ends.of(log_bet(nothing, kernels()), [LATENCY], [0.05]).high(0) == math.inf


def progress(**changes: float) -> Progress:
    """A latency signal half-way."""
    base = {
        "counted": 2000.0,
        "bins": 40.0,
        "units": 4,
        "info": 1.5,
        "noise": 0.05,
        "limit": 0.2,
        "mode": 0.0,
        "log_e_limit": 0.5,
        "alpha": 0.05,
        "counts": False,
    }
    return Progress(**{**base, **changes})  # type: ignore[arg-type]


def test_outlook_asks_for_pods_where_requests_cannot_help() -> None:
    """Pods that differ too much are not cured by traffic."""
    wide = build_kernels(LATENCY, np.array([0.2]), np.ones(1), 0.03)
    need = outlook(progress(), wide)
    assert need.requests is None
    assert need.units is not None
    assert need.units > 4


def test_outlook_gives_up_where_nothing_helps() -> None:
    """An arm effect beyond the limit is cured by neither."""
    hopeless = build_kernels(LATENCY, TAU, np.ones(1), 0.5)
    assert outlook(progress(), hopeless).requests is None
    assert outlook(progress(), hopeless).units is None


@given(st.floats(10, 5000), st.floats(10, 5000))
def test_outlook_shrinks_as_requests_come(a: float, b: float) -> None:
    """What is still needed never grows with what was counted, all else equal."""
    few, many = sorted((a, b))
    k = kernels()
    less = outlook(progress(counted=few, noise=0.0), k).requests
    more = outlook(progress(counted=many, noise=0.0), k).requests
    assert less is not None
    assert more is not None
    assert more <= less + 1e-6


def test_a_mode_that_little_is_known_about_is_no_reason_to_give_up() -> None:
    """Early on a healthy release looks worse or better by chance; traffic will tell."""
    early = outlook(progress(mode=0.15, counted=150.0), kernels())
    late = outlook(progress(mode=0.15, counted=1e7), kernels())
    assert early.requests is not None
    assert late.requests is None


def test_smallest_effect_falls_with_information() -> None:
    """More requests find smaller faults, down to what pods share."""
    values = [
        smallest_effect(LATENCY, kernels(), log_needed=7.0, info=i, units=4, caution=0.0)
        for i in (10.0, 100.0, 1000.0, 1e9)
    ]
    assert values == sorted(values, reverse=True)
    assert values[-1] > LATENCY.tolerate


def test_shift_is_the_sum_over_units_and_templates() -> None:
    """Single precision and the order of sums cost nothing that a verdict could see."""
    rng, k = np.random.default_rng(3), kernels()
    sums = rng.normal(0, 6, (4, 3, 5, len(LATENCY.grid.theta))).cumsum(axis=-1)
    log_q = np.log(rng.dirichlet(np.ones(5)))
    mass = k.unit.astype(np.float64)
    top = sums.max(axis=-1, keepdims=True)
    each = np.log(np.exp(sums - top) @ mass + 1e-30) + top
    arm, units = log_shift(sums, k, log_q)
    mixed = logsumexp(each.sum(axis=1) + log_q[:, None], axis=1)
    np.testing.assert_allclose(arm, mixed, atol=2e-4)
    np.testing.assert_allclose(units, logsumexp(each + log_q[:, None], axis=2), atol=2e-4)


@given(st.integers(1, 9), st.integers(0, 8), st.integers(1, 6), st.sampled_from([1, 8]))
def test_a_row_has_the_same_bits_alone_and_among_others(
    rows: int, at: int, units: int, templates: int
) -> None:
    """Who asks often reads few rows at once, who asks late all: they must not differ in a bit."""
    rng, k = np.random.default_rng(rows), kernels()
    at %= rows
    points = len(LATENCY.grid.theta)
    sums = rng.normal(0, 9, (rows, units, templates, points)).astype(np.float32)
    log_q = np.log(np.full(templates, 1 / templates))
    arm, each = log_shift(sums, k, log_q)
    alone_arm, alone_each = log_shift(sums[at : at + 1].copy(), k, log_q)
    np.testing.assert_array_equal(alone_arm[0], arm[at])
    np.testing.assert_array_equal(alone_each[0], each[at])
    for caution in (None, rng.uniform(0, 0.3, (rows, units))):
        among = evidence(each, k, LATENCY, caution)
        alone = evidence(alone_each, k, LATENCY, None if caution is None else caution[at : at + 1])
        np.testing.assert_array_equal(alone[0], among[at])


@given(st.floats(0.0, 0.5), st.floats(0.0, 1.0))
def test_what_is_excused_is_no_evidence_of_harm(caution: float, share: float) -> None:
    """Harm between what is tolerated and what load explains is harm that is explained."""
    k = kernels()
    effect = share * (LATENCY.tolerate + caution)
    arm, _ = log_shift(normal_sums(np.full((1, 3), effect), 0.005), k, np.zeros(1))
    assert evidence(arm, k, LATENCY, np.array([caution]))[0] < 1.0


@given(st.floats(0.02, 0.3))
def test_harm_far_beyond_what_is_excused_is_found(caution: float) -> None:
    """An excuse that swallowed all harm would judge nothing."""
    k = kernels()
    effect = LATENCY.tolerate + caution + 0.3
    arm, _ = log_shift(normal_sums(np.full((1, 3), effect), 0.02), k, np.zeros(1))
    assert evidence(arm, k, LATENCY, np.array([caution]))[0] > 10.0


@given(st.sampled_from(list(RowName)), st.floats(0.0, 8.0), st.floats(0.0, 8.0))
def test_no_harm_is_beyond_a_tolerance_above_the_grid(
    name: RowName, more: float, effect: float
) -> None:
    """A policy that tolerates ninety times the latency fails no release that is twice as slow."""
    row = ROWS[name]
    lax = row.with_limits(row.grid.shift[-1] + more, row.grid.shift[-1] + more)
    k = build_kernels(lax, TAU, np.ones(1), 0.1)
    arm, _ = log_shift(normal_sums(np.full((1, 3), effect), 0.05, lax), k, np.zeros(1))
    assert evidence(arm, k, lax)[0] < 3.0
    assert evidence(arm, k, row, np.array([row.grid.shift[-1] + more]))[0] < 3.0
