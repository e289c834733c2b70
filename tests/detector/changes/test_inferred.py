"""Versions that come and go are changes, where nobody told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from detector.changes.inferred import SOURCE, Known, Seen, inferred

MINUTE = 60_000
NOON = 1_800_014_400_000
SHOP = Place(service="checkout", namespace="shop")
Look = tuple[float, Mapping[str, int]]


def look(minute: float, versions: Mapping[str, int], label: str = "version") -> Seen:
    """One look, so many minutes after noon."""
    return Seen(place=SHOP, label=label, versions=versions, at=NOON + round(minute * MINUTE))


def told(looks: Sequence[Look]) -> list[ChangeEvent]:
    """All that is told of a series of looks."""
    known, events = Known(), list[ChangeEvent]()
    for minute, versions in looks:
        known, news = inferred(known, look(minute, versions))
        events += news
    return events


def phases(events: Sequence[ChangeEvent]) -> list[tuple[str, str]]:
    """Versions, with how far they are."""
    return [(event.version, event.phase.value) for event in events]


def each(minutes: range, versions: Mapping[str, int]) -> list[Look]:
    """The same at each of some minutes."""
    return [(float(minute), versions) for minute in minutes]


def test_what_was_there_at_the_first_look_did_not_change() -> None:
    """Nobody knows when it came."""
    assert told(each(range(60), {"1": 3, "2": 2})) == []


def test_a_new_version_is_told_once_in_words_and_from_its_first_sight() -> None:
    """After a wait in which its sender may tell."""
    looks = [(0.0, {"1": 5}), *each(range(3, 6), {"1": 2, "2": 3})]
    assert told(looks) == []
    (event,) = told([*looks, *each(range(6, 30), {"1": 2, "2": 3})])
    assert event.at == NOON + 3 * MINUTE
    assert (event.source, event.is_inferred) == (SOURCE, True)
    assert (event.kind, event.phase) == (ChangeKind.DEPLOYMENT, ChangePhase.STARTED)
    assert event.attributes == (("version", "2"),)
    assert event.title == (
        "deployment of checkout: nobody told of it; version 2 first seen at 12:03 UTC on 3 of 5"
        " pods"
    )


def test_it_succeeded_once_the_old_version_is_gone() -> None:
    """As of when that was last seen."""
    looks = [
        (0.0, {"1": 5}),
        *each(range(1, 5), {"1": 1, "2": 4}),
        *each(range(5, 20), {"2": 5}),
    ]
    events = told(looks)
    assert phases(events) == [("2", "started"), ("2", "succeeded")]
    assert events[1].at == NOON + 4 * MINUTE


def test_a_canary_that_goes_away_has_failed() -> None:
    """Also one that was gone before it could be told of."""
    looks = [(0.0, {"1": 5}), (1.0, {"1": 5, "2": 1}), *each(range(2, 20), {"1": 5})]
    assert phases(told(looks)) == [("2", "started"), ("2", "failed")]


def test_a_scrape_that_flaps_is_no_change() -> None:
    """Of one version, or of all."""
    flapping: list[Look] = [
        (float(m), {"1": 1, "2": 1} if m % 3 else {"1": 1} if m % 2 else {}) for m in range(60)
    ]
    assert told([(-1.0, {"1": 1, "2": 1}), *flapping]) == []


def test_a_version_that_comes_back_after_long_is_a_rollback() -> None:
    """While another was there."""
    looks = [(0.0, {"1": 5}), *each(range(1, 60), {"2": 5}), *each(range(60, 80), {"1": 5})]
    events = told(looks)
    assert [(e.version, e.kind.value) for e in events if e.phase is ChangePhase.STARTED] == [
        ("2", "deployment"),
        ("1", "rollback"),
    ]
    assert "version 1 seen again at 13:00 UTC" in events[2].title


def test_what_merely_was_scaled_to_nothing_is_no_change() -> None:
    """Overnight, with no other version meanwhile; or for a short time beside another."""
    assert told([(0.0, {"1": 5}), *each(range(600, 620), {"1": 5})]) == []
    beside = [*each(range(10), {"2": 5}), *each(range(10, 40), {"1": 1, "2": 5})]
    assert told([(-1.0, {"1": 1, "2": 5}), *beside]) == []


def test_what_came_while_we_were_away_is_told_with_that() -> None:
    """Its time is that of the first sight."""
    events = told([(0.0, {"1": 5}), *each(range(120, 130), {"2": 5})])
    assert phases(events) == [("2", "started"), ("2", "succeeded")]
    assert events[0].title.endswith("on 5 of 5 pods; not looked at since 12:00 UTC")


def test_a_label_with_hundreds_of_values_is_refused_with_a_word() -> None:
    """And is begun anew once it has few."""
    known, _ = inferred(Known(), look(0, {"1": 1}))
    known, events = inferred(known, look(1, {f"r{n}": 1 for n in range(300)}))
    assert events == ()
    assert known.refused == "version has 300 values at once: it tells no version"
    known, events = inferred(known, look(2, {"2": 1}))
    assert (known.refused, events) == ("", ())


def test_another_label_is_another_first_look() -> None:
    """Its values all are new, and nothing was deployed."""
    known, _ = inferred(Known(), look(0, {"1": 1}))
    known, _ = inferred(known, look(1, {"6d9f7c": 1}, label="pod_template_hash"))
    _, events = inferred(known, look(10, {"6d9f7c": 1}, label="pod_template_hash"))
    assert events == ()


def test_a_clock_that_was_set_back_is_waited_for() -> None:
    """What is seen meanwhile is seen again later."""
    known, _ = inferred(Known(), look(60, {"1": 1}))
    after, events = inferred(known, look(0, {"2": 1}))
    assert (after, events) == (known, ())


VERSIONS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 5), max_size=4)
LOOKS = st.lists(st.tuples(st.floats(-5, 60), VERSIONS), max_size=30)


@given(LOOKS)
def test_no_event_is_told_twice_and_no_end_before_its_start(steps: list[Look]) -> None:
    """However versions come and go and the clock jumps."""
    minute, looks = 0.0, list[Look]()
    for step, versions in steps:
        minute += step
        looks.append((minute, versions))
    events = told(looks)
    assert len({event.id for event in events}) == len(events)
    begun: dict[str, int] = {}
    for event in events:
        if event.phase is ChangePhase.STARTED:
            begun[event.subject] = event.at
        assert begun[event.subject] <= event.at


@given(st.lists(st.sets(st.integers(0, 500), min_size=1, max_size=30), max_size=30))
def test_what_is_remembered_is_bounded(looks: list[set[int]]) -> None:
    """Whatever a label's values are."""
    known = Known()
    for minute, held in enumerate(looks):
        known, _ = inferred(known, look(minute, {str(name): 1 for name in held}))
        assert len(known.spans) <= 64
        assert len(known.opened) <= 64
