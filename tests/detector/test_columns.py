"""Series side by side in flat arrays: the same series, whoever looks at them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.series import Columns, Matcher, MatchOp, Query, Series
from pipelines.stores.codec import pack

SIZES = st.lists(st.integers(0, 4), max_size=5)


def series_of(sizes: list[int]) -> list[Series]:
    """Series of so many samples, no value twice."""
    ends = np.cumsum(sizes)
    return [
        Series(
            labels={"pod": str(at)},
            times=np.arange(end - size, end, dtype=float),
            values=np.arange(end - size, end, dtype=float) + 0.5,
        )
        for at, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]


def told(series: Series) -> tuple[str, list[float], list[float]]:
    return series.labels["pod"], series.times.tolist(), series.values.tolist()


@given(SIZES)
def test_columns_are_the_series_they_were_made_of(sizes: list[int]) -> None:
    """A sample would be judged as one of another series."""
    series = series_of(sizes)
    columns = Columns.of(series)
    assert [told(s) for s in columns] == [told(s) for s in series]
    assert [told(columns[at]) for at in range(len(columns))] == [told(s) for s in series]


@given(SIZES.filter(len))
def test_columns_are_counted_from_the_end_too(sizes: list[int]) -> None:
    """A sequence that breaks the rules of sequences."""
    series = series_of(sizes)
    columns = Columns.of(series)
    assert told(columns[-1]) == told(series[-1])
    assert [told(s) for s in columns[1:]] == [told(s) for s in series[1:]]


def test_columns_of_columns_are_the_same_ones() -> None:
    """Each step of a poll would copy all samples once more."""
    columns = Columns.of(series_of([1, 2]))
    assert Columns.of(columns) is columns


def test_beyond_the_last_there_is_nothing() -> None:
    """The first series would be read for one that is not there."""
    with pytest.raises(IndexError):
        Columns.of(series_of([1, 2]))[2]


def test_a_query_keeps_its_hash_to_itself() -> None:
    """Equal queries would not be found again, or a store would keep what differs by process."""
    one, other = (Query("up", (Matcher("job", MatchOp.EQUAL, "web"),)) for _ in range(2))
    hash(one)
    assert {one: "found"}[other] == "found"
    assert pack(one) == pack(other)


@given(SIZES)
def test_only_series_with_samples_are_some(sizes: list[int]) -> None:
    """The first sample of a series that has none would be that of the next one."""
    series = series_of(sizes)
    some = Columns.of(series).some()
    assert [told(s) for s in some] == [told(s) for s in series if len(s.times)]
    assert some.ends.tolist() == np.cumsum([size for size in sizes if size]).tolist()


@given(SIZES, SIZES)
def test_parts_are_joined_in_their_order(one: list[int], two: list[int]) -> None:
    """A batch of an answer would lose its last series, or get those of the next one."""
    parts = [Columns.of(series_of(one)), Columns.of(series_of(two))]
    assert [told(s) for s in Columns.joined(parts)] == [told(s) for part in parts for s in part]
    assert not Columns.joined([])


@given(SIZES, st.data())
def test_what_is_kept_is_kept_of_its_series(sizes: list[int], data: st.DataObject) -> None:
    """A sample that is taken out would take one of another series with it."""
    columns = Columns.of(series_of(sizes))
    keep = data.draw(st.lists(st.booleans(), min_size=sum(sizes), max_size=sum(sizes)))
    chosen = columns.times[np.array(keep, np.bool_)]
    wanted = [(s.labels["pod"], [t for t in s.times.tolist() if t in chosen]) for s in columns]
    found = columns.kept(np.array(keep, np.bool_))
    assert [told(s)[:2] for s in found] == [(pod, times) for pod, times in wanted if times]
    assert (found.values == found.times + 0.5).all()
