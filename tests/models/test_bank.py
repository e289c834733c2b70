"""What is kept of counters between batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bank import RECENT, Bank
from models.growing import push, push_all, sums

SPANS = st.lists(st.floats(1, 100), min_size=1, max_size=RECENT)


def bank_of(spans: list[float]) -> Bank:
    """A target that was scraped at these intervals."""
    bank = Bank(step=15.0, gap=60.0)
    target = bank.add_target()
    push_all(bank.spans, np.array([target]), np.array([spans]))
    return bank


@given(SPANS)
def test_the_interval_is_the_median(spans: list[float]) -> None:
    """One late scrape would make every pod look slow."""
    assert bank_of(spans).interval([0], 7.0) == np.median(spans)


def test_an_interval_that_nobody_saw_is_the_default() -> None:
    """A new rollout has no two scrapes yet."""
    bank = Bank(step=15.0, gap=60.0)
    bank.add_target()
    assert bank.interval([0], 7.0) == 7.0


@pytest.mark.parametrize(("span", "limit"), [(10.0, 60.0), (15.0, 60.0), (30.0, 120.0)])
def test_a_gap_is_long_for_its_target(span: float, limit: float) -> None:
    """A target that is scraped each half minute would have a gap at every hiccup."""
    assert bank_of([span] * 5).limit(0) == limit


def test_what_is_there_stays_when_more_is_added() -> None:
    """The hundredth pod would reset all others."""
    bank = Bank(step=15.0, gap=60.0)
    for number in range(100):
        target = bank.add_target()
        group = bank.add_group(target)
        series = bank.add(target, group)
        bank.row[target], bank.reset[group], bank.value[series] = number, number, number
    wanted = np.arange(100.0)
    assert (bank.row[:100] == wanted).all()
    assert (bank.reset[:100] == wanted).all()
    assert (bank.value[bank.clock[:100] + 1] == wanted).all()
    assert [groups.tolist() for groups in bank.groups_of] == [[n] for n in range(100)]
    assert (bank.target_of[bank.clock[:100]] == wanted).all()


@given(st.lists(st.floats(0, 9), max_size=20))
def test_a_ring_holds_the_last_values(values: list[float]) -> None:
    """The recent rate would be that of an hour ago, or of another group."""
    one, many = np.full((2, 4), np.nan), np.full((2, 4), np.nan)
    for value in values:
        push(one, np.array([1]), np.array([value]))
    push_all(many, np.array([1]), np.array([values]))
    wanted = [np.nan] * max(0, 4 - len(values)) + values[-4:]
    np.testing.assert_array_equal(one[1], wanted)
    np.testing.assert_array_equal(many[1], wanted)
    assert np.isnan(one[0]).all()
    assert np.isnan(many[0]).all()


def test_sums_go_by_group() -> None:
    """A group without a sample has grown by nothing."""
    assert sums(np.array([0, 2, 0]), np.array([1.0, 5.0, 2.0]), 4).tolist() == [3.0, 0.0, 5.0, 0.0]
