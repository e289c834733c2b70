"""What services are to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.incidents.calls import CallMap, Relation, call_map
from tests.detector.incidents.making import CALLS

NAMES = st.sampled_from("abcdefg")
MAPS = st.lists(st.tuples(NAMES, NAMES), max_size=20).map(call_map)


@pytest.mark.parametrize(
    ("service", "to", "relation", "steps"),
    [
        ("cart", "cart", Relation.SAME, 0),
        ("cart", "web", Relation.CALLEE, 1),
        ("db", "web", Relation.CALLEE, 2),
        ("web", "db", Relation.CALLER, 2),
        ("cart", "search", Relation.SIBLING, 2),
        ("mail", "web", Relation.NONE, 4),
        ("unheard-of", "web", Relation.NONE, 4),
    ],
)
def test_a_relation_is_the_shortest_way(
    service: str, to: str, relation: Relation, steps: int
) -> None:
    """Harm travels along calls."""
    assert CALLS.relation(service, to) == (relation, steps)


@given(calls=MAPS, one=NAMES, other=NAMES)
def test_relations_are_those_of_a_mirror(calls: CallMap, one: str, other: str) -> None:
    """Whose callee I am, is my caller; also where calls go in circles."""
    mirror = {
        Relation.CALLEE: {Relation.CALLER, Relation.CALLEE},
        Relation.CALLER: {Relation.CALLEE},
    }
    relation, steps = calls.relation(one, other)
    back, back_steps = calls.relation(other, one)
    assert back in mirror.get(relation, {relation})
    assert steps == back_steps


@given(calls=MAPS, name=NAMES)
def test_who_is_round_a_service_is_within_two_calls(calls: CallMap, name: str) -> None:
    """Its neighbours are looked at for each symptom: they must be few."""
    near = calls.round(name)
    assert name in near
    assert calls.callees.get(name, frozenset()) <= near
    assert calls.callers.get(name, frozenset()) <= near


def test_a_service_that_calls_itself_is_no_neighbour_of_itself() -> None:
    """Retries within a service are not a graph."""
    assert not call_map([("a", "a")]).is_known
