"""Only what people said counts as bad; what they left open counts as nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.changes.change import ChangeKind
from detector.gate.decision import Override
from detector.gate.verdict import Outcome
from detector.incidents.labels import Tally, Truth, labels_of, overridden
from detector.incidents.record import KeptIncident, Said, SaidKind
from tests.detector.incidents.making import change
from tests.detector.incidents.saying import incident, said

GUILTY = change("cart", -2, ChangeKind.FLAG)
LATER = change("mail", 4000, ChangeKind.DEPLOYMENT)
INCIDENT = incident("cart", 0, [GUILTY])


def of(*kept: KeptIncident, called: dict[str, bool] | None = None) -> dict[ChangeKind, Tally]:
    """The tallies of kinds of which any change is known."""
    found = labels_of(kept, [GUILTY, LATER], called).tallies
    return {kind: tally for kind, tally in found.items() if tally != Tally()}


def test_a_change_that_somebody_named_is_bad() -> None:
    """And one with no incident near it is good."""
    assert of(said(INCIDENT, SaidKind.CAUSED_BY, GUILTY)) == {
        ChangeKind.FLAG: Tally(bad=1),
        ChangeKind.DEPLOYMENT: Tally(good=1),
    }


def test_a_suspect_of_which_nobody_spoke_is_neither() -> None:
    """Acknowledged is not named: somebody is at it."""
    for word in (None, SaidKind.ACKNOWLEDGED):
        assert of(said(INCIDENT, word))[ChangeKind.FLAG] == Tally(unsure=1)


@pytest.mark.parametrize("word", [SaidKind.NO_CHANGE, SaidKind.NO_INCIDENT])
def test_who_says_it_was_none_clears_the_suspects(word: SaidKind) -> None:
    """They were near, and did nothing."""
    assert of(said(INCIDENT, word))[ChangeKind.FLAG] == Tally(good=1)


def test_the_last_word_counts() -> None:
    """People find out more."""
    kept = said(INCIDENT, SaidKind.CAUSED_BY, GUILTY)
    later = Said(at=INCIDENT.began + 9, kind=SaidKind.NO_CHANGE, person="bob")
    (label,) = labels_of([replace(kept, said=(later, *kept.said))], []).incidents
    assert (label.truth, label.guilty) == (Truth.NO_CHANGE, None)


def test_a_guilty_change_that_nobody_knows_is_no_label() -> None:
    """Its kind is not known, and the log forgets after a while."""
    gone = change("db", -400, ChangeKind.CONFIG)
    found = labels_of([said(INCIDENT, SaidKind.CAUSED_BY, gone)], [])
    assert (found.incidents, found.spoken, found.occasions) == ((), 0, 1)


def test_two_incidents_of_one_change_are_one_bad_change() -> None:
    """It broke once, in two places."""
    other = incident("web", 3, [GUILTY])
    both = [said(one, SaidKind.CAUSED_BY, GUILTY) for one in (INCIDENT, other)]
    found = labels_of(both, [])
    assert (found.tallies[ChangeKind.FLAG], found.spoken) == (Tally(bad=1), 2)


def test_who_decides_over_a_verdict_labels_its_change() -> None:
    """What an incident was said to come of stands above it."""
    silent = said(INCIDENT, None)
    assert of(silent, called={GUILTY.id: True})[ChangeKind.FLAG] == Tally(bad=1)
    assert of(silent, called={GUILTY.id: False})[ChangeKind.FLAG] == Tally(good=1)
    named = said(INCIDENT, SaidKind.CAUSED_BY, GUILTY)
    assert of(named, called={GUILTY.id: False})[ChangeKind.FLAG] == Tally(bad=1)


def test_occasions_are_incidents_with_a_suspect() -> None:
    """Nobody is expected to name a change where none was near."""
    lonely = incident("mail", 100, [])
    found = labels_of([said(INCIDENT, None), said(lonely, None)], [])
    assert (found.spoken, found.occasions) == (0, 1)


def decision(outcome: Outcome, at: float) -> Override:
    """Of a person, on a rollout."""
    return Override(attempt="a", outcome=outcome, person="ada", reason="", at=at, until=at + 60)


def test_the_last_decision_over_a_verdict_counts() -> None:
    """Inconclusive is none."""
    assert overridden([]) is None
    assert overridden([decision(Outcome.INCONCLUSIVE, 1.0)]) is None
    fail, let_go = decision(Outcome.FAIL, 2.0), decision(Outcome.PASS, 1.0)
    assert overridden([fail, let_go]) is True
    assert overridden([let_go]) is False
