"""Bounds of an effect and what is missing until a pass: looked at at every poll."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.bound import (
    Ends,
    Interval,
    Progress,
    log_bet,
    outlook,
    smallest_effect,
)
from models.sequential.kernels import Kernels, build_kernels
from models.sequential.rows import ROWS, RowName

ROW = ROWS[RowName.LATENCY]
SHIFT = ROW.grid.shift


@cache
def kernels(sc: float = 0.02, tau: float = 0.02) -> Kernels:
    return build_kernels(ROW, np.array([tau]), np.ones(1), sc)


def known(mean: float, sd: float) -> np.ndarray:
    """A shift that is known to `sd`."""
    log_l: np.ndarray = -0.5 * ((SHIFT - mean) / sd) ** 2
    return log_l


def bounded(mean: float, sd: float, alpha: float, sc: float = 0.02) -> Interval:
    """The interval of a shift that is known to `sd`."""
    return Ends.of(log_bet(known(mean, sd)[None], kernels(sc)), [ROW], [alpha]).interval(0)


MEANS, SDS = st.floats(0.0, 0.5), st.floats(0.01, 0.1)


@given(MEANS, SDS, st.floats(0.001, 0.3))
def test_the_mode_lies_within(mean: float, sd: float, alpha: float) -> None:
    """A person reads an effect and its interval as one fact."""
    found = bounded(mean, sd, alpha)
    assert found.low <= found.mode <= found.high
    assert found.mode == pytest.approx(mean, abs=2 * ROW.grid.h)


@given(MEANS, SDS, st.floats(0.001, 0.3), st.floats(0.0, 0.3))
def test_less_doubt_allowed_is_never_narrower(
    mean: float, sd: float, alpha: float, more: float
) -> None:
    """99 % of confidence never bounds tighter than 90 %."""
    wide, narrow = (bounded(mean, sd, a) for a in (alpha, alpha + more))
    assert wide.low <= narrow.low + 1e-9
    assert wide.high >= narrow.high - 1e-9


def test_the_level_moves_both_ends() -> None:
    """Levels are no decoration: each tenth of alpha widens the interval on both sides."""
    ends = [bounded(0.2, 0.05, alpha) for alpha in (0.1, 0.01, 0.001)]
    assert np.all(np.diff([found.high for found in ends]) > 0.005)
    assert np.all(np.diff([found.low for found in ends]) < -0.005)


@given(MEANS, SDS, st.floats(0.01, 0.1))
def test_more_data_never_widen(mean: float, sd: float, more: float) -> None:
    """Waiting brings a pass nearer; else nobody could be told how long."""
    early, late = (bounded(mean, width, 0.05).high for width in (sd + more, sd))
    assert late <= early + 1e-6


@given(st.floats(0.0, 0.3), st.floats(0.0, 0.2), SDS)
def test_more_harm_is_bounded_higher(mean: float, more: float, sd: float) -> None:
    """A slower canary is never nearer to its pass."""
    less, harm = (bounded(at, sd, 0.05).high for at in (mean, mean + more))
    assert harm >= less - 1e-6


@given(MEANS, SDS, st.floats(-1e3, 1e3))
def test_a_constant_says_nothing(mean: float, sd: float, constant: float) -> None:
    """Likelihoods have no unit: only differences count."""
    one, other = (log_bet(known(mean, sd) + c, kernels()) for c in (0.0, constant))
    assert other == pytest.approx(one, abs=1e-6)


def test_an_effect_at_the_grids_end_has_no_bound() -> None:
    """Where the grid ends nothing is known to be worse: the bound is infinite, not the end."""
    assert bounded(SHIFT[-1], 0.05, 0.05).high == math.inf
    assert bounded(SHIFT[0], 0.05, 0.05).low == -math.inf


@given(MEANS, SDS, st.floats(0.02, 0.2))
def test_a_common_shift_widens(mean: float, sd: float, sc: float) -> None:
    """What all canaries share in health cannot be averaged away by more of them."""
    bare, shared = (bounded(mean, sd, 0.05, s).high for s in (0.005, sc))
    assert shared >= bare - 1e-6


PROGRESS = Progress(
    counted=2000.0,
    bins=20.0,
    units=3,
    info=1.0,
    noise=0.02,
    limit=0.2,
    mode=0.0,
    log_e_limit=0.0,
    alpha=0.05,
    counts=False,
)


def needed(p: Progress) -> float:
    """Requests that a pass still needs; inf where none help."""
    told = outlook(p, kernels()).requests
    return math.inf if told is None else told


@given(st.floats(0.01, 0.19), st.floats(0.0, 0.1))
def test_an_effect_near_the_limit_takes_longer(mode: float, more: float) -> None:
    """The nearer to what is too much, the more must be seen to tell."""
    assert needed(replace(PROGRESS, mode=mode + more)) >= needed(replace(PROGRESS, mode=mode))


@pytest.mark.parametrize("mode", [0.25, 0.3, 5.0])
def test_beyond_the_limit_nothing_helps(mode: float) -> None:
    """Nobody is told to wait for a pass that cannot come, by requests or by pods."""
    told = outlook(replace(PROGRESS, mode=mode, counted=1e7), kernels())
    assert (told.requests, told.units) == (None, None)


@given(st.floats(0.0, 9.0))
def test_a_mode_without_information_is_hardly_believed(mode: float) -> None:
    """After nine requests an estimate is noise: nobody gives up, or waits half as long again."""
    early = replace(PROGRESS, counted=9.0, bins=1.0)
    assert needed(early) <= needed(replace(early, mode=mode)) < 2 * needed(early)


@given(st.floats(0.01, 0.5), st.floats(0.0, 0.4))
def test_stricter_levels_take_longer(alpha: float, more: float) -> None:
    """A pass at 99 % waits longer than one at 95 %."""
    strict, lax = (needed(replace(PROGRESS, alpha=a)) for a in (alpha, alpha + more))
    assert strict >= lax


@given(st.floats(1.1, 30.0), st.floats(0.0, 20.0), st.booleans())
def test_what_has_been_seen_shortens_the_wait(log_e: float, more: float, counts: bool) -> None:
    """The bound's own way tells how far it is: farther on, less is missing."""
    begun = replace(PROGRESS, log_e_limit=log_e, counts=counts)
    later = replace(begun, log_e_limit=log_e + more)
    assert needed(later) <= needed(begun) + 1e-6


