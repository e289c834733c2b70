"""Alerts on burns as symptoms: linked to what is odd of the service, told with the objective."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.incidents.briefing import brief_of
from detector.incidents.burns import burn_id, burn_symptom
from detector.incidents.correlator import Correlator
from detector.incidents.incident import EntryKind, IncidentEvent
from detector.incidents.record import NumberedEvent
from detector.slo.burn import Burning
from detector.slo.following import Alert
from detector.slo.objective import OfSignal
from detector.slo.standing import standing_of
from detector.stream.anomaly import Severity
from tests.detector.slo.test_standing import OBJECTIVE, WEEK, counts

NOW = 300.0 * WEEK
PAGE = Alert(begun=NOW - 3000.0, onset=NOW - 3600.0, level=Burning.PAGE)
OUTAGE = standing_of(OBJECTIVE, counts(lately=0.05), 0.0)
MS = 1000


def fed(correlator: Correlator, *alerts: Alert) -> list[IncidentEvent]:
    """What is told of some alerts, one after another."""
    return [
        event
        for alert in alerts
        for event in correlator.feed([burn_symptom(OUTAGE, alert)], round(MS * NOW))
    ]


def test_a_page_is_high_since_it_burns() -> None:
    """Under the objective's name."""
    found = burn_symptom(OUTAGE, PAGE)
    assert (found.service, found.slo, found.severity) == (
        "checkout",
        "availability",
        Severity.HIGH,
    )
    assert (found.start, found.end) == (round(MS * PAGE.onset), None)
    assert not found.is_load
    assert found.text.startswith("availability burns its error budget 50 times too fast")


def test_a_ticket_is_medium() -> None:
    """Nobody is woken by it."""
    ticket = replace(PAGE, level=Burning.TICKET)
    assert burn_symptom(OUTAGE, ticket).severity is Severity.MEDIUM


def test_an_objective_of_a_signal_knows_its_namespace() -> None:
    """So that services of one name are not taken for one."""
    of = replace(OBJECTIVE, indicator=OfSignal(signal="error_rate", namespace="shop"))
    found = burn_symptom(replace(OUTAGE, objective=of), PAGE)
    assert found.namespace == "shop"


def test_an_objective_of_that_name_is_no_load() -> None:
    """Whatever it is called."""
    of = replace(OBJECTIVE, name="container_cpu_usage_seconds_total")
    assert not burn_symptom(replace(OUTAGE, objective=of), PAGE).is_load


def test_it_becomes_an_incident_that_ends_with_it() -> None:
    """Once, and routes see what it is."""
    correlator = Correlator.fresh("default", round(MS * (NOW - 7200)))
    opened, *more = fed(correlator, PAGE, PAGE)
    assert (opened.kind, more) == (EntryKind.OPENED, [])
    brief = brief_of(NumberedEvent(number=1, event=opened))
    assert dict(brief.labels) == {
        "service": "checkout",
        "severity": "high",
        "kind": "burn",
        "slo": "availability",
    }
    assert brief.signs[0].text == burn_symptom(OUTAGE, PAGE).text
    assert fed(correlator, replace(PAGE, ended=NOW)) == []
    over = correlator.tick(round(MS * (NOW + 301)))
    assert [event.kind for event in over] == [EntryKind.RESOLVED]


def test_a_ticket_that_becomes_a_page_is_told_again() -> None:
    """As one incident that grew."""
    correlator = Correlator.fresh("default", round(MS * (NOW - 7200)))
    told = fed(correlator, replace(PAGE, level=Burning.TICKET), PAGE)
    assert [event.kind for event in told] == [EntryKind.OPENED, EntryKind.GREW]
    assert told[-1].incident.severity is Severity.HIGH


def test_it_joins_what_is_odd_of_the_service_already() -> None:
    """Nobody hears of one outage twice."""
    correlator = Correlator.fresh("default", round(MS * (NOW - 7200)))
    odd = replace(burn_symptom(OUTAGE, PAGE), id="an_1", slo="", metric="http_requests_total")
    (opened,) = correlator.feed([odd], round(MS * PAGE.onset))
    told = fed(correlator, PAGE)
    assert {event.incident.id for event in told} <= {opened.incident.id}
    (incident,) = correlator.incidents
    assert {one.id for one in incident.symptoms} == {"an_1", burn_id(OBJECTIVE, PAGE)}
    brief = brief_of(NumberedEvent(number=2, event=replace(opened, incident=incident)))
    assert dict(brief.labels)["slo"] == "availability"


@given(st.text(max_size=40), st.text(max_size=40), st.floats(0.0, 2e9))
def test_an_alert_has_one_name(service: str, name: str, begun: float) -> None:
    """Whatever became of it; other objectives and times have others."""
    of = replace(OBJECTIVE, service=service, name=name)
    one = replace(PAGE, begun=begun)
    assert burn_id(of, one) == burn_id(of, replace(one, ended=begun + 1, level=Burning.TICKET))
    assert burn_id(of, one) != burn_id(of, replace(one, begun=begun + 300.0))
    assert burn_id(of, one) != burn_id(replace(of, name=f"{name}x"), one)


@pytest.mark.parametrize("ended", [PAGE.onset - 300.0, PAGE.onset])
def test_it_never_ends_before_it_began(ended: float) -> None:
    """Whatever clocks say."""
    found = burn_symptom(OUTAGE, replace(PAGE, ended=ended))
    assert found.end == found.start
