"""Events become changes, in whatever order and however often they come."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import (
    Change,
    ChangeEvent,
    ChangeKind,
    ChangePhase,
    Place,
    change_id,
    change_of,
    with_event,
)

STARTED, SUCCEEDED, FAILED = ChangePhase.STARTED, ChangePhase.SUCCEEDED, ChangePhase.FAILED
WORD = st.sampled_from(["", "a", "b"])
EVENTS = st.builds(
    ChangeEvent,
    source=st.just("/argo"),
    id=st.sampled_from([str(number) for number in range(40)]),
    subject=st.just("checkout/7"),
    at=st.integers(0, 30),
    kind=st.sampled_from(list(ChangeKind)),
    phase=st.sampled_from(list(ChangePhase)),
    place=st.builds(Place, service=WORD, namespace=WORD),
    version=WORD,
    title=WORD,
    attributes=st.lists(st.tuples(WORD, WORD), max_size=2).map(tuple),
)
SOME = st.lists(EVENTS, min_size=1, max_size=12, unique_by=lambda event: event.id)


def event(at: int, phase: ChangePhase = STARTED, **other: object) -> ChangeEvent:
    """One event of a deployment of checkout."""
    told = ChangeEvent(
        source="/argo",
        id=f"{at}-{phase}",
        subject="checkout/7",
        at=at,
        kind=ChangeKind.DEPLOYMENT,
        phase=phase,
        place=Place(service="checkout"),
    )
    return replace(told, **other)  # type: ignore[arg-type]


def folded(events: list[ChangeEvent]) -> Change:
    """Told one by one."""
    change = None
    for one in events:
        change = with_event(change, one) or change
    assert change is not None
    return change


@given(events=SOME, order=st.randoms(use_true_random=False))
def test_the_order_in_which_events_come_does_not_matter(
    events: list[ChangeEvent], order: Random
) -> None:
    """LaunchDarkly promises no order, and a queue none either."""
    mixed = list(events)
    order.shuffle(mixed)
    assert folded(mixed) == change_of(events)


@given(events=SOME)
def test_what_is_told_again_changes_nothing(events: list[ChangeEvent]) -> None:
    """Senders repeat what was not acknowledged in time."""
    change = change_of(events)
    assert change_of([*events, *events]) == change
    assert with_event(change, events[0]) is None


@given(events=SOME)
def test_a_change_ends_no_sooner_than_it_started(events: list[ChangeEvent]) -> None:
    """A chart of it would run backwards."""
    change = change_of(events)
    assert change.ended_at is None or change.ended_at >= change.started_at
    assert change.phase.is_end <= (change.ended_at is not None)


@pytest.mark.parametrize(
    ("events", "started", "ended", "phase"),
    [
        ([event(5)], 5, None, STARTED),
        ([event(5), event(9, SUCCEEDED)], 5, 9, SUCCEEDED),
        ([event(9, SUCCEEDED)], 9, 9, SUCCEEDED),
        ([event(5), event(9, SUCCEEDED), event(20)], 20, None, STARTED),
        ([event(5), event(9, FAILED), event(20), event(21, SUCCEEDED)], 20, 21, SUCCEEDED),
        ([event(5), event(5, SUCCEEDED)], 5, 5, SUCCEEDED),
    ],
    ids=["begun", "done", "only its end", "begun again", "done at the second try", "at once"],
)
def test_a_change_lasts_from_its_latest_start_to_the_end_that_was_told(
    events: list[ChangeEvent], started: int, ended: int | None, phase: ChangePhase
) -> None:
    """An incident is put beside these times."""
    change = change_of(events)
    assert (change.started_at, change.ended_at, change.phase) == (started, ended, phase)


def test_a_later_event_that_leaves_something_out_does_not_take_it_away() -> None:
    """The end of a deployment often names neither version nor person."""
    begun = event(1, version="v2", actor="ada", attributes=(("ref", "main"),))
    change = change_of([begun, event(2, SUCCEEDED, attributes=(("took", "8s"),))])
    assert (change.version, change.actor) == ("v2", "ada")
    assert change.attributes == (("ref", "main"), ("took", "8s"))


def test_a_deployment_that_turned_out_to_be_a_rollback_stays_one() -> None:
    """The controller's own words at the end are about a deployment again."""
    kinds = [ChangeKind.DEPLOYMENT, ChangeKind.ROLLBACK, ChangeKind.DEPLOYMENT, ChangeKind.OTHER]
    change = change_of([event(at, kind=kind) for at, kind in enumerate(kinds)])
    assert change.kind is ChangeKind.ROLLBACK


def test_a_change_was_told_once_anybody_told_it() -> None:
    """What was guessed from data is a fact once its controller says the same."""
    guessed, told = event(1, is_inferred=True), event(2, SUCCEEDED)
    assert change_of([guessed]).is_inferred
    assert not change_of([guessed, told]).is_inferred


def test_a_sender_that_never_stops_is_kept_with_its_beginning() -> None:
    """Progress each second for a day must not grow a row, nor lose when it all began."""
    change = folded([event(at) for at in range(200)])
    assert (len(change.events), change.started_at, change.told_at) == (64, 0, 199)


def test_subjects_of_two_sources_are_two_changes() -> None:
    """Each numbers its deployments from one."""
    assert change_id("/a", "1") != change_id("/b", "1")
    assert change_id("/a", "b c") != change_id("/a b", "c")


def test_no_event_is_no_change() -> None:
    """Rather than a change without a time."""
    with pytest.raises(ValueError, match="needs an event"):
        change_of([])