def test_an_outlook_is_never_negative() -> None:
    """A bound that has been reached asks for nothing."""
    done = replace(PROGRESS, counted=1e9, bins=1e6, log_e_limit=40.0, counts=True)
    assert outlook(done, kernels()).requests == 0.0


@given(st.integers(1, 30), st.integers(0, 30))
def test_more_pods_find_smaller_effects(units: int, more: int) -> None:
    """Where pods differ, the second pod is worth more than the second thousand requests."""
    few, many = (
        smallest_effect(ROW, kernels(), log_needed=9.0, info=1e4, units=n, caution=0.0)
        for n in (units, units + more)
    )
    assert many <= few
    assert many > ROW.tolerate


@given(st.floats(0.0, 1.0))
def test_caution_is_told_in_what_can_be_found(caution: float) -> None:
    """Where load is not comparable a person reads how much larger an effect must be."""
    bare, wary = (
        smallest_effect(ROW, kernels(), log_needed=9.0, info=1e3, units=3, caution=c)
        for c in (0.0, caution)
    )
    assert wary - bare == pytest.approx(caution)


# -- the promise of a bound


def looks(delta: float, *, attempts: int, seed: int, sd: float = 0.15) -> Iterator[list[float]]:
    """Upper ends at each of twelve looks at attempts whose version really differs by `delta`.

    What all pods share is drawn around it once an attempt; every look adds as much to be seen.
    """
    rng = np.random.default_rng(seed)
    for _ in range(attempts):
        realised = delta + rng.normal(0, 0.02)
        means = realised + np.cumsum(rng.normal(0, sd, 12)) / np.arange(1, 13)
        yield [bounded(mean, sd / math.sqrt(n), 0.05).high for n, mean in enumerate(means, 1)]


