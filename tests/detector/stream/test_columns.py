"""Samples in columns: what is a staleness marker, what a series is called."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.stream.columns import STALE, Columns, SeriesInfo, SeriesKind, is_stale


@given(st.lists(st.floats(width=64)))
def test_only_the_marker_itself_is_stale(values: list[float]) -> None:
    """Any other NaN would end its series, and a sender's NaN is a value that it measured."""
    marked = np.array([*values, STALE])
    assert is_stale(marked).tolist() == [False] * len(values) + [True]


def test_a_marker_is_not_a_number() -> None:
    """It would be averaged where nobody looks at its bits."""
    assert np.isnan(STALE)


def test_a_series_without_a_name_has_an_empty_one() -> None:
    """Labels alone are a series, too."""
    labels = (("__name__", "up"), ("job", "shop"))
    assert SeriesInfo(labels=labels, kind=SeriesKind.GAUGE).name == "up"
    assert SeriesInfo(labels=labels[1:], kind=SeriesKind.GAUGE).name == ""


def test_columns_are_as_long_as_their_samples() -> None:
    """A door counts what it took by it."""
    columns = Columns(
        series=np.zeros(3, np.int32), at=np.zeros(3, np.int64), value=np.zeros(3, np.float64)
    )
    assert len(columns) == 3
