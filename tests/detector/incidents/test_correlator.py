"""Symptoms become incidents: joined, merged, split, resolved, opened again, each told once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detector.incidents.correlator import Correlator
from detector.incidents.incident import EntryKind, IncidentEvent, IncidentState
from detector.incidents.symptom import Symptom
from detector.stream.anomaly import Severity
from tests.detector.incidents.making import CALLS, MINUTE, T0, change, symptom

SERVICES = st.sampled_from(["web", "cart", "search", "db", "mail", "cron"])
SYMPTOMS = st.lists(
    st.builds(symptom, service=SERVICES, minute=st.integers(0, 240)),
    max_size=25,
    unique_by=lambda one: one.id,
).map(lambda every: sorted(every, key=lambda one: one.start))


def correlator() -> Correlator:
    """Of a tenant whose calls are known."""
    made = Correlator.fresh("default", T0 - 7 * 24 * 60 * MINUTE)
    made.calls = CALLS
    return made


def fed(made: Correlator, *symptoms: Symptom) -> list[EntryKind]:
    """What is told when symptoms come, each at its time."""
    return [
        event.kind
        for one in symptoms
        for event in made.feed([one], (one.start if one.end is None else one.end) + MINUTE)
    ]


def at(minute: float) -> int:
    """A moment."""
    return T0 + round(minute * MINUTE)


def test_an_outage_that_five_services_feel_is_one_incident() -> None:
    """Told once as new, and once for each further service."""
    made = correlator()
    told = fed(made, symptom("db"), symptom("cart", 1), symptom("search", 1.5), symptom("web", 2))
    assert told == [EntryKind.OPENED, EntryKind.GREW, EntryKind.GREW, EntryKind.GREW]
    (incident,) = made.incidents
    assert incident.services == ("db", "cart", "search", "web")


def test_two_troubles_of_one_hour_are_two_incidents() -> None:
    """Two teams, two causes."""
    made = correlator()
    assert fed(made, symptom("cart"), symptom("mail", 1)) == [EntryKind.OPENED, EntryKind.OPENED]


def test_more_of_the_same_is_not_told_again() -> None:
    """A second metric of the same service, no worse than the first, is no news."""
    made = correlator()
    assert fed(made, symptom("cart"), symptom("cart", 1)) == [EntryKind.OPENED]
    worse = symptom("cart", 2, severity=Severity.HIGH)
    assert fed(made, worse) == [EntryKind.GREW]


def test_an_incident_ends_when_all_has_been_quiet_for_a_while() -> None:
    """Not with the first symptom that ends, nor at once."""
    made = correlator()
    one, other = symptom("cart"), symptom("web", 1)
    fed(made, one, other, replace(one, end=at(10)))
    assert made.tick(at(30)) == []
    fed(made, replace(other, end=at(31)))
    assert made.tick(at(35)) == []
    (over,) = made.tick(at(36))
    assert (over.kind, over.incident.resolved_at) == (EntryKind.RESOLVED, at(31))


def test_what_comes_back_soon_is_the_same_incident() -> None:
    """A new one would begin a new thread, and lose what was found."""
    made = correlator()
    one = symptom("cart", end=at(5))
    fed(made, one)
    made.tick(at(11))
    assert fed(made, symptom("cart", 14)) == [EntryKind.REOPENED]
    (incident,) = made.incidents
    assert (incident.state, incident.resolved_at) == (IncidentState.OPEN, None)


def test_what_ended_long_ago_is_forgotten() -> None:
    """Memory is bounded, and next week's trouble is another."""
    made = correlator()
    fed(made, symptom("cart", end=at(5)))
    made.tick(at(11))
    made.tick(at(60))
    assert made.incidents == ()
    assert fed(made, symptom("cart", 600)) == [EntryKind.OPENED]


def over(made: Correlator, until: float) -> None:
    """All is quiet for long enough to be forgotten."""
    made.tick(at(11))
    made.tick(at(until))
    assert made.incidents == ()


def test_what_comes_again_later_is_an_incident_of_its_own_since_then() -> None:
    """Else a change in between is no suspect, and nobody hears of it anew."""
    made = correlator()
    one = symptom("cart")
    first = made.feed([one], at(1))[0].incident
    made.feed([replace(one, end=at(5))], at(5))
    over(made, 60)
    made.changed([change("cart", 178)], at(179))

    told = made.feed([replace(one, again=at(180))], at(181))

    assert [event.kind for event in told] == [EntryKind.OPENED]
    second = told[0].incident
    assert second.id != first.id
    assert second.began == at(180)
    assert (first.is_back, second.is_back) == (False, True)
    assert second.suspects.suspects[0].probability > second.suspects.none
    made.feed([replace(one, again=at(180), end=at(190))], at(190))
    (ended,) = made.tick(at(196))
    assert (ended.incident.id, ended.incident.resolved_at) == (second.id, at(190))
    made.tick(at(300))
    assert (made.state.back, made.state.of) == ({}, {})


