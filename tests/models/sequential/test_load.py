"""What load explains: no less than a queue that saved as much, nothing where nobody knows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.sequential.load import Usual, allowance, usual

LONG = np.log(np.array([0.05, 0.1, 0.2, 0.4]))
BEFORE = Usual(load=10.0, most=11.0, mean=-3.0, spread=0.01)


def allowed(
    mean: float, load: float, ratio: float, before: Usual = BEFORE, now: float | None = None
) -> float:
    """What one unit with `ratio` times the load of the reference may show."""
    args = (np.array([mean]), np.array([load]), np.array([load if now is None else now]))
    return float(allowance(before, *args, np.log([[ratio]]))[0, 0])


def queue(used: float, load: float) -> float:
    """Log response of a queue at a load relative to its usual one, against that one."""
    return float(np.log1p(-used) - np.log1p(-used * load))


@given(st.floats(0.0, 0.6), st.floats(0.0, 0.05), st.floats(0.35, 0.9), st.floats(1.5, 3.0))
def test_a_queue_is_never_blamed_for_its_length(
    used: float, elastic: float, lately: float, ratio: float
) -> None:
    """A healthy release that is given more to do would otherwise be rolled back."""
    there = lately * ratio
    assume(used * there < 0.9)
    shown = queue(used, lately) + elastic * np.log(lately)
    found = allowed(BEFORE.mean + shown, lately * BEFORE.load, ratio)
    truth = queue(used, there) - queue(used, lately) + elastic * np.log(ratio)
    assert found >= truth - 1e-9


@given(st.floats(-0.3, 0.02), st.floats(0.3, 0.94), st.floats(1.5, 4.0))
def test_what_the_control_saved_never_makes_load_cheaper(
    saved: float, lately: float, ratio: float
) -> None:
    """A control that grew faster by chance must not excuse less than one that did not."""
    less = allowed(BEFORE.mean, lately * 10, ratio)
    assert allowed(BEFORE.mean + saved, lately * 10, ratio) >= min(less, np.inf) - 1e-12


@given(st.floats(1.5, 2.5), st.floats(0.01, 1.0))
def test_more_load_explains_more(ratio: float, more: float) -> None:
    """The order of two pods by load is the order of what they are excused."""
    assert allowed(-3.05, 4.0, ratio + more) >= allowed(-3.05, 4.0, ratio)


@pytest.mark.parametrize(
    ("mean", "load", "ratio"),
    [
        pytest.param(-3.05, 5.0, 2.8, id="beyond a load that was ever seen"),
        pytest.param(-3.0, 9.8, 1.3, id="the control carries what it always did"),
        pytest.param(-2.9, 5.0, 2.0, id="the control grew slower though it has less to do"),
        pytest.param(-3.9, 5.0, 2.4, id="near saturation"),
        pytest.param(-3.35, 5.0, 2.6, id="load alone may double it"),
    ],
)
def test_where_nobody_knows_nothing_is_judged(mean: float, load: float, ratio: float) -> None:
    """A guess would roll back on what is no fault of the release."""
    assert allowed(mean, load, ratio) == np.inf


def test_half_as_slow_again_at_twice_the_load_is_too_slow() -> None:
    """Load would otherwise excuse whatever a release does at its last step."""
    assert allowed(BEFORE.mean + queue(0.15, 0.5), 5.0, 2.0) < np.log(1.5) - 0.1


def test_usual_load_is_that_of_pods_that_serve() -> None:
    """A pod that was gone for half of the history carries no less for it."""
    counts = np.ones((3, 8, 4)) * 75.0
    counts[2, :4] = 0.0
    before = usual(counts, LONG, 300.0)
    assert before is not None
    assert before.load == pytest.approx(1.0)
    assert before.most == pytest.approx(1.0)
    assert before.mean == pytest.approx(LONG.mean())
    assert before.spread == pytest.approx(0.0)


def test_a_short_history_tells_nothing_of_load() -> None:
    """How far a service wanders by itself is not known from three blocks."""
    assert usual(np.ones((3, 5, 4)), LONG, 300.0) is None
    assert usual(np.zeros((3, 9, 4)), LONG, 300.0) is None
