"""Services come and go: each is learned, those of long ago make room, and no two are mixed up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.feedback import told
from detector.logs.lines import Level
from detector.logs.operator import step
from detector.logs.settings import LogSettings
from detector.logs.snapshot import taken
from detector.logs.state import LogState
from detector.logs.story import named
from detector.stream.anomaly import AnomalyKind, Happened, Judged
from detector.stream.feedback import Feedback
from tests.detector.logs.worlds import (
    DAY,
    HOUR,
    MINUTE,
    T0,
    Line,
    again,
    counts_of,
    learned,
    run,
    usual,
)
from tests.profiles import HEAVY

NOW = DAY + HOUR
# Two services, and what was silent for two days is forgotten.
FULL = LogSettings(services=2, known_s=2 * 86_400, learn_s=3600)
ERROR = Line(NOW, "no db", 5, Level.ERROR)


def hourly(start: int, stop: int, *services: str) -> list[Line]:
    """A line of each service in every ten minutes."""
    return [Line(at, service=name) for at in range(start, stop, 10 * MINUTE) for name in services]


def full() -> LogState:
    """`checkout` and `cart` write for an hour; then `checkout` alone, for three days."""
    state = LogState(tenant="t", settings=FULL)
    run(state, hourly(0, HOUR, "checkout", "cart"))
    run(state, hourly(HOUR, 3 * DAY, "checkout"))
    return state


def test_a_service_that_is_silent_for_long_makes_room_for_a_new_one() -> None:
    """After five thousand names of jobs no new service would ever be watched."""
    state = full()
    run(state, hourly(3 * DAY, 3 * DAY + 3 * HOUR, "checkout", "search"))
    assert {place[0] for place in state.services.places} == {"checkout", "search"}
    assert state.unwatched == 0
    late = 3 * DAY + 3 * HOUR
    happened = run(state, [replace(ERROR, at=late, service="search")])
    assert [one.anomaly.subject.service for one in happened] == ["search"]


def test_a_new_service_in_the_place_of_another_is_learned() -> None:
    """It would begin with the age of the one before, and with an alarm for every line."""
    state = full()
    new = [replace(ERROR, at=3 * DAY + n * MINUTE, service="search") for n in range(5)]
    assert run(state, new) == []
    assert state.services["first"][state.services.numbers["search", "shop", ""]] == T0 + 3 * DAY
    assert state.services.versions == [["v1"], ["v1"]]


def test_a_new_service_in_the_place_of_another_has_nothing_of_its_history() -> None:
    """What the old one often told would keep the new one's errors from being told."""
    state, other = full(), LogState(tenant="t", settings=FULL)
    number = state.services.numbers["cart", "shop", ""]
    for _ in range(9):
        state.services.told(number, False, [50] * len(Level))
    for one in (state, other):
        run(one, hourly(3 * DAY, 3 * DAY + 2 * HOUR, "search"))
    fresh = other.services.numbers["search", "shop", ""]
    for name, array in state.services.arrays.items():
        assert array[number].tolist() == other.services[name][fresh].tolist(), name


def test_where_all_are_heard_of_nobody_is_put_out() -> None:
    """A flood of names would make serinus forget the services that matter."""
    state = LogState(tenant="t", settings=FULL)
    run(state, hourly(0, 3 * DAY, "checkout", "cart"))
    run(state, [Line(3 * DAY, service=f"job-{n}", count=2) for n in range(50)])
    assert [place[0] for place in state.services.places] == ["cart", "checkout"]
    assert state.unwatched == 100


def test_one_that_is_back_in_the_same_batch_is_not_put_out() -> None:
    """Its lines would be counted for the service that took its place."""
    state = full()
    run(state, [Line(3 * DAY, service="cart", count=3), Line(3 * DAY, service="search", count=9)])
    assert [place[0] for place in state.services.places] == ["cart", "checkout"]
    row = state.rows.numbers[state.services.numbers["cart", "shop", ""], "lt_order placed"]
    assert (int(state.rows["count"][row]), state.unwatched) == (3, 9)


def said(state: LogState, happened: list[Happened]) -> None:
    """Somebody says that the first of these is normal."""
    anomaly = happened[0].anomaly
    rows = tuple(one.series for one in anomaly.contributions)
    told(
        state,
        Feedback(
            anomaly=anomaly.id,
            judged=Judged.NORMAL,
            at=happened[0].at,
            series=rows,
            surprise=tuple(one.surprise for one in anomaly.contributions),
            named=tuple(named(anomaly)[row] for row in rows),
        ),
    )