def test_what_comes_again_later_is_so_also_where_nobody_looked_in_between() -> None:
    """A process was away for hours, and hears of the end and of the return at once."""
    made = correlator()
    one = symptom("cart")
    fed(made, one)
    ended, back = replace(one, end=at(5)), replace(one, again=at(180))
    told = made.feed([ended, back], at(181))
    assert [event.kind for event in told] == [EntryKind.RESOLVED, EntryKind.OPENED]
    assert (told[0].incident.resolved_at, told[1].incident.began) == (at(5), at(180))
    soon = replace(one, again=at(200))
    told = made.feed([replace(back, end=at(190)), soon], at(201))
    assert [event.kind for event in told] == [EntryKind.RESOLVED, EntryKind.REOPENED]


def test_what_comes_again_is_not_counted_once_more() -> None:
    """A service that flickers for a night would seem to fall ill by itself all the time."""
    made = correlator()
    one = symptom("cart")
    fed(made, one, replace(one, end=at(5)))
    counted = {"medium": {"cart": 1}}
    assert made.state.rates.graded == counted
    for hour in (3, 6, 9):
        back = replace(one, again=at(60 * hour))
        made.feed([back], at(60 * hour))
        made.feed([replace(back, severity=Severity.HIGH)], at(60 * hour + 1))
        made.feed([replace(back, end=at(60 * hour + 5))], at(60 * hour + 5))
        made.tick(at(60 * hour + 60))
    assert made.state.rates.graded == counted
    assert fed(made, symptom("cart", 900)) == [EntryKind.OPENED]
    assert made.state.rates.graded == {"medium": {"cart": 2}}


def test_what_comes_again_soon_goes_on_as_it_was() -> None:
    """Its incident is remembered."""
    made = correlator()
    one = symptom("cart")
    fed(made, one, replace(one, end=at(5)))
    made.tick(at(11))
    told = made.feed([replace(one, again=at(20))], at(21))
    assert [event.kind for event in told] == [EntryKind.REOPENED]
    assert made.incidents[0].began == one.start


def test_what_came_again_as_its_own_goes_on_when_it_does_so_once_more() -> None:
    """It is that one that opens again, with the start that it had."""
    made = correlator()
    one = symptom("cart")
    fed(made, one, replace(one, end=at(5)))
    over(made, 60)
    made.feed([replace(one, again=at(180))], at(181))
    made.feed([replace(one, again=at(180), end=at(185))], at(185))
    made.tick(at(190))
    told = made.feed([replace(one, again=at(200))], at(201))
    assert [event.kind for event in told] == [EntryKind.REOPENED]
    assert told[0].incident.began == at(180)


def test_what_comes_again_while_its_incident_lasts_is_a_part_of_it() -> None:
    """Another symptom holds it open, however long."""
    made = correlator()
    one = symptom("cart")
    fed(made, one, symptom("web", 1), replace(one, end=at(5)))
    made.tick(at(300))
    assert made.feed([replace(one, again=at(301))], at(302)) == []
    assert made.incidents[0].count == 2


def test_what_comes_again_joins_what_is_there_by_then() -> None:
    """It is the same outage of the database that others feel."""
    made = correlator()
    one = symptom("web")
    fed(made, one, replace(one, end=at(5)))
    over(made, 60)
    fed(made, symptom("cart", 179))
    made.feed([replace(one, again=at(180))], at(181))
    (incident,) = made.incidents
    assert incident.services == ("cart", "web")
    assert [symptom.start for symptom in incident.symptoms] == [at(179), at(180)]


def test_what_has_lasted_for_long_when_it_is_first_heard_of_keeps_its_beginning() -> None:
    """An alert of others that fires since yesterday."""
    made = correlator()
    (told,) = made.feed([symptom("cart", -900)], at(0))
    assert told.incident.began == at(-900)


COMINGS = st.lists(
    st.tuples(SERVICES, st.integers(1, 200), st.integers(1, 90)), min_size=1, max_size=12
)


@given(COMINGS)
def test_however_often_things_come_again_no_incident_began_before_they_did(
    comings: list[tuple[str, int, int]],
) -> None:
    """Times out of each other would show an end before a beginning, or blame what came after."""
    made, now = correlator(), 0
    seen: dict[str, int] = {}
    for service, pause, lasts in comings:
        now += pause
        made.tick(at(now))
        again = at(now) if service in seen else None
        seen.setdefault(service, now)
        one = symptom(service, seen[service], id=f"an_{service}", again=again)
        told = made.feed([one], at(now))
        assert all(e.incident.began == at(now) for e in told if e.kind is EntryKind.OPENED)
        now += lasts
        made.feed([replace(one, end=at(now))], at(now))
        for incident in made.incidents:
            assert all(incident.began <= one.start for one in incident.symptoms)
    assert made.state.back.keys() <= made.state.of.keys()


