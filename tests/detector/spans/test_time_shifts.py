"""Differences of time between two versions, worked out by hand from a few traces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.comparison import LEAST_TRACES, time_shifts
from detector.spans.operator import step
from detector.spans.settings import SpanSettings
from detector.spans.shift import Arms, Measure, TimeShift
from detector.spans.state import SpanState, opened
from detector.spans.words import shift_words, told
from tests.detector.spans.writing import NOW_MS, Written, call_of, columns
from tests.profiles import HEAVY

SETTINGS = SpanSettings(
    series=500, edges=200, seen=20_000, waiting=2_000, recent=20_000, groups=100, by_lot=100
)
ARMS = Arms(
    service="checkout", canary=frozenset({"v2"}), control=frozenset({"v1"}),
    since=0, until=NOW_MS + 10**9,
)  # fmt: skip
Request = Callable[[int, str], list[Written]]


def settled(*requests: list[Written]) -> SpanState:
    """The state once all of them are taken to be whole."""
    state = opened(SETTINGS, 5)
    state, _ = step(state, columns([one for request in requests for one in request]))
    state, _ = step(state, columns([Written(trace=10**9, service="clock")], taken=30_000))
    return state


def both(canary: Request, control: Request, *, count: int = 30) -> SpanState:
    """So many requests to either version."""
    requests = [canary(2 * n + 1, "v2") for n in range(count)]
    return settled(*requests, *(control(2 * n + 2, "v1") for n in range(count)))


def taking(query_ms: int, own_ms: int = 30, spread: int = 0) -> Request:
    """Requests that take so long; those of odd and even numbers differ by a spread."""
    return lambda trace, version: call_of(
        trace, version=version, own_ms=own_ms, query_ms=query_ms + spread * (trace // 2 % 2)
    )


def by_name(shifts: tuple[TimeShift, ...]) -> dict[str, float]:
    """Milliseconds by operation; the request as a whole is `all`."""
    return {
        "all" if one.is_total else one.operation.name: round(1e3 * one.value, 6) for one in shifts
    }


def test_two_that_take_the_same_differ_by_nothing() -> None:
    """Exactly nothing, and nothing is certain of it."""
    shifts = time_shifts(both(taking(20), taking(20)), ARMS)
    assert by_name(shifts) == {"all": 0, "POST /orders": 0, "SELECT orders": 0}
    assert not any(one.is_certain for one in shifts)
    assert max(one.high - one.low for one in shifts) == pytest.approx(0, abs=1e-12)
    assert told(shifts, "v2") == ()


def test_a_slower_query_is_the_whole_difference() -> None:
    """Twenty milliseconds and fifty: thirty more in the query, and so in the request."""
    shifts = time_shifts(both(taking(50), taking(20)), ARMS)
    assert by_name(shifts) == {"all": 30, "SELECT orders": 30, "POST /orders": 0}
    query = next(one for one in shifts if one.operation.name == "SELECT orders")
    assert [query.canary, query.control] == pytest.approx([0.05, 0.02])
    assert (query.canary_traces, query.control_traces) == (30, 30)
    assert (query.entry.service, query.entry.name) == ("checkout", "POST /orders")


def test_a_faster_one_is_told_as_less() -> None:
    """Good news is news."""
    shifts = time_shifts(both(taking(10, spread=4), taking(40, spread=4)), ARMS)
    assert by_name(shifts)["SELECT orders"] == -30
    assert told(shifts, "v2")[0].startswith("checkout v2 ")
    assert " 30 ms less " in told(shifts, "v2")[0]


def test_what_the_service_does_itself_is_told_apart_from_its_query() -> None:
    """A loop that became slower is in the code, not in the database."""
    shifts = time_shifts(both(taking(20, own_ms=70), taking(20, own_ms=30)), ARMS)
    assert by_name(shifts) == {"all": 40, "POST /orders": 40, "SELECT orders": 0}


def test_one_that_gained_and_one_that_lost_are_both_told() -> None:
    """A cache that helps the query and costs the service: the request as before."""
    shifts = time_shifts(both(taking(10, own_ms=60), taking(40, own_ms=30)), ARMS)
    assert by_name(shifts) == {"all": 0, "POST /orders": 30, "SELECT orders": -30}


@pytest.mark.parametrize(
    ("canary", "control"), [(20, 20), (19, 40), (40, 19), (0, 40), (40, 0), (1, 1)]
)
def test_a_comparison_needs_enough_on_both_sides(canary: int, control: int) -> None:
    """Nineteen are not twenty."""
    state = settled(
        *(taking(50)(2 * n + 1, "v2") for n in range(canary)),
        *(taking(20)(2 * n + 2, "v1") for n in range(control)),
    )
    assert LEAST_TRACES == 20
    assert bool(time_shifts(state, ARMS)) is (min(canary, control) >= 20)


OTHERS = {
    "another service": replace(ARMS, service="web"),
    "another version": replace(ARMS, canary=frozenset({"v3"})),
    "the same side twice": replace(ARMS, canary=frozenset({"v3"}), control=frozenset({"v2"})),
    "before": replace(ARMS, until=NOW_MS - 1),
    "after": replace(ARMS, since=NOW_MS + 11),
}


@pytest.mark.parametrize("arms", OTHERS.values(), ids=OTHERS)
def test_only_what_was_asked_for_is_compared(arms: Arms) -> None:
    """Requests of another rollout say nothing of this one."""
    assert time_shifts(both(taking(50), taking(20)), arms) == ()


def test_times_are_asked_for_to_the_millisecond() -> None:
    """Both ends belong to it: requests begin ten milliseconds after those of their callers."""
    state = both(taking(50), taking(20))
    assert time_shifts(state, replace(ARMS, since=NOW_MS + 10, until=NOW_MS + 10))


def test_another_mix_of_requests_is_no_difference() -> None:
    """A canary that gets the heavy ones is compared with the control's heavy ones."""

    def heavy(trace: int, version: str) -> list[Written]:
        spans = call_of(trace, version=version, query_ms=400)
        return [*spans[:2], replace(spans[2], operation="GET /report"), spans[3]]

    canary = [(heavy if n % 3 else taking(20))(2 * n + 1, "v2") for n in range(90)]
    control = [(taking(20) if n % 3 else heavy)(2 * n + 2, "v1") for n in range(90)]
    shifts = time_shifts(settled(*canary, *control), ARMS)
    assert {one.entry.name for one in shifts} == {"POST /orders", "GET /report"}
    assert {round(one.value, 9) for one in shifts} == {0}


