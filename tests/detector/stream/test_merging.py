"""Parts of a stream tell of a service together, or say why they do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.course import Streamed, course
from detector.stream.merging import PartTold, merged
from tests.detector.stream.services import plan_of

PLAN = plan_of()
REQUESTS, BUCKETS = "http_requests_total", "http_request_duration_seconds_bucket"


def part(
    first: int = 10, rows: int = 4, *, value: float = 1.0, metrics: tuple[str, ...] = (REQUESTS,)
) -> PartTold:
    """One that has some half hours of requests, all alike."""
    told = Streamed(
        first=first,
        courses=(course(np.full((rows, 2), value)),),
        signals={"error_rate": 0},
        why={"latency": "no durations", "tail95": "no durations"},
    )
    return PartTold(metrics=frozenset(metrics), told=told)


def table(told: Streamed) -> list[list[float]]:
    """The half hours of the requests."""
    found = told.of("error_rate")
    assert found is not None
    rows: list[list[float]] = found.table.tolist()
    return rows


def test_what_two_parts_counted_is_added_up() -> None:
    """Half of a service in each: its requests are those of both."""
    told = merged(PLAN, [part(value=2.0), part(value=3.0)], missing="workers have")
    assert (told.first, table(told)) == (10, [[5.0, 5.0]] * 4)


def test_only_half_hours_that_all_have_are_told() -> None:
    """A part that is behind would seem to be a service that lost half of its users."""
    told = merged(PLAN, [part(10, 6), part(12, 3)], missing="workers have")
    assert (told.first, len(table(told))) == (12, 3)


def test_a_part_without_the_metric_is_not_asked_for_it() -> None:
    """Requests are in one topic and durations in another."""
    other = PartTold(metrics=frozenset({BUCKETS}), why="it is away")
    told = merged(PLAN, [part(), other], missing="workers have")
    assert table(told) == [[1.0, 1.0]] * 4
    assert told.why["latency"] == "it is away"


def test_one_part_that_cannot_tell_spoils_the_sum() -> None:
    """The rest of a service is no history of it."""
    other = PartTold(metrics=frozenset({REQUESTS}), why="what it kept is 40 minutes old")
    told = merged(PLAN, [part(), other], missing="workers have")
    assert told.of("error_rate") is None
    assert told.why["error_rate"] == "what it kept is 40 minutes old"


def test_nobody_that_has_it_is_said_with_the_metric() -> None:
    """Who reads the notes of a verdict knows what is to be pushed."""
    told = merged(PLAN, [], missing="workers have")
    assert told.signals == {}
    assert told.why["error_rate"] == f"workers have no {REQUESTS} of the service"
    assert told.why["tail95"] == f"workers have no {BUCKETS} of the service"
    assert "restarts" not in told.why


def test_durations_by_different_bounds_are_no_sum() -> None:
    """One pod was upgraded to other buckets."""
    parts = [
        PartTold(
            metrics=frozenset({BUCKETS}),
            told=Streamed(
                first=1, courses=(course(np.ones((2, 2)), edges),), signals={"latency": 0}
            ),
        )
        for edges in ((0.1, float("inf")), (0.2, float("inf")))
    ]
    assert "bounds" in merged(PLAN, parts, missing="workers have").why["latency"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(6, 9)), min_size=1, max_size=4))
def test_the_order_of_parts_does_not_matter(spans: list[tuple[int, int]]) -> None:
    """Partitions are read in any order."""
    parts = [part(first, end - first) for first, end in spans]
    one = merged(PLAN, parts, missing="workers have")
    assert one == merged(PLAN, parts[::-1], missing="workers have")
    assert table(one)[0][0] == pytest.approx(len(parts))
