"""Load of a canary pod against the middle one of the control's pods that serve."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.detector.gate.test_window import BINS, flat, seen

RATES = st.lists(st.sampled_from([0.0, 5.0, 12.0, 40.0, 41.0, 300.0]), min_size=1, max_size=7)


@given(RATES, st.floats(1.0, 500.0))
def test_load_is_measured_against_the_middle_pod_that_serves(
    rates: list[float], ours: float
) -> None:
    """Idle pods of the control would otherwise make any canary look overloaded."""
    load = seen(flat(ours), flat(*rates)).load
    serving = [rate for rate in rates if rate > 0]
    expected = np.log(ours / np.median(serving)) if serving else 0.0
    np.testing.assert_allclose(load, expected, rtol=1e-12, atol=1e-12)


@given(RATES, st.floats(1.0, 500.0), st.integers(0, BINS - 1))
def test_load_of_new_bins_looks_back_as_far_as_it_must(
    rates: list[float], ours: float, new: int
) -> None:
    """A poll arranges one new bin, a restart all: a pod is overloaded for both or for neither."""
    canary, control = flat(ours), flat(*rates)
    canary[:, ::3] *= 4.0
    whole, late = seen(canary, control).load, seen(canary, control, new=new).load
    np.testing.assert_allclose(late[new:], whole[new:], rtol=1e-12, atol=1e-12)
    assert not late[:new].any()
