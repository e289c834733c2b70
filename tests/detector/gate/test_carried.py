"""What a burst carried of the evidence is not forgotten when it is looked back on no more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.carried import Carried
from detector.gate.rule import Candidate, Without
from tests.detector.gate.rollouts import Recipe, Run, make

NEEDED = 8.0


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    """Evidence of a signal since the start of an attempt."""
    run = Run(make(Recipe(seed=8, bins=40)))
    run.all()
    board = next(iter(run.session.failing.boards.values()))
    return replace(board.candidate(*board.strongest()), scope=-1, log_needed=NEEDED)


def at(candidate: Candidate, bin_: int, log_e: float) -> Candidate:
    return replace(candidate, bin=bin_, log_e=log_e)


def test_evidence_that_builds_up_holds(candidate: Candidate) -> None:
    """What comes minute by minute is no burst, however long it takes."""
    carried, held = Carried(), []
    for bin_ in range(20, 80):
        log_e = 0.2 * bin_
        without = Without(log_e - 1.2, bin_ - 6, bin_ - 28)
        held.append(carried.persists(at(candidate, bin_, log_e), without))
    assert held == [0.2 * bin_ - 1.2 >= NEEDED - 2.3026 for bin_ in range(20, 80)]


def test_a_burst_does_not_hold_once_it_is_out_of_reach(candidate: Candidate) -> None:
    """Nothing is served, so nothing takes it back: it must not fail the release minutes later."""
    carried = Carried()
    inside = [
        carried.persists(at(candidate, b, 12.0), Without(0.5, 10, b - 28)) for b in range(16, 39)
    ]
    beyond = [
        carried.persists(at(candidate, b, 12.0), Without(11.9, b - 9, b - 28))
        for b in range(39, 99)
    ]
    assert not any(inside)
    assert not any(beyond)


def test_what_comes_beside_the_burst_counts(candidate: Candidate) -> None:
    """A release that had a bad minute may be broken all the same."""
    carried = Carried()
    carried.persists(at(candidate, 20, 12.0), Without(2.0, 10, 0))
    assert not carried.persists(at(candidate, 60, 15.0), Without(14.0, 50, 32))
    assert carried.persists(at(candidate, 61, 16.0), Without(15.0, 51, 33))


@given(st.floats(NEEDED, 40.0), st.floats(0.0, 10.0))
def test_other_starts_and_pods_know_nothing_of_it(
    candidate: Candidate, log_e: float, less: float
) -> None:
    """A later start has not seen the burst."""
    carried = Carried()
    carried.persists(at(candidate, 20, 12.0), Without(0.0, 10, 0))
    other = replace(at(candidate, 60, log_e), scope=0)
    fresh = Carried().persists(other, Without(log_e - less, 50, 32))
    assert carried.persists(other, Without(log_e - less, 50, 32)) == fresh


def test_what_is_over_is_forgotten(candidate: Candidate) -> None:
    """A bake of a day must not remember every minute of it."""
    carried = Carried()
    carried.persists(at(candidate, 20, 12.0), Without(0.0, 10, 0))
    carried.keep([candidate.start.index + 1])
    assert carried.persists(at(candidate, 60, 12.0), Without(11.0, 50, 32))
