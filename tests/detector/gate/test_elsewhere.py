"""Other services of the cluster: what counts as an incident of theirs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.design import Elsewhere
from detector.gate.elsewhere import has_moved, worsened
from detector.gate.memory import Amount
from tests.detector.gate.pasts import amount

BEFORE = amount(requests=1e5, errors=0.003)


def test_a_service_that_fails_more_got_worse() -> None:
    """Six times the errors in two minutes are an incident, and as large as they are."""
    errors, latency = worsened(BEFORE, amount(requests=2e3, errors=0.018))
    assert errors == pytest.approx(np.log(6), abs=0.2)
    assert latency == 0.0


def test_a_service_that_slows_down_got_worse() -> None:
    """Half as slow again is one, too."""
    errors, latency = worsened(BEFORE, amount(requests=2e3, slower=np.log(1.5)))
    assert errors == 0.0
    assert latency == pytest.approx(np.log(1.5), abs=0.05)


def test_what_got_better_moved_but_is_no_incident() -> None:
    """A service that recovers excuses no release that fails meanwhile."""
    better = amount(requests=1e4, errors=3e-5, slower=-0.4)
    assert has_moved(BEFORE, better)
    assert worsened(BEFORE, better) == (0.0, 0.0)


def test_a_quiet_service_with_one_error_is_no_incident() -> None:
    """One error of fifty requests is chance, not five times the errors."""
    assert worsened(BEFORE, amount(requests=50, errors=0.02)) == (0.0, 0.0)


def test_a_service_that_fell_silent_tells_nothing() -> None:
    """No requests are no harm that could be seen."""
    assert worsened(BEFORE, Amount()) == (0.0, 0.0)


@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_what_a_day_does_is_no_incident(errors: float, slower: float) -> None:
    """Drift within a fifth excuses nobody."""
    now = amount(requests=1e5, errors=0.003 * float(np.exp(errors)), slower=slower)
    assert worsened(BEFORE, now)[0] == 0.0


@given(st.floats(0, 5), st.floats(0, 1))
def test_the_worst_of_both_counts(errors: float, latency: float) -> None:
    """Latency that doubles weighs as much as errors that grow sixteenfold."""
    seen = Elsewhere(at=0.0, errors_up=errors, latency_up=latency)
    assert seen.strength == pytest.approx(max(errors / 0.8, latency / 0.2))
