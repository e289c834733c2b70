"""Steps of exposure: told by the controller, or seen in the requests."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.share import Weights

STEP = 15.0


def test_told_steps_begin_at_the_next_bin() -> None:
    """A weight known at 100 s counts from the bin that begins at 105 s."""
    weights = Weights()
    weights.tell(10.0, 5.0)
    weights.tell(100.0, 20.0)
    assert weights.told_steps(0.0, STEP) == {7}


def test_the_newest_step_is_known_before_its_bin() -> None:
    """From the moment it is told, and not a moment before; the first weight is no step."""
    weights = Weights()
    weights.tell(10.0, 5.0)
    assert weights.newest_step(0.0, STEP, as_of=50.0) is None
    weights.tell(100.0, 20.0)
    assert weights.newest_step(0.0, STEP, as_of=99.0) is None
    assert weights.newest_step(0.0, STEP, as_of=100.0) == 105.0


@given(st.lists(st.tuples(st.floats(0, 1e4), st.sampled_from([5.0, 20.0, 50.0])), max_size=20))
def test_telling_twice_changes_nothing(told: list[tuple[float, float]]) -> None:
    """Repeats of a weight and asks that arrive out of order are no steps."""
    once, twice = Weights(), Weights()
    for at, weight in told:
        once.tell(at, weight)
        twice.tell(at, weight)
        twice.tell(at, weight)
    assert once.told == twice.told
    assert [at for at, _ in once.told] == sorted({at for at, _ in once.told})


def seen(canary: float, later: float, bins: int = 40, turn: int = 20) -> list[int]:
    """Bins at which a change of the canary's requests per bin is noticed."""
    counts = np.where(np.arange(bins) < turn, canary, later)
    control = np.full(bins, 1000.0) - counts
    weights = Weights()
    return [b for b in range(bins) if weights.seen_step(b, b * STEP, counts[:b], control[:b], STEP)]


def test_a_lasting_change_is_seen_after_a_minute() -> None:
    """Five to twenty per cent is a step, noticed once within two minutes."""
    steps = seen(50.0, 200.0)
    assert len(steps) >= 1
    assert 20 < steps[0] <= 28


def test_noise_is_no_step() -> None:
    """A steady share, or a handful of requests, is none."""
    assert seen(100.0, 110.0) == []
    assert seen(1.0, 2.0) == []


def test_what_is_told_ends_the_guessing() -> None:
    """With the controller's own weights nothing is inferred."""
    weights = Weights()
    weights.tell(0.0, 5.0)
    counts = np.where(np.arange(40) < 20, 50.0, 400.0)
    steps = [
        b for b in range(40) if weights.seen_step(b, b * STEP, counts[:b], 1000 - counts[:b], STEP)
    ]
    assert steps == []
