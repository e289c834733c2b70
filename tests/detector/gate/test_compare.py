"""What differs between two answers."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.compare import ABSENT, Moved, moved
from detector.gate.render import Json

ANSWER: dict[str, Json] = {
    "outcome": "fail",
    "needs": {"requests": 0},
    "notes": ["one"],
    "signals": [
        {"name": "latency", "evidence": 4.0},
        {"name": "error_rate", "evidence": 2.0, "details": {"bound": None}},
    ],
}


def changed(path: str, value: Json) -> dict[str, Json]:
    """The answer with another value somewhere."""
    answer = deepcopy(ANSWER)
    place: Json = answer
    *parts, last = path.split(".")
    for part in parts:
        place = place[int(part)] if isinstance(place, list) else _member(place, part)
    assert isinstance(place, dict)
    place[last] = value
    return answer


def _member(place: Json, name: str) -> Json:
    assert isinstance(place, dict)
    return place[name]


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("outcome", "pass", Moved(field="outcome", before='"fail"', after='"pass"')),
        ("needs.requests", 7, Moved(field="needs.requests", before="0", after="7")),
        ("notes", [], Moved(field="notes", before='["one"]', after="[]")),
        (
            "signals.1.details.bound",
            1.5,
            Moved(field="signals.error_rate.details.bound", before="null", after="1.5"),
        ),
        ("new", None, Moved(field="new", before=ABSENT, after="null")),
    ],
)
def test_each_field_that_moved_is_named(path: str, value: Json, found: Moved) -> None:
    """And no other: signals are told by their names, not by their place."""
    assert moved(ANSWER, changed(path, value)) == (found,)


def test_a_signal_that_is_not_judged_any_more_is_seen() -> None:
    """Each of its fields is gone."""
    fewer = changed("signals", [{"name": "latency", "evidence": 4.0}])
    assert [m.field for m in moved(ANSWER, fewer) if m.after == ABSENT] == [
        "signals.error_rate.name",
        "signals.error_rate.evidence",
        "signals.error_rate.details.bound",
    ]


def test_the_order_of_signals_is_no_difference() -> None:
    """They are a set with names."""
    signals = ANSWER["signals"]
    assert isinstance(signals, list)
    turned = changed("signals", signals[::-1])
    assert moved(ANSWER, turned) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_an_answer_does_not_differ_from_itself(value: Json) -> None:
    """Whatever it holds."""
    assert moved(value, deepcopy(value)) == ()


@given(
    st.dictionaries(st.sampled_from("abcd"), JSON), st.dictionaries(st.sampled_from("abcd"), JSON)
)
def test_turned_round_it_is_turned_round(one: dict[str, Json], other: dict[str, Json]) -> None:
    """The same fields, given and now exchanged; and none only where both are the same."""
    there = {(m.field, m.before, m.after) for m in moved(one, other)}
    back = {(m.field, m.after, m.before) for m in moved(other, one)}
    assert there == back
    if not there:
        assert one == other