@pytest.mark.parametrize("delta", [0.0, 0.2], ids=["like the control", "a fifth slower"])
def test_a_bound_may_be_looked_at_at_every_poll(delta: float) -> None:
    """Of versions that are worse than the bound said at any of its looks at most one in twenty.

    A bound for one look would be wrong in a quarter of them after twelve.
    """
    attempts = 300
    missed = sum(min(ends) < delta for ends in looks(delta, attempts=attempts, seed=11))
    assert missed / attempts <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / attempts)


def test_a_bound_comes_down_while_one_waits() -> None:
    """A healthy canary is let through in the end: the bound falls towards what is shared."""
    ends = np.median(list(looks(0.0, attempts=40, seed=3)), axis=0)
    assert (np.diff(ends) < 0.01).all()
    assert ends[-1] < 0.2 < ends[0]


@given(MEANS, SDS, st.floats(0.001, 0.3))
def test_an_upper_bound_lies_above_what_is_likeliest(mean: float, sd: float, alpha: float) -> None:
    """Nobody passes on a bound below the very effect that was seen."""
    likeliest = SHIFT[int(known(mean, sd).argmax())]
    assert bounded(mean, sd, alpha).high >= likeliest - ROW.grid.h


@given(MEANS, SDS, st.floats(0.02, 0.2))
def test_pods_that_differ_more_take_longer(mean: float, sd: float, tau: float) -> None:
    """A bound reached with alike pods is not reached sooner with unlike ones."""
    progress = replace(PROGRESS, mode=min(mean, 0.15))
    alike, unlike = (outlook(progress, kernels(tau=t)).requests for t in (0.01, tau))
    assert (math.inf if unlike is None else unlike) >= (math.inf if alike is None else alike) - 1e-6


@pytest.mark.parametrize(
    ("sc", "units"), [(0.001, True), (0.2, False)], ids=["pods help", "pods do not help either"]
)
def test_pods_are_asked_for_only_where_they_help(sc: float, units: bool) -> None:
    """What all canaries share is not averaged away by more of them; then no number is told."""
    told = outlook(replace(PROGRESS, units=1), kernels(sc=sc, tau=0.15))
    assert told.requests is None
    assert (told.units is not None) is units
    if told.units is not None:
        scaled = replace(PROGRESS, units=told.units + 1)
        assert outlook(scaled, kernels(sc=sc, tau=0.15)).requests is not None


def test_a_goal_is_what_the_level_asks_for() -> None:
    """In nats, with the room that an estimate needs."""
    assert PROGRESS.goal == pytest.approx(math.log(20.0) + 0.7)
    assert replace(PROGRESS, alpha=0.01).goal > PROGRESS.goal


@given(st.floats(0.02, 0.3))
def test_a_better_release_is_nearer_to_its_pass(better: float) -> None:
    """A canary with fewer errors than the control is not told that no traffic can help."""
    late = replace(PROGRESS, counted=1e7)
    assert needed(replace(late, mode=-better)) <= needed(late)
    tight = replace(late, limit=0.9 * _limit_of_no_room())
    assert outlook(tight, kernels()).requests is None
    assert outlook(replace(tight, mode=-0.3), kernels()).requests is not None


def _limit_of_no_room() -> float:
    """The limit at which healthy noise alone takes all room, with no effect."""
    model = kernels()
    healthy = model.sc**2 + model.tau**2 / PROGRESS.units
    return math.sqrt(2 * PROGRESS.goal * healthy)


@given(st.floats(-50.0, 20.0), st.floats(0.0, 5.0))
def test_what_is_found_needs_no_more_where_less_is_needed(needed: float, more: float) -> None:
    """A policy so lax that no evidence is needed at all must still get an answer."""
    low, high = (
        smallest_effect(ROW, kernels(), log_needed=n, info=9.0, units=3, caution=0.0)
        for n in (needed, needed + more)
    )
    assert ROW.tolerate <= low <= high
