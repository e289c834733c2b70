"""How resources stand, by what is known of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.assessed import Assessment, Exhaustion
from detector.reports.state import State, state_of
from tests.api.reports.examples import NOW, cores, day, disk, memory, new, partitions, pool


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (pool(), State.OUT),
        (disk(), State.LIKELY),
        (memory(), State.POSSIBLE),
        (cores(), State.LASTS),
        (partitions(), State.LASTS),
        (new(), State.UNKNOWN),
        (replace(disk(), exhaustion=None), State.UNKNOWN),
        (replace(disk(), problem="units are mixed"), State.UNKNOWN),
    ],
    ids=lambda one: one.identity.title if isinstance(one, Assessment) else one,
)
def test_states_are_by_what_is_known(told: Assessment, state: State) -> None:
    """What has a problem is never said to last."""
    assert state_of(told) is state


@given(st.floats(0, 1), st.booleans())
def test_more_chance_is_never_less_urgent(chance: float, is_far: bool) -> None:
    """However dates are rounded to the horizon."""
    out = Exhaustion(chance=chance, p10=None, p50=None if is_far else day(80), p90=None)
    order = list(State)
    told = state_of(replace(disk(), exhaustion=out))
    more = replace(out, chance=min(1.0, chance + 0.2))
    assert order.index(state_of(replace(disk(), exhaustion=more))) <= order.index(told)


@given(st.sampled_from([pool, disk, memory, cores]), st.text(min_size=1))
def test_a_problem_is_stronger_than_numbers(made: object, problem: str) -> None:
    """No confident date where there is a reason against it."""
    told = replace(made(), problem=problem)  # type: ignore[operator]
    assert state_of(told) is State.UNKNOWN


def test_what_ran_out_stays_so() -> None:
    """Whatever the chance says."""
    out = Exhaustion(chance=0.0, p10=None, p50=None, p90=None, since=NOW)
    assert state_of(replace(disk(), exhaustion=out)) is State.OUT