def test_several_versions_may_be_one_side() -> None:
    """Two old versions beside a new one."""
    state = settled(
        *(taking(50)(3 * n + 1, "v2") for n in range(25)),
        *(taking(20)(3 * n + 2, "v1") for n in range(15)),
        *(taking(20)(3 * n + 3, "v0") for n in range(15)),
    )
    shifts = time_shifts(state, replace(ARMS, control=frozenset({"v1", "v0"})))
    assert by_name(shifts)["SELECT orders"] == 30
    assert {one.control_traces for one in shifts} == {30}


def test_calls_side_by_side_count_once_on_the_path_and_each_by_itself() -> None:
    """A second query of 30 ms beside one of 50 ms costs the request nothing."""

    def twice(trace: int, version: str) -> list[Written]:
        spans = call_of(trace, version=version, query_ms=50)
        return [*spans, replace(spans[3], span=9, ms=30, operation="SELECT more")]

    state = both(twice, taking(50))
    assert by_name(time_shifts(state, ARMS))["SELECT more"] == 0
    own = by_name(time_shifts(state, ARMS, measure=Measure.OWN))
    assert (own["SELECT more"], own["SELECT orders"], own["POST /orders"]) == (30, 0, 0)


@HEAVY
@given(
    st.lists(st.integers(1, 400), min_size=20, max_size=30),
    st.lists(st.integers(1, 400), min_size=20, max_size=30),
)
def test_differences_are_those_of_means_and_change_their_sign_with_the_sides(
    canary: list[int], control: list[int]
) -> None:
    """Who is called the canary makes no difference but this."""
    state = settled(
        *(taking(ms)(2 * n + 1, "v2") for n, ms in enumerate(canary)),
        *(taking(ms)(2 * n + 2, "v1") for n, ms in enumerate(control)),
    )
    there = {one.operation: one for one in time_shifts(state, ARMS) if not one.is_total}
    arms = replace(ARMS, canary=ARMS.control, control=ARMS.canary)
    back = {one.operation: one for one in time_shifts(state, arms) if not one.is_total}
    query = next(one for one in there if one.name == "SELECT orders")
    mean = sum(canary) / len(canary) - sum(control) / len(control)
    assert there[query].value == pytest.approx(mean / 1e3)
    for operation, shift in there.items():
        assert back[operation].value == pytest.approx(-shift.value)
        assert (back[operation].low, back[operation].high) == pytest.approx(
            (-shift.high, -shift.low)
        )
        assert back[operation].is_certain == shift.is_certain
        assert shift.low <= shift.value <= shift.high


def test_the_sentence_of_a_slower_query_is_whole() -> None:
    """What stands in the verdict, letter by letter: from spans to words."""
    found = told(time_shifts(both(taking(200, spread=20), taking(20, spread=10)), ARMS), "v2")
    bounds = "(95 % between 181 and 189 ms; 30 traces against 30)"
    assert set(found) == {
        f"checkout v2 spends 185 ms more in `SELECT orders` per `POST /orders` {bounds}",
        f"checkout v2 takes 185 ms more for `POST /orders` {bounds}",
    }


def test_at_most_five_are_told_and_the_largest_first() -> None:
    """A chat message, no table; what is below a millisecond is not worth a line."""
    one = time_shifts(both(taking(200, spread=20), taking(20, spread=10)), ARMS)[0]
    many = [replace(one, value=value) for value in (9.0, 5.0, 3.0, 2.0, 1.5, 1.2, 0.0005)]
    assert told(many, "v2") == tuple(shift_words(shift, "v2") for shift in many[:5])
    assert told(many[-1:], "v2") == ()
    assert told(many[-1:], "v2", least_s=0.0001) == (shift_words(many[-1], "v2"),)
