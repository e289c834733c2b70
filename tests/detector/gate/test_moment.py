"""What a rule sees of a moment."""

from __future__ import annotations

import numpy as np
import pytest

from tests.detector.gate.moments import BINS, EACH, RATE, arm, at_end, moment, state


def test_the_window_of_a_rule_is_never_a_single_bin() -> None:
    """On a scrape each minute a rule of 60 s still sees two of them."""
    assert len(moment().last(np.arange(40.0), 1.0)) == 2
    assert len(moment().last(np.arange(40.0), 120.0)) == 8


def test_a_rule_counts_only_what_is_recent() -> None:
    """A canary is not held for errors of ten minutes ago, nor let on for those it no longer has."""
    m = moment(canary=arm("canary", 3, failed=at_end({4: 9.0})))
    assert m.counted(m.window.frame.canary, "error_rate", 60.0) == (3 * 4 * EACH, 3 * 4 * 9.0)
    assert m.counted(m.window.frame.control, "error_rate", 60.0) == pytest.approx(
        (6 * 4 * EACH, 6 * 4 * EACH * RATE)
    )


def test_a_signal_that_a_side_does_not_show_is_not_counted_as_none() -> None:
    """No counter is not a counter at zero: nobody divides by it."""
    m = moment()
    assert m.counted(m.window.frame.canary, "restarts", BINS * 15.0) is None


def test_only_required_signals_wait_for_their_bound() -> None:
    """What a policy does not require delays nobody."""
    states = {
        "error_rate": state(bound=1.0),
        "latency": state(bound=0.1),
        "tail95": state(bound=1.0, required=False),
    }
    assert moment(states=states).uncleared == [states["error_rate"]]
