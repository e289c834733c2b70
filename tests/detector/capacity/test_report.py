"""Reports as they are kept."""

from __future__ import annotations

import json
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.assessed import (
    Accuracy,
    Action,
    Assessment,
    Curve,
    DriverModel,
    Exhaustion,
    Headroom,
    Outlook,
    Sizing,
)
from detector.capacity.report import LeftOut, Report, of_json, to_json
from detector.capacity.resource import Identity, Kind, Limit
from detector.errors import InputError
from tests.profiles import HEAVY

T = TypeVar("T")
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.integers(0, 2**53)
SOME = st.lists(NUMBERS, max_size=4).map(tuple)
WORDS = st.text(max_size=9)
LIMITS = st.floats(0.1, 1e18).map(Limit.of)


def perhaps(of: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """Or None."""
    return st.none() | of


ASSESSMENTS = st.builds(
    Assessment,
    identity=st.builds(
        Identity, kind=st.sampled_from(Kind), labels=st.dictionaries(WORDS, WORDS, max_size=2)
    ),
    as_of=MOMENTS,
    horizon_s=MOMENTS,
    usage=st.builds(
        Curve,
        start_ms=MOMENTS,
        step_s=MOMENTS,
        values=st.lists(perhaps(NUMBERS), max_size=4).map(tuple),
    ),
    limit=perhaps(LIMITS),
    requested=perhaps(LIMITS),
    replicas=st.integers(1, 99),
    outlook=perhaps(
        st.builds(
            Outlook,
            start_ms=MOMENTS,
            step_s=MOMENTS,
            p10=SOME,
            p50=SOME,
            p90=SOME,
            weights=st.dictionaries(WORDS, NUMBERS, max_size=2),
            mase=perhaps(NUMBERS),
        )
    ),
    exhaustion=perhaps(
        st.builds(
            Exhaustion,
            chance=NUMBERS,
            p10=perhaps(MOMENTS),
            p50=perhaps(MOMENTS),
            p90=perhaps(MOMENTS),
            since=perhaps(MOMENTS),
        )
    ),
    headroom=perhaps(
        st.builds(Headroom, used=NUMBERS, limit=NUMBERS, share=NUMBERS, ahead=perhaps(NUMBERS))
    ),
    sizing=perhaps(
        st.builds(
            Sizing,
            action=st.sampled_from(Action),
            what=WORDS,
            present=NUMBERS,
            to=NUMBERS,
            by=perhaps(MOMENTS),
            saving=perhaps(NUMBERS),
        )
    ),
    driver=perhaps(
        st.builds(
            DriverModel,
            base=NUMBERS,
            slope=NUMBERS,
            slope_low=NUMBERS,
            slope_high=NUMBERS,
            explained=NUMBERS,
            seen=NUMBERS,
            knee=perhaps(NUMBERS),
        )
    ),
    accuracy=perhaps(
        st.builds(
            Accuracy,
            date_error_days=perhaps(NUMBERS),
            error=perhaps(NUMBERS),
            inside=perhaps(NUMBERS),
        )
    ),
    problem=perhaps(WORDS),
)
REPORTS = st.builds(
    Report,
    made_at=MOMENTS,
    horizon_s=MOMENTS,
    scope=WORDS,
    assessments=st.lists(ASSESSMENTS, max_size=2).map(tuple),
    left_out=st.lists(st.builds(LeftOut, name=WORDS, why=WORDS), max_size=2).map(tuple),
    what_if=st.lists(WORDS, max_size=2).map(tuple),
    summary=st.lists(WORDS, max_size=2).map(tuple),
)


@HEAVY
@given(report=REPORTS)
def test_a_report_that_was_kept_is_the_same(report: Report) -> None:
    """Every field of it, so that next month's can be compared with it."""
    assert of_json(to_json(report)) == report


def empty() -> Report:
    """Of nothing."""
    return Report(made_at=1, horizon_s=2, scope="all")


def test_a_report_is_plain_json_under_a_schema() -> None:
    """Others read it too."""
    assert json.loads(to_json(empty())) == {
        "schema": 1,
        "report": {
            "made_at": 1, "horizon_s": 2, "scope": "all", "assessments": [],
            "left_out": [], "what_if": [], "summary": [],
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not a capacity report"),
        (b"[]", "not a capacity report"),
        (b"{}", "not a capacity report"),
        (b'{"schema": 1}', "not a capacity report"),
        (b'{"schema": 2, "report": {"new": 1}}', "has schema 2, this reads 1"),
        (b'{"schema": 1, "report": {}, "more": 1}', "not a capacity report"),
        ('{"schema": "1"}', "not a capacity report"),
    ],
)
def test_what_is_no_report_of_this_schema_is_refused(body: bytes | str, why: str) -> None:
    """A newer one is not read half."""
    with pytest.raises(InputError, match=why):
        of_json(body)