def test_what_a_later_symptom_holds_together_is_merged() -> None:
    """The followers of the younger one are told where it went; the older keeps its id."""
    made = correlator()
    made.calls = type(CALLS)()
    fed(made, symptom("cart"), symptom("search", 20))
    made.calls = CALLS
    events = made.feed([symptom("web", 3, id="late"), symptom("web", 19, id="later")], at(22))
    gone = [event for event in events if event.incident.state is IncidentState.MERGED]
    (incident,) = made.incidents
    assert [event.incident.into for event in gone] == [incident.id]
    assert set(incident.services) == {"cart", "search", "web"}
    assert incident.count == 4


def test_a_symptom_that_was_normal_leaves_and_what_it_held_together_parts() -> None:
    """A noisy proxy had made one incident of two."""
    made = correlator()
    fed(made, symptom("cart"), symptom("web", 8), symptom("search", 16))
    (whole,) = made.incidents
    told = made.dismiss("an_web_8", at(18))
    assert [event.kind for event in told if event.kind is not EntryKind.SUSPECT] == [
        EntryKind.SPLIT
    ]
    first, second = made.incidents
    assert (first.id, first.services, second.services) == (whole.id, ("cart",), ("search",))


def test_an_incident_of_which_nothing_is_left_is_over() -> None:
    """All of it was normal."""
    made = correlator()
    fed(made, symptom())
    (told,) = made.dismiss("an_cart_0", at(3))
    assert (told.kind, told.incident.state) == (EntryKind.RESOLVED, IncidentState.RESOLVED)
    assert made.dismiss("an_cart_0", at(4)) == []


def test_a_change_that_is_told_late_becomes_the_suspect() -> None:
    """Webhooks come minutes after what they tell."""
    made = correlator()
    fed(made, symptom())
    guilty = change(minute=-2)
    (told,) = made.changed([guilty], at(4))
    assert told.kind is EntryKind.SUSPECT
    assert told.incident.suspects.suspects[0].change.id == guilty.id
    assert told.incident.timeline[-1].of == guilty.id


def everything(made: Correlator, symptoms: Iterable[Symptom]) -> list[IncidentEvent]:
    """All events of symptoms that come in order and end after ten minutes."""
    told: list[IncidentEvent] = []
    for one in symptoms:
        told += made.feed([one], one.start)
        told += made.feed([replace(one, end=one.start + 10 * MINUTE)], one.start)
        told += made.tick(one.start)
    return told


@given(symptoms=SYMPTOMS)
def test_the_same_symptoms_make_the_same_incidents(symptoms: list[Symptom]) -> None:
    """A restart that judges them again must not tell other ids."""
    assert everything(correlator(), symptoms) == everything(correlator(), symptoms)


@given(symptoms=SYMPTOMS)
def test_every_symptom_is_in_one_incident_and_each_is_opened_once(symptoms: list[Symptom]) -> None:
    """Nothing is lost, and nothing told twice as new."""
    made = correlator()
    told = everything(made, symptoms)
    opened = [event.incident.id for event in told if event.kind is EntryKind.OPENED]
    assert len(opened) == len(set(opened))
    last = {event.incident.id: event.incident for event in told}
    last |= {incident.id: incident for incident in made.incidents}
    whole = [one for one in last.values() if one.state is not IncidentState.MERGED]
    assert sum(one.count for one in whole) == len(symptoms)


@given(symptoms=SYMPTOMS)
def test_all_ends_when_nothing_lasts(symptoms: list[Symptom]) -> None:
    """An incident that never resolves is a page that never closes."""
    made = correlator()
    everything(made, symptoms)
    made.tick(at(10_000))
    assert all(one.state is IncidentState.RESOLVED for one in made.incidents)
    made.tick(at(20_000))
    assert made.incidents == ()
    assert made.state.of == {}


def test_services_that_show_nothing_any_more_are_let_go() -> None:
    """A fleet whose services have a new name with each build would fill the memory."""
    made = correlator()
    for number in range(40):
        one = symptom(f"build-{number}", 30 * number, end=at(30 * number + 1))
        fed(made, one)
        made.tick(at(30 * number + 2))
    assert len(made.state.near) == 4
    fed(made, symptom("lasts", 1300))
    made.tick(at(2000))
    assert list(made.state.near) == ["lasts"]


def test_a_storm_that_lasts_is_bounded() -> None:
    """A thousand ends of anomalies an hour are not remembered for as long as one of them lasts."""
    made = correlator()
    made.settings = replace(made.settings, ids=20)
    fed(made, symptom("db"))
    for number in range(100):
        fed(made, symptom("cart", 1 + number / 10, end=at(2 + number / 10)))
        made.tick(at(2 + number / 10))
    (incident,) = made.incidents
    assert incident.count == 101
    assert len(made.state.of) <= 42
    assert made.state.owner(symptom("db").id) is not None
    made.feed([symptom("db", end=at(20))], at(20))
    assert made.incidents[0].symptoms[0].end == at(20)
