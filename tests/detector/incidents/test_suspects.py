"""Which change it was, or that it was none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import Change, ChangeKind, ChangePhase
from detector.incidents.suspects import Ground, Suspects, SuspectSettings, suspected
from detector.incidents.symptom import Symptom
from tests.detector.incidents.making import CALLS, WEEKLY, change, symptom

CHANGES = st.builds(
    change,
    service=st.sampled_from(["", "cart", "web", "db", "mail"]),
    minute=st.integers(-1500, 5),
    kind=st.sampled_from(list(ChangeKind)),
)


def suspects(symptoms: list[Symptom], *changes: Change) -> Suspects:
    """Of services that fall ill once a week."""
    return suspected(symptoms, changes, CALLS, WEEKLY)


def top(symptoms: list[Symptom], *changes: Change) -> str | None:
    """Service of the change that is likelier than none, and than all others."""
    found = suspects(symptoms, *changes)
    first = next(iter(found.suspects), None)
    return first.change.place.service if first and first.probability > found.none else None


def test_a_deployment_just_before_is_the_first_suspect() -> None:
    """With its reasons: when, where, and what kind of change it was."""
    found = suspects([symptom()], change(minute=-3), change("mail", -1), change(minute=-900))
    first = found.suspects[0]
    assert first.change.place.service == "cart"
    assert first.probability > 0.9
    timing = next(reason for reason in first.reasons if reason.ground is Ground.TIMING)
    assert timing.minutes == 3.0


@pytest.mark.parametrize(
    ("changed", "minute"),
    [("mail", -1), ("cart", -1400), ("cart", 30), ("web", -600)],
    ids=["elsewhere", "yesterday", "afterwards", "its caller, long ago"],
)
def test_a_change_that_cannot_well_have_been_it_is_not_blamed(changed: str, minute: int) -> None:
    """A false accusation costs a rollback, and the trust in the next one."""
    assert top([symptom()], change(changed, minute)) is None


def test_the_changed_callee_is_suspected_where_it_is_ill_itself() -> None:
    """Its callers only feel it; whoever of them was deployed as well is innocent."""
    ill = [symptom("web", 0.5), symptom("db", 0), symptom("cart", 1)]
    assert top(ill, change("db", -2), change("web", -4)) == "db"


def test_a_callee_is_not_blamed_for_load() -> None:
    """The processor of who calls it is busy: that did not come from below."""
    changed = change("db", -2)
    busy = suspects([symptom(metric="cpu_cores")], changed)
    failing = suspects([symptom()], changed)
    assert busy.none > failing.none
    both = [symptom(metric="cpu_cores"), symptom(minute=0.5)]
    assert suspects(both, changed).none == pytest.approx(failing.none, abs=0.02)


def test_a_callee_that_shows_its_harm_else_is_not_blamed_while_it_is_calm() -> None:
    """Only where nothing may be known of it is silence no word."""
    watched = replace(WEEKLY, watched=frozenset({"db"}))
    known, blind = (
        suspected([symptom()], [change("db", -20)], CALLS, alone, SuspectSettings())
        for alone in (watched, WEEKLY)
    )
    assert known.none > blind.none


def test_who_is_ill_later_than_others_was_not_the_first_to_break() -> None:
    """A caller's deployment does not explain that its callee was ill before."""
    ill = [symptom("db", 0), symptom("web", 12)]
    assert top(ill, change("web", -1), change("db", -3)) == "db"


def test_a_canary_whose_version_alone_is_odd_is_guilty() -> None:
    """And one that is odd in the old version too is less so."""
    new = suspects([symptom(versions=frozenset({"v2"}))], change(version="v2"))
    both = suspects([symptom(versions=frozenset({"v1", "v2"}))], change(version="v2"))
    old = suspects([symptom(versions=frozenset({"v1"}))], change(version="v2"))
    assert new.none < both.none < old.none


def test_a_change_that_failed_is_suspected_more() -> None:
    """Its controller has seen something as well."""
    failed, done = (
        suspects([symptom()], change(minute=-20, phase=phase)).none
        for phase in (ChangePhase.FAILED, ChangePhase.SUCCEEDED)
    )
    assert failed < done


def test_another_cluster_is_no_suspect() -> None:
    """It was not there."""
    found = suspects([symptom(cluster="eu")], change(cluster="us"))
    assert found.suspects == ()
    assert found.none == 1.0


@given(changes=st.lists(CHANGES, max_size=8, unique_by=lambda one: one.id))
def test_probabilities_are_some(changes: list[Change]) -> None:
    """They add up to one, and the likeliest comes first."""
    found = suspects([symptom(), symptom("web", 1)], *changes)
    chances = [one.probability for one in found.suspects]
    assert math.isclose(sum(chances) + found.none, 1.0, abs_tol=1e-9)
    assert chances == sorted(chances, reverse=True)


@given(
    changes=st.lists(CHANGES, max_size=6, unique_by=lambda one: one.id),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_changes_does_not_matter(changes: list[Change], order: object) -> None:
    """Webhooks come as they like."""
    mixed = list(changes)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    assert suspects([symptom()], *mixed) == suspects([symptom()], *changes)


def test_nothing_ill_has_no_suspects() -> None:
    """Rather than blaming the day's changes for nothing."""
    assert suspects([], change()).none == 1.0
