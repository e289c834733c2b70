"""Where it may have begun."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.incidents.calls import CallMap, Relation, call_map
from detector.incidents.origin import Origins, Shown, SpreadSettings, log_sum
from tests.detector.incidents.making import CALLS, MINUTE

NAMES = ("web", "cart", "search", "db", "mail", "cron", "unheard")
SHOWN = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 90)),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one[0],
)
# A deep callee, all of whose callers show its harm, and what they call besides.
DEEP = call_map(
    [
        *((f"web{n}", f"cart{n}") for n in range(4)),
        *((f"cart{n}", "db") for n in range(4)),
        *((f"web{n}", f"ads{n}") for n in range(4)),
    ]
)


def origins(
    *shown: tuple[str, float], calls: CallMap = CALLS, settings: SpreadSettings | None = None
) -> Origins:
    """Of services and the minutes at which they began to show it."""
    ordered = sorted(shown, key=lambda one: one[1])
    starts = [Shown(service=name, start=round(minute * MINUTE)) for name, minute in ordered]
    return Origins(starts, calls, settings or SpreadSettings())


def shown(service: str, minute: float = 0, *, is_load: bool = False) -> Shown:
    """One service, and what it shows."""
    return Shown(service=service, start=round(minute * MINUTE), is_load=is_load)


def first(found: Origins) -> str:
    """The likeliest origin."""
    return max(found.likely, key=found.likely.__getitem__)


def test_a_service_that_shows_it_alone_is_where_it_began() -> None:
    """Or one that it calls, and that shows nothing."""
    found = origins(("cart", 0))
    assert first(found) == "cart"
    assert set(found.likely) == {"cart", "db"}


def test_whom_all_the_others_call_is_where_it_began_whoever_was_heard_first() -> None:
    """Callers are often seen a minute before, as they have more traffic."""
    shown = [*((f"web{n}", 0) for n in range(4)), *((f"cart{n}", 1) for n in range(4)), ("db", 1)]
    assert first(origins(*shown, calls=DEEP)) == "db"


def test_one_that_all_the_others_call_is_suspected_where_it_shows_nothing() -> None:
    """A database without metrics of its own."""
    shown = [*((f"cart{n}", 0) for n in range(4)), *((f"web{n}", 0) for n in range(4))]
    assert first(origins(*shown, calls=DEEP)) == "db"


def test_who_gets_less_load_from_failing_callers_does_not_speak_against_the_origin() -> None:
    """What they call besides is idle, and shows it."""
    ill = [("db", 0), *((f"cart{n}", 0) for n in range(4)), *((f"web{n}", 0) for n in range(4))]
    idle = [(f"ads{n}", 2) for n in range(4)]
    assert first(origins(*ill, *idle, calls=DEEP)) == "db"


def test_a_caller_explains_less_than_whom_it_calls() -> None:
    """Harm travels to callers."""
    found = origins(("web", 0), ("cart", 0), ("search", 0), ("db", 0))
    assert found.place("db").weight > found.place("cart").weight > found.place("mail").weight


def test_who_is_asked_for_more_has_it_from_a_caller() -> None:
    """And not from whom it calls: those are asked by it."""
    load = Origins((shown("cart", is_load=True),), CALLS, SpreadSettings())
    errors = Origins((shown("cart"),), CALLS, SpreadSettings())
    assert load.place("web").weight == errors.place("db").weight
    assert load.place("db").weight == errors.place("web").weight
    assert load.place("web").weight > load.place("db").weight
    assert load.place("cart").weight == errors.place("cart").weight == 0.0


def test_an_origin_explains_errors_above_it_and_load_below() -> None:
    """A slow cart: web waits for it, and db is asked for less."""
    found = Origins(
        (shown("cart"), shown("web", 1), shown("db", 1, is_load=True)), CALLS, SpreadSettings()
    )
    other = Origins(
        (shown("cart"), shown("web", 1), shown("db", 1)), CALLS, SpreadSettings()
    )  # fmt: skip
    assert first(found) == "cart"
    assert found.place("cart").weight > other.place("cart").weight


def test_one_that_would_have_shown_it_is_no_likely_origin_where_it_is_calm() -> None:
    """It did so before: somebody measures it."""
    blind = Origins((shown("cart"),), CALLS, SpreadSettings())
    watched = Origins((shown("cart"),), CALLS, SpreadSettings(), {"db", "cart"})
    assert watched.place("db").weight < blind.place("db").weight
    assert watched.place("cart").weight == blind.place("cart").weight
    assert watched.place("web").weight == blind.place("web").weight


@given(
    ill=st.lists(
        st.builds(shown, st.sampled_from(NAMES), st.integers(0, 90), is_load=st.booleans()),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one.service,
    ),
    watched=st.frozensets(st.sampled_from(NAMES)),
)
def test_being_watched_speaks_against_the_calm_alone(
    ill: list[Shown], watched: frozenset[str]
) -> None:
    """Of those that show harm it says nothing, whatever they show."""
    ill.sort(key=lambda one: one.start)
    plain = Origins(ill, CALLS, SpreadSettings())
    known = Origins(ill, CALLS, SpreadSettings(), watched)
    there = {one.service for one in ill}
    for name, weight in known.likely.items():
        assert weight <= 0.0
        assert weight <= plain.likely[name] + 1e-9
        if name in there or name not in watched:
            assert weight == pytest.approx(plain.likely[name])


def test_what_joins_an_hour_later_says_little_of_where_it_began() -> None:
    """It may have another cause."""
    soon, late = (
        origins(("db", 0), *((f"ads{n}", minute) for n in range(4)), calls=DEEP)
        for minute in (1, 60)
    )
    alone = origins(("db", 0), calls=DEEP)

    def gap(found: Origins) -> float:
        return found.place("ads0").weight - found.place("db").weight

    assert gap(soon) > gap(late)
    assert gap(late) < gap(alone) + 7.5


def test_however_many_another_cause_has_joined_an_origin_is_not_ruled_out() -> None:
    """Two faults at one minute are one incident, where their callers are the same."""
    settings = SpreadSettings()
    ads = [(f"ads{n}", 0.5) for n in range(4)]
    carts = [(f"cart{n}", 0.6) for n in range(4)]
    found = origins(("mail", 0), *carts, *ads, calls=DEEP, settings=settings)
    best = max(found.likely.values())
    assert found.place("mail").weight >= best + math.log(settings.joined) - 0.5


def test_the_place_names_the_service_by_which_it_is_near() -> None:
    """What people read as the reason."""
    here, above = origins(("cart", 0)).place("cart"), origins(("web", 0), ("cart", 1)).place("db")
    assert (here.near, here.relation, here.steps) == ("cart", Relation.SAME, 0)
    assert (above.relation, above.near) == (Relation.CALLEE, "cart")


@pytest.mark.parametrize("services", [0, 1, 6, 500])
def test_what_may_be_anywhere_is_the_less_likely_here_the_more_services_there_are(
    services: int,
) -> None:
    """And never likelier than the best of places."""
    found = origins(("cart", 0))
    assert found.anywhere(services) <= log_sum(list(found.likely.values()))
    assert found.anywhere(services) >= found.anywhere(services + 1)


def test_without_a_call_graph_who_shows_it_first_is_first() -> None:
    """And nobody else is told apart."""
    found = origins(("a", 0), ("b", 5), ("c", 9), calls=CallMap())
    assert sorted(found.likely, key=found.likely.__getitem__, reverse=True) == ["a", "b", "c"]
    assert found.place("d").weight == found.place("e").weight < found.place("c").weight


@given(shown=SHOWN, service=st.sampled_from(NAMES))
def test_weights_are_log_chances(shown: list[tuple[str, int]], service: str) -> None:
    """Finite and never above none, whoever shows what when."""
    found = origins(*shown)
    for weight in [*found.likely.values(), found.place(service).weight, found.anywhere(7)]:
        assert math.isfinite(weight)
        assert weight <= 0.0


@given(shown=SHOWN, later=st.integers(0, 10_000))
def test_only_the_times_between_matter(shown: list[tuple[str, int]], later: int) -> None:
    """Not which day it is."""
    moved = [(name, minute + later) for name, minute in shown]
    assert origins(*moved).likely == pytest.approx(origins(*shown).likely)


@given(shown=SHOWN)
def test_who_shows_it_is_among_the_likely(shown: list[tuple[str, int]]) -> None:
    """With the weight that it has as the place of a change."""
    found = origins(*shown)
    for name, _ in shown:
        assert found.likely[name] == found.place(name).weight


@given(weights=st.lists(st.floats(-500, 500), min_size=1, max_size=9))
def test_the_sum_of_logarithms_is_that_of_the_numbers(weights: list[float]) -> None:
    """Also of those that no float holds."""
    most = max(weights)
    told = log_sum([weight - most for weight in weights]) + most
    assert log_sum(weights) == pytest.approx(told)
    assert most <= log_sum(weights) <= most + math.log(len(weights)) + 1e-9
