"""What is said of incidents: whole sentences, for every ground and every kind of change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeKind
from detector.incidents.correlator import Correlator
from detector.incidents.incident import Incident
from detector.incidents.suspects import Ground, suspected
from detector.incidents.symptom import Symptom
from detector.incidents.words import (
    cause_words,
    change_words,
    reason_words,
    summary_words,
    title_words,
)
from tests.detector.incidents.making import CALLS, MINUTE, T0, WEEKLY, change, symptom

WEEK_MS = 7 * 24 * 60 * MINUTE


def incident(*symptoms: Symptom) -> Incident:
    """Of some symptoms that belong together."""
    correlator = Correlator.fresh("default", T0 - 4 * WEEK_MS)
    correlator.calls = CALLS
    correlator.changed([change("db", -3, version="v2")], T0)
    correlator.feed(symptoms, T0 + MINUTE)
    return correlator.incidents[0]


def test_a_title_names_the_first_three() -> None:
    """A list of thirty services tells nobody anything."""
    every = [symptom(name, n / 10) for n, name in enumerate(["db", "cart", "search", "web"])]
    assert title_words(incident(*every[:1])) == "db"
    assert title_words(incident(*every[:2])) == "db and cart"
    assert title_words(incident(*every[:3])) == "db, cart and search"
    assert title_words(incident(*every)) == "db, cart, search and 1 more"


def test_a_summary_says_since_when_and_whether_it_lasts() -> None:
    """The two first questions of whoever is woken."""
    one = incident(symptom("db"), symptom("cart", 1))
    assert summary_words(one) == "2 anomalies in 2 services since 14:13 UTC; it lasts."
    correlator = Correlator.fresh("default", T0)
    correlator.feed([symptom("db", end=T0 + MINUTE)], T0 + MINUTE)
    correlator.tick(T0 + 10 * MINUTE)
    over = correlator.incidents[0]
    assert summary_words(over) == "1 anomaly in 1 service since 14:13 UTC; over since 14:14 UTC."


def test_a_summary_says_that_it_comes_again() -> None:
    """Whoever slept through the first one looks there, too."""
    correlator = Correlator.fresh("default", T0)
    correlator.feed([symptom("db", end=T0 + MINUTE)], T0 + MINUTE)
    back = symptom("db", again=T0 + 180 * MINUTE)
    told = correlator.feed([back], T0 + 181 * MINUTE)[-1]
    assert summary_words(told.incident) == (
        "1 anomaly in 1 service since 17:13 UTC, not for the first time; it lasts."
    )


def test_the_likely_cause_is_named_with_how_sure_that_is() -> None:
    """And where none is likely that is said."""
    assert cause_words(incident(symptom("db"))) == (
        "Likely the deployment of db to v2 at 14:10 UTC (more than 99 %)."
    )
    alone = replace(
        incident(symptom("db")),
        suspects=suspected([symptom("db")], [change("mail", -20)], CALLS, WEEKLY),
    )
    assert cause_words(alone).startswith("Likely no change (")
    none = replace(alone, suspects=suspected([symptom("db")], [], CALLS, WEEKLY))
    assert cause_words(none) == "No change is known that could have caused it."


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("cart", "it changed cart itself"),
        ("db", "it changed db, which cart calls directly"),
        ("web", "it changed web, which calls cart directly"),
        ("search", "it changed search, which has a caller in common with cart"),
        ("mail", "no call is known between mail and who shows it"),
        ("", "it names no service, and may touch any"),
    ],
)
def test_where_a_change_was_made_is_told_as_the_call_graph_has_it(service: str, said: str) -> None:
    """Somebody who does not know the services has to understand it."""
    found = suspected([symptom()], [change(service)], CALLS, WEEKLY).suspects[0]
    place = next(one for one in found.reasons if one.ground is Ground.PLACE)
    assert reason_words(place, found.change) == said


@pytest.mark.parametrize(
    ("minute", "said"),
    [
        (-3, "the first anomaly began 3 min after it"),
        (-0.5, "the first anomaly began 30 s after it"),
        (-150, "the first anomaly began 2 h after it"),
        (1, "it was told 1 min after the first anomaly began"),
    ],
)
def test_when_a_change_was_made_is_told_from_the_first_anomaly(minute: float, said: str) -> None:
    """Before or after."""
    found = suspected([symptom()], [change(minute=minute)], CALLS, WEEKLY).suspects[0]
    timing = next(one for one in found.reasons if one.ground is Ground.TIMING)
    assert reason_words(timing, found.change) == said


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"v2"}, "only v2 is odd"),
        ({"v1", "v2"}, "v1 is odd, too, which does not have it"),
        ({"v1"}, "odd is v1, which does not have it"),
    ],
)
def test_which_versions_are_odd_is_told(odd: set[str], said: str) -> None:
    """The strongest of all grounds, for and against."""
    one = symptom(versions=frozenset(odd))
    found = suspected([one], [change(version="v2")], CALLS, WEEKLY).suspects[0]
    versions = next(one for one in found.reasons if one.ground is Ground.VERSIONS)
    assert reason_words(versions, found.change) == said


@given(st.sampled_from(list(ChangeKind)), st.sampled_from(["", "cart"]), st.text(max_size=5))
def test_every_change_has_a_name(kind: ChangeKind, service: str, title: str) -> None:
    """Whatever its sender left out."""
    made = replace(change(service, kind=kind), title=title)
    assert change_words(made).strip()
