"""How far out values are: robust of few and many, the same in every unit, honest about tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from models.ranking.departure import Normal, normal_of, surprise, tail_of, weight_of

FINITE = st.floats(-1e6, 1e6, allow_nan=False, width=32)
PAST = st.lists(FINITE, min_size=1, max_size=60).map(lambda many: np.array(many, dtype=float))
SIDES = st.sampled_from([1, -1])


def normal(**changed: float) -> Normal:
    known = {"middle": 1.0, "spread": 0.1, "freedom": 4.0, "count": 500}
    return Normal(**{**known, **changed})  # type: ignore[arg-type]


def test_nothing_is_normal_of_no_values() -> None:
    """A service without a past is not called odd against an invented one."""
    assert normal_of(np.empty(0), 1) is None


def test_one_value_leaves_much_room() -> None:
    """A past of a single sample must not make the next one an incident."""
    found = normal_of(np.array([10.0]), 1)
    assert found is not None
    assert found.spread > 0.2 * found.middle
    assert weight_of(surprise(np.array([1.2]), found)) < 0.0


def test_values_that_never_changed_may_change_a_little() -> None:
    """A constant past is no proof that a second of jitter is a fault."""
    found = normal_of(np.full(500, 100.0), -1)
    assert found is not None
    assert 0.5 < found.spread < 5.0


def test_a_past_of_zeros_has_no_spread_and_its_first_event_is_as_rare_as_it_was() -> None:
    """Something that never happened in 98 bins happens by chance once in a hundred."""
    found = normal_of(np.zeros(98), 1)
    assert found is not None
    assert found.spread == 0.0
    assert surprise(np.array([np.inf]), found) == pytest.approx(0.01)


def test_an_incident_in_the_past_does_not_blind() -> None:
    """Three wild bins of five hundred, a real outage of last week, widen nothing."""
    calm = np.random.default_rng(1).normal(100.0, 1.0, 500)
    wild = np.concatenate([calm[:-3], [5000.0, 6000.0, 7000.0]])
    without, with_it = normal_of(calm, 1), normal_of(wild, 1)
    assert without is not None
    assert with_it is not None
    assert with_it.spread < 1.2 * without.spread


def test_a_heavy_tail_in_the_past_is_no_oddity_now() -> None:
    """A latency that is ten times as high every twentieth minute is not news when it is again."""
    past = np.tile([1.0] * 18 + [10.0, 11.0], 25)
    found = normal_of(past, 1)
    assert found is not None
    assert weight_of(surprise(np.full(2, (10.0 - found.middle) / found.spread), found)) < 1.0


@given(past=PAST, side=SIDES, factor=st.sampled_from([1e-6, 0.5, 60.0, 1e9]))
def test_spread_scales_with_the_unit(past: np.ndarray, side: int, factor: float) -> None:
    """Seconds or milliseconds: the same service is suspected."""
    small, large = normal_of(past, side), normal_of(past * factor, side)
    assert small is not None
    assert large is not None
    assert large.middle == pytest.approx(small.middle * factor, rel=1e-6)
    assert large.spread == pytest.approx(small.spread * factor, rel=1e-6)


@given(past=PAST, side=SIDES, seed=st.integers(0, 99))
def test_order_of_the_past_does_not_matter(past: np.ndarray, side: int, seed: int) -> None:
    """Rows of a store come in any order."""
    shuffled = np.random.default_rng(seed).permutation(past)
    assert normal_of(shuffled, side) == normal_of(past, side)


@given(
    scores=st.lists(st.floats(-50.0, 1e6), min_size=1, max_size=8),
    more=st.floats(0.0, 100.0),
)
def test_further_out_is_never_likelier(scores: list[float], more: float) -> None:
    """A worse incident is not less suspicious."""
    near, far = np.array(scores), np.array(scores) + more
    assert surprise(far, normal()) <= surprise(near, normal()) + 1e-12


@given(probability=st.floats(0.0, 1.0))
def test_weight_falls_with_the_probability(probability: float) -> None:
    """Evidence is finite, whatever underflows."""
    weight = weight_of(probability)
    assert math.isfinite(weight)
    assert weight >= weight_of(min(1.0, probability * 2.0))


def test_bets_are_fair() -> None:
    """On normal data the odds are 1 on average at most: else services would be accused for free."""
    chances = (np.arange(200_000) + 0.5) / 200_000
    assert np.mean([math.exp(weight_of(float(p))) for p in chances]) <= 1.001


def test_surprise_of_one_wild_value_is_doubted() -> None:
    """A single missing scrape that reads as a spike weighs less than a state that lasts."""
    blip, lasting = np.array([0.0, 0.0, 30.0]), np.array([0.0, 30.0, 30.0])
    assert surprise(blip, normal()) > 5 * surprise(lasting, normal())


def test_no_values_are_no_surprise() -> None:
    """A service that went silent is not judged by what it did not send."""
    assert surprise(np.empty(0), normal()) == 1.0


def test_a_tail_is_not_told_from_few_values() -> None:
    """Two hundred values at least: fewer say nothing of one in a thousand."""
    assert tail_of(np.arange(150.0)) is None


def test_what_is_common_elsewhere_is_no_surprise_here() -> None:
    """Where one in fifty values of all services is as wild, a calm past of one is no proof."""
    alike = np.concatenate([np.random.default_rng(2).normal(0.0, 1.0, 980), np.full(20, 1000.0)])
    wild = np.array([900.0, 900.0])
    assert surprise(wild, normal()) < 1e-6
    assert surprise(wild, normal(), tail_of(alike)) > 0.01


@given(score=st.floats(0.0, 1e9), further=st.floats(1.0, 100.0))
def test_tails_fall_and_never_end(score: float, further: float) -> None:
    """Beyond everything ever seen chances go on to fall, and are never zero."""
    tail = tail_of(student.rvs(3, size=1000, random_state=3))
    assert tail is not None
    assert 0.0 < tail.beyond(score * further) <= tail.beyond(score) <= 1.0
