"""VUS-PR against cases counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from bench.stream.vus import range_pr, vus_pr, widened, windows
from tests.profiles import HEAVY

ROOT_HALF = math.sqrt(0.5)


def test_slopes_of_a_window() -> None:
    """Buffer 4: two rows to either side, sqrt(1 - 1/4) and sqrt(1 - 2/4)."""
    soft = widened(np.array([0, 0, 0, 1, 1, 0, 0, 0]), 4)
    near, far = math.sqrt(0.75), ROOT_HALF
    assert soft == pytest.approx([0, far, near, 1, 1, near, far, 0])


def test_slopes_of_neighbours_add_up_to_1_at_most() -> None:
    """Buffer 2: the row between two windows belongs to both."""
    soft = widened(np.array([1, 0, 1, 0]), 2)
    assert soft == pytest.approx([1, 1, 1, ROOT_HALF])


def test_windows_at_both_ends() -> None:
    """A window may be cut by the end of the rows."""
    assert windows(np.array([1, 0, 1, 1])) == [(0, 0), (2, 3)]


def test_without_a_buffer_one_window_by_hand() -> None:
    """Rows in order of score: odd, usual, odd: 1/2 * 1 + 1/2 * 2/3."""
    labels, scores = np.array([0, 1, 1, 0]), np.array([2.0, 3.0, 1.0, 0.0])
    assert range_pr(labels, scores, 0) == pytest.approx(0.5 + 1 / 3)


def test_an_untouched_window_halves_recall() -> None:
    """Two windows; the first two rows of the order are of one: recall 2/3 * 1/2, then all.

    1/3 * 1 + (1 - 1/3) * 3/4, as the third odd row comes fourth.
    """
    labels = np.array([1, 1, 0, 0, 1, 0])
    scores = np.array([6.0, 5.0, 4.0, 1.0, 3.0, 0.0])
    assert range_pr(labels, scores, 0) == pytest.approx(1 / 3 + (1 - 1 / 3) * 0.75)


def test_a_row_beside_the_window_counts_by_its_slope() -> None:
    """Buffer 2, one odd row, the order: the row after it, it, the row before, the rest.

    Soft labels are r, 1, r with r = sqrt(1/2); wanted are (1 + 1 + 2 r) / 2 = 1 + r. Recall is
    r / (1 + r), then 1, and stays; precision r, then (1 + r) / 2.
    """
    labels = np.array([0, 1, 0, 0])
    scores = np.array([2.0, 3.0, 4.0, 1.0])
    r = ROOT_HALF
    first = r / (1 + r)
    assert range_pr(labels, scores, 2) == pytest.approx(first * r + (1 - first) * (1 + r) / 2)


def test_equal_scores_are_called_together() -> None:
    """A constant score has the precision of the base rate."""
    assert range_pr(np.array([0, 1, 0, 0]), np.zeros(4), 0) == pytest.approx(0.25)


def test_the_volume_is_the_mean_over_buffers() -> None:
    """From 0 to the longest, both counted."""
    labels, scores = np.array([0, 1, 0, 0]), np.array([2.0, 3.0, 4.0, 1.0])
    areas = [range_pr(labels, scores, buffer) for buffer in (0, 1, 2)]
    assert vus_pr(labels, scores, 2) == pytest.approx(np.mean(areas))
    assert areas[0] == areas[1] == pytest.approx(0.5)


@given(scores=arrays(np.float64, 30, elements=st.integers(0, 9).map(float)), at=st.integers(0, 25))
def test_of_one_window_without_a_buffer_it_is_average_precision(
    scores: np.ndarray, at: int
) -> None:
    """The scale starts from what everybody knows."""
    labels = np.zeros(30, dtype=int)
    labels[at : at + 4] = 1
    assert range_pr(labels, scores, 0) <= average_precision_score(labels, scores) + 1e-12
    labels[at + 1 :] = 0
    assert range_pr(labels, scores, 0) == pytest.approx(average_precision_score(labels, scores))


@given(
    labels=arrays(np.int64, 60, elements=st.integers(0, 1)).filter(lambda one: one.any()),
    scores=arrays(np.float64, 60, elements=st.floats(-5, 5)),
)
@HEAVY
def test_it_lies_between_0_and_1_and_order_is_all_that_counts(
    labels: np.ndarray, scores: np.ndarray
) -> None:
    """Whatever unit a score has."""
    volume = vus_pr(labels, scores, 10)
    assert 0 < volume <= 1
    ranks = np.unique(scores, return_inverse=True)[1].astype(float)
    assert vus_pr(labels, ranks, 10) == pytest.approx(volume)
