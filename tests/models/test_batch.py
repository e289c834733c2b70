"""New samples stand beside the ones before them, and what is odd of them is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.bank import Bank
from models.batch import Batch

Floats = NDArray[np.float64]
STEP, GAP = 15.0, 60.0


def bank_of(*newest: tuple[float, float]) -> Bank:
    """One target; each series with the time and the value of its newest sample."""
    bank = Bank(step=STEP, gap=GAP)
    group = bank.add_group(bank.add_target())
    for time, value in newest:
        series = bank.add(0, group)
        bank.time[series], bank.value[series], bank.offset[series] = time, value, -value
        bank.row[0] = max(bank.row[0], time)
    return bank


def batch(bank: Bank, *samples: tuple[int, float, float]) -> Batch:
    """Samples as (series, time, value); the first series of the target is 1, after its clock."""
    series, times, values = (np.array(column) for column in zip(*samples, strict=True))
    return Batch.of(bank, series.astype(np.int64), times, values)


def test_each_sample_stands_beside_the_one_before_it() -> None:
    """A rise would be measured from another series, or from nothing."""
    made = batch(
        bank_of((100.0, 5.0), (100.0, 7.0)), (1, 115.0, 6.0), (1, 130.0, 9.0), (2, 115.0, 8.0)
    )
    assert made.before.tolist() == [100.0, 115.0, 100.0]
    assert made.last.tolist() == [5.0, 6.0, 7.0]
    assert (made.first.tolist(), made.ends.tolist()) == ([0, 2], [2, 3])


def test_undecided_samples_count_their_rise() -> None:
    """An ordinary scrape would have to be decided sample by sample."""
    found = batch(bank_of((100.0, 5.0)), (1, 115.0, 6.0), (1, 130.0, 9.0)).segments(STEP)
    assert (found.c1 - found.c0).tolist() == [1.0, 3.0]
    assert found.t0.tolist() == [100.0, 115.0]


def test_a_series_without_a_past_begins_a_step_before() -> None:
    """The first sample of all would lie infinitely long after nothing."""
    found = batch(bank_of((-np.inf, 0.0)), (1, 115.0, 6.0)).segments(STEP)
    assert found.t0.tolist() == [100.0]


@pytest.mark.parametrize(
    ("sample", "odd"),
    [
        pytest.param((1, 115.0, 5.0), False, id="the next in good time"),
        pytest.param((1, 115.0, 4.0), True, id="a fall"),
        pytest.param((1, 161.0, 5.0), True, id="after a gap"),
        pytest.param((2, 115.0, 5.0), True, id="a birth"),
        pytest.param((1, 99.0, 9.0), True, id="before its target's newest scrape"),
    ],
)
def test_what_is_not_simply_the_next_sample_is_odd(
    sample: tuple[int, float, float], odd: bool
) -> None:
    """A restart would be taken for an ordinary scrape, or every scrape be looked at."""
    bank = bank_of((100.0, 5.0), (-np.inf, 0.0))
    assert batch(bank, sample).odd(bank).tolist() == [odd]


def test_after_a_restart_and_after_a_flip_samples_are_odd() -> None:
    """A series that was away then would bring back what it counted before."""
    bank = bank_of((100.0, 5.0))
    bank.reset[0] = bank.last_reset = 105.0
    assert batch(bank, (1, 115.0, 6.0)).odd(bank).tolist() == [True]
    bank.reset[0] = bank.last_reset = -np.inf
    bank.flip[0] = bank.last_flip = 105.0
    assert batch(bank, (1, 115.0, 6.0)).odd(bank).tolist() == [True]
