"""Who asked to hear no more hears no more, for as long as was asked, and never for longer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.incidents.record import Said, SaidKind
from detector.incidents.silence import is_silenced

SAID = st.builds(
    Said,
    at=st.integers(0, 100),
    kind=st.sampled_from(list(SaidKind)),
    person=st.just("ada"),
    until=st.one_of(st.none(), st.integers(0, 200)),
)


def said(kind: SaidKind, until: int | None = None) -> Said:
    """At once."""
    return Said(at=0, kind=kind, person="ada", until=until)


def test_a_snooze_ends_by_itself() -> None:
    """An incident that lasts is heard of again."""
    snoozed = [said(SaidKind.SNOOZED, 100)]
    assert is_silenced(snoozed, 99, is_over=False)
    assert not is_silenced(snoozed, 100, is_over=False)


def test_that_it_is_over_is_told_to_who_snoozed_it() -> None:
    """They wait for it."""
    assert not is_silenced([said(SaidKind.SNOOZED, 100)], 50, is_over=True)


def test_what_was_no_incident_is_not_told_of_again() -> None:
    """Nor that it is over."""
    for is_over in (False, True):
        assert is_silenced([said(SaidKind.NO_INCIDENT)], 10**9, is_over=is_over)


def test_the_last_word_counts() -> None:
    """Who called it none may have been wrong."""
    words = [said(SaidKind.NO_INCIDENT), said(SaidKind.SNOOZED, 10)]
    assert not is_silenced(words, 20, is_over=False)


@given(st.lists(SAID), st.integers(0, 300))
def test_to_be_at_it_silences_nothing(words: list[Said], at: int) -> None:
    """Others want to know how it goes on."""
    heard = [one for one in words if one.kind not in {SaidKind.SNOOZED, SaidKind.NO_INCIDENT}]
    assert not is_silenced(heard, at, is_over=False)
