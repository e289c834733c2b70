"""What people are told has all they need, and not more than they read."""

from __future__ import annotations

from detector.alerts.brief import BriefState, Gravity
from detector.incidents.briefing import brief_of
from detector.incidents.correlator import Correlator
from detector.incidents.incident import IncidentEvent
from detector.incidents.record import NumberedEvent
from detector.incidents.symptom import Symptom
from tests.detector.incidents.making import CALLS, MINUTE, T0, change, symptom


def told(*symptoms: Symptom, until: int = T0 + MINUTE) -> list[IncidentEvent]:
    """What is told of symptoms, and of the time after them."""
    correlator = Correlator.fresh("default", T0 - 40_000 * MINUTE)
    correlator.calls = CALLS
    correlator.changed([change("db", -3, version="v2"), change("mail", -900)], T0)
    return correlator.feed(symptoms, T0 + MINUTE) + correlator.tick(until)


def test_it_says_who_since_when_and_what_it_comes_of() -> None:
    """With a command, and no suspect that nobody believes in."""
    first, *_ = told(symptom("db", namespace="shop"))
    brief = brief_of(NumberedEvent(number=7, event=first))
    assert (brief.nth, brief.why, brief.state) == (7, "opened", BriefState.OPEN)
    assert (brief.title, brief.severity, brief.services) == ("db", Gravity.MEDIUM, ("db",))
    assert (brief.began, brief.ended) == (T0, None)
    (cause,) = brief.causes
    assert (cause.version, cause.advice) == ("v2", "Roll db v2 back.")
    assert "the first anomaly began 3 min after it" in cause.reasons
    assert dict(brief.labels) == {
        "service": "db", "namespace": "shop", "severity": "medium", "kind": "metric",
    }  # fmt: skip


def test_a_large_one_shows_its_first_signs_and_how_many_there_are() -> None:
    """A message has room for ten."""
    every = [symptom("db", n / 100) for n in range(30)]
    correlator = Correlator.fresh("default", T0)
    correlator.feed(every, T0 + MINUTE)
    event = IncidentEvent(kind=told(every[0])[0].kind, at=T0, incident=correlator.incidents[0])
    brief = brief_of(NumberedEvent(number=1, event=event))
    assert (len(brief.signs), brief.count) == (10, 30)
    assert brief.signs[0].text == "db: errors"


def test_the_end_is_told_with_its_time() -> None:
    """So that nobody has to look whether it is over."""
    last = told(symptom("db", end=T0 + 2 * MINUTE), until=T0 + 20 * MINUTE)[-1]
    brief = brief_of(NumberedEvent(number=2, event=last))
    assert (brief.why, brief.state, brief.ended) == (
        "resolved", BriefState.RESOLVED, T0 + 2 * MINUTE,
    )  # fmt: skip


def test_one_that_comes_again_after_hours_says_so() -> None:
    """It ranks below what is new."""
    correlator = Correlator.fresh("default", T0)
    back = symptom("cart", end=T0 + MINUTE, again=None)
    (first,) = correlator.feed([back], T0 + MINUTE)
    (second,) = correlator.feed([symptom("cart", again=T0 + 600 * MINUTE)], T0 + 601 * MINUTE)[1:]
    briefs = [brief_of(NumberedEvent(number=1, event=event)) for event in (first, second)]
    assert [(one.is_back, one.began - T0) for one in briefs] == [(False, 0), (True, 600 * MINUTE)]


def test_one_that_went_into_another_ends_and_says_where() -> None:
    """Whoever was told of it is led on."""
    correlator = Correlator.fresh("default", T0)
    for one in (symptom("cart"), symptom("search", 20)):
        correlator.feed([one], one.start)
    correlator.calls = CALLS
    events = correlator.feed(
        [symptom("web", 3, id="late"), symptom("web", 19, id="later")], T0 + 22 * MINUTE
    )
    (gone,) = [one for one in events if one.incident.into is not None]
    brief = brief_of(NumberedEvent(number=3, event=gone))
    assert (brief.state, brief.into) == (BriefState.MERGED, gone.incident.into)
    assert brief.ended == T0 + 22 * MINUTE
