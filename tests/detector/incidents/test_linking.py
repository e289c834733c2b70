"""Whether two symptoms have one cause."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.incidents.calls import CallMap
from detector.incidents.linking import Rates, link
from detector.stream.anomaly import Severity
from tests.detector.incidents.making import CALLS, MINUTE, T0, symptom

WEEK_MS = 7 * 24 * 60 * MINUTE
MINUTES = st.floats(0, 600, allow_nan=False)


def weekly(_: str) -> float:
    """A service that shows a symptom a week by itself."""
    return 1.0 / WEEK_MS


def odds(one: str, other: str, minutes: float, calls: CallMap = CALLS) -> float:
    """Of two symptoms so far apart."""
    return link(symptom(one), symptom(other, minutes), calls, weekly)


@pytest.mark.parametrize(
    ("one", "other", "minutes", "is_linked"),
    [
        ("cart", "cart", 1, True),
        ("cart", "cart", 30, True),
        ("cart", "web", 2, True),
        ("db", "web", 2, True),
        ("web", "db", 2, True),
        ("cart", "web", 300, False),
        ("cart", "search", 1, True),
        ("cart", "mail", 0, False),
    ],
)
def test_who_is_near_in_time_and_by_calls_is_of_one_cause(
    one: str, other: str, minutes: float, is_linked: bool
) -> None:
    """Twenty messages for one outage is what people leave alerting for."""
    assert (odds(one, other, minutes) > 0) is is_linked


def test_without_a_map_only_what_is_close_in_time_belongs_together() -> None:
    """Nobody sends traces: time is all that is known."""
    nothing = CallMap()
    assert odds("cart", "mail", 0.5, nothing) > 0
    assert odds("cart", "mail", 15, nothing) < 0


@given(near=MINUTES, far=MINUTES)
def test_the_longer_between_the_less_likely(near: float, far: float) -> None:
    """Or a week of noise would become one incident."""
    near, far = sorted((near, far))
    assert odds("cart", "web", near) >= odds("cart", "web", far)


def test_a_service_that_is_often_ill_is_joined_less_easily() -> None:
    """Its symptom at that minute may well be its own."""
    rates = Rates(since=T0 - WEEK_MS)
    quiet = rates.of("web", T0)
    rates.begun["web"] = 400
    assert rates.of("web", T0) > 100 * quiet
    noisy = link(symptom(), symptom("web", 8), CALLS, lambda service: rates.of(service, T0))
    assert noisy < odds("cart", "web", 8)


def graded(counts: dict[Severity, dict[str, int]], weeks: float = 1.0) -> Rates:
    """What was counted in some weeks."""
    rates = Rates(since=T0 - round(weeks * WEEK_MS))
    for severity, services in counts.items():
        for service, count in services.items():
            rates.grade(severity, service, count)
    return rates


def test_a_grave_incident_is_held_against_grave_ones() -> None:
    """A service that blinks each hour does not break each hour."""
    rates = graded({Severity.LOW: {"web": 100}, Severity.HIGH: {"web": 1}})
    slight, grave = (
        rates.besides(severity, "cart", 6, T0) for severity in (Severity.LOW, Severity.HIGH)
    )
    assert grave.rate("web") < slight.rate("web") / 10


def test_an_incident_is_no_precedent_for_itself() -> None:
    """The first of its kind would make itself likely."""
    once = graded({Severity.HIGH: {"web": 1}}).besides(Severity.HIGH, "web", 6, T0)
    never = graded({}).besides(Severity.HIGH, "web", 6, T0)
    assert once.rate("web") == never.rate("web")


def test_who_began_an_incident_once_is_watched() -> None:
    """Of others nobody knows whether their harm is seen."""
    rates = graded({})
    rates.begun["web"] = 1
    assert set(rates.besides(Severity.LOW, "cart", 6, T0).watched) == {"web"}


@given(weeks=st.floats(0.1, 50), services=st.integers(1, 500), count=st.integers(0, 200))
def test_what_is_expected_of_a_service_lies_between_it_and_the_others(
    weeks: float, services: int, count: int
) -> None:
    """However long was looked, and however many there are."""
    others = {f"s{n}": 2 for n in range(services)}
    alone = graded({Severity.HIGH: {**others, "web": count}}, weeks).besides(
        Severity.HIGH, "cart", services + 1, T0
    )
    assert alone.services >= services
    assert alone.rate("web") > 0.0
    assert (alone.rate("web") >= alone.rate("s0")) is (count >= 2)
    assert alone.rate("unseen") <= alone.rate("s0")


def test_the_more_the_others_are_ill_the_less_is_a_change_needed() -> None:
    """Of a fleet in which services break each day one more is no surprise."""
    calm, ill = (
        graded({Severity.HIGH: {f"s{n}": count for n in range(20)}}).besides(
            Severity.HIGH, "web", 21, T0
        )
        for count in (0, 7)
    )
    assert ill.rate("web") > 2 * calm.rate("web")


def test_what_is_taken_back_was_not_counted() -> None:
    """An incident that became worse is counted once, as what it is now."""
    rates = graded({Severity.LOW: {"web": 1}})
    rates.grade(Severity.LOW, "web", -1)
    rates.grade(Severity.LOW, "web", -1)
    assert rates.graded == {"low": {"web": 0}}


def test_services_of_a_name_in_two_namespaces_are_two() -> None:
    """Staging is not production."""
    staging = symptom(namespace="staging")
    shop = symptom(minute=1, namespace="shop")
    assert link(staging, shop, CALLS, weekly) < 0
    assert link(replace(staging, namespace=""), shop, CALLS, weekly) > 0


def test_odds_are_numbers_however_far_apart() -> None:
    """A clock that jumped by a year ends nothing."""
    assert odds("cart", "cart", 1e9) < 0
    assert not math.isnan(odds("cart", "cart", 1e9))