def test_what_a_person_said_keeps_a_service_from_being_forgotten() -> None:
    """The report that fails once a quarter would be told again, though people answered."""
    state = LogState(tenant="t", settings=FULL)
    run(state, hourly(0, 2 * HOUR, "checkout", "cart"))
    said(state, run(state, [replace(ERROR, at=2 * HOUR, service="cart")]))
    run(state, hourly(2 * HOUR, 4 * DAY, "checkout"))
    run(state, [Line(4 * DAY, service="search")])
    assert ("cart", "shop", "") in state.services.numbers
    assert run(state, [replace(ERROR, at=4 * DAY, service="cart")]) == []


def test_an_anomaly_that_is_over_is_not_opened_again_by_who_has_its_number_now() -> None:
    """A page would say that the old service has the new one's error."""
    state = LogState(tenant="t", settings=replace(FULL, quiet_s=30 * 86_400))
    run(state, hourly(0, 2 * HOUR, "checkout", "cart"))
    old = run(state, [replace(ERROR, at=2 * HOUR, service="cart")])
    run(state, hourly(2 * HOUR, 3 * DAY, "checkout"))
    begin = 3 * DAY
    run(state, hourly(begin, begin + 2 * HOUR, "checkout", "search"))
    new = run(state, [replace(ERROR, at=begin + 2 * HOUR, service="search")])
    assert new[0].anomaly.id != old[0].anomaly.id
    assert new[0].anomaly.subject.service == "search"


def test_who_took_a_place_keeps_it_after_a_restart() -> None:
    """Lines would be counted for another service than before the restart."""
    state = full()
    run(state, hourly(3 * DAY, 3 * DAY + HOUR, "checkout", "search"))
    other = again(state, taken(state))
    after = hourly(3 * DAY + HOUR, 3 * DAY + 2 * HOUR, "checkout", "search", "third")
    assert run(other, after) == run(state, after)
    assert other.services.numbers == state.services.numbers
    assert other.unwatched == state.unwatched == 6


@HEAVY
@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 6)), min_size=1, max_size=60),
    st.integers(1, 4),
)
def test_services_never_have_more_room_than_there_is_and_never_share_a_number(
    visits: list[tuple[int, int]], most: int
) -> None:
    """Memory would grow with what senders make up, or two services be one."""
    settings = replace(FULL, services=most, known_s=6 * 3600)
    state = LogState(tenant="t", settings=settings)
    run(state, [Line(hour * HOUR, service=f"s{name}") for hour, name in visits])
    services = state.services
    assert len(services) <= most
    assert sorted(services.numbers.values()) == list(range(len(services)))
    assert all(services.places[number] == place for place, number in services.numbers.items())
    own = state.rows["service"][: state.rows.size]
    assert set(own[own >= 0].tolist()) <= set(range(len(services)))
    assert all(len(array) == len(services) for array in services.arrays.values())


@pytest.mark.parametrize("gone", [30 * MINUTE, 6 * HOUR, DAY])
def test_a_service_that_was_away_is_known_when_it_is_back(gone: int) -> None:
    """A job that runs on Mondays would be new on each of them."""
    state = learned(services=("checkout", "cart"))
    run(state, usual(NOW, NOW + gone, services=("cart",)))
    back = NOW + gone
    assert run(state, usual(back, back + 3 * HOUR, services=("checkout", "cart"))) == []
    happened = run(state, [replace(ERROR, at=back + 3 * HOUR)])
    assert [one.anomaly.kind for one in happened] == [AnomalyKind.LOG_NOVELTY]


def test_one_name_in_two_namespaces_is_two_services() -> None:
    """The staging system's errors would be known, and so be hidden, in production."""
    state = learned()
    counts = counts_of([ERROR])
    staging = replace(counts, origins=(replace(counts.origins[0], namespace="staging"),))
    assert step(state, staging)[1] == ()
    happened = step(state, counts)[1]
    assert [one.anomaly.subject.namespace for one in happened] == ["shop"]


def test_tenants_have_nothing_in_common() -> None:
    """One customer's error would be known in the logs of another."""
    state, other = learned(), learned()
    other.tenant = "other"
    first, second = run(state, [ERROR]), run(other, [ERROR])
    assert [one.anomaly.tenant for one in (*first, *second)] == ["t", "other"]
    assert first[0].anomaly.id != second[0].anomaly.id
    assert first[0].anomaly.lines == second[0].anomaly.lines
