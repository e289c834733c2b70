"""Rows of answers as frames: the same dtypes whatever is in them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cli.guard import CouldNotAskError
from api.client import columns
from api.client.columns import Column, Dtype, frame_of

FRAMES = ("VERDICTS", "SIGNALS", "ANOMALIES", "INCIDENTS", "SUSPECTS", "CHANGES")
NAMED = {name: getattr(columns, name) for name in FRAMES}


def column(dtype: Dtype, *path: str | int) -> Column:
    """A column of one name."""
    return Column(name="x", dtype=dtype, path=path or ("x",))


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_without_rows_has_its_columns_and_dtypes(name: str) -> None:
    """A notebook that finds nothing today runs on."""
    none, some = frame_of([], NAMED[name]), frame_of([{}], NAMED[name])
    assert list(none.columns) == [one.name for one in NAMED[name]]
    assert (none.dtypes == some.dtypes).all()
    assert none.empty
    assert some.isna().all(axis=None)


@pytest.mark.parametrize("name", FRAMES)
def test_no_column_comes_twice(name: str) -> None:
    """The second would hide the first."""
    names = [one.name for one in NAMED[name]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("row", "path", "value"),
    [
        ({"a": {"b": 1}}, ("a", "b"), 1),
        ({"a": [{"b": 1}, {"b": 2}]}, ("a", 0, "b"), 1),
        ({"a": ["x", "y"]}, ("a",), "x, y"),
        ({"a": []}, ("a", 0, "b"), None),
        ({"a": None}, ("a", "b"), None),
        ({"a": 3}, ("a", "b"), None),
        ({}, ("a",), None),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(
    row: dict[str, Any], path: tuple[str | int, ...], value: object
) -> None:
    """An answer of an older serinus lacks what came later."""
    assert column(Dtype.TEXT, *path).value_of(row) == value


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (Dtype.TIME, "yesterday"),
        (Dtype.TIME, [1]),
        (Dtype.NUMBER, "much"),
        (Dtype.COUNT, "many"),
        (Dtype.COUNT, 1.5),
        (Dtype.FLAG, "perhaps"),
        (Dtype.TIME, "99999-01-01T00:00:00Z"),
    ],
)
def test_a_value_of_another_type_is_no_missing_one(dtype: Dtype, value: object) -> None:
    """What answered is no serinus, or speaks another version of it."""
    with pytest.raises(CouldNotAskError, match="x is no"):
        frame_of([{"x": value}], [column(dtype)])


def test_times_are_of_utc_whatever_they_are_written_in() -> None:
    """With fractions of a second or without, side by side."""
    texts = ["2026-03-02T10:00:00Z", "2026-03-02T11:00:00.500+01:00", None]
    found = frame_of([{"x": text} for text in texts], [column(Dtype.TIME)])["x"]
    assert str(found.dtype) == "datetime64[ns, UTC]"
    assert found[0] == pd.Timestamp("2026-03-02T10:00Z")
    assert found[1] - found[0] == pd.Timedelta("500ms")
    assert found[2] is pd.NaT


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-(2**53), 2**53))))
def test_numbers_stay_what_they_are(values: list[float | None]) -> None:
    """Null is missing, and nothing is rounded."""
    found = frame_of([{"x": value} for value in values], [column(Dtype.NUMBER)])["x"]
    assert str(found.dtype) == "float64"
    assert found.isna().tolist() == [value is None for value in values]
    assert found.dropna().tolist() == [float(value) for value in values if value is not None]


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))))
def test_counts_stay_whole_beside_missing_ones(values: list[int | None]) -> None:
    """A float would round large ones."""
    found = frame_of([{"x": value} for value in values], [column(Dtype.COUNT)])["x"]
    assert str(found.dtype) == "Int64"
    assert [None if one is pd.NA else int(one) for one in found] == values
