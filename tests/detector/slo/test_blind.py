"""What is told of objectives that fell blind: together where it was so, and that it is over."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.slo.blind import BlindObjectives

SILENT = "the counters fell silent"


def test_those_that_fell_blind_together_are_one() -> None:
    """A source that is down is told once, however many objectives it has."""
    blind = BlindObjectives()
    blind.looked(dict.fromkeys("abcde", SILENT))
    assert blind.found == {
        "the error budgets of a, b, c and 2 more": f"a, b, c and 2 more: {SILENT}"
    }


def test_one_that_falls_blind_later_is_told_of_itself() -> None:
    """It would be lost in what was told."""
    blind = BlindObjectives()
    blind.looked({"a": SILENT})
    blind.looked({"a": SILENT, "b": "a query is wrong"})
    assert blind.found == {
        "the error budget of a": f"a: {SILENT}",
        "the error budget of b": "b: a query is wrong",
    }


def test_it_is_over_once_all_of_a_group_are_known_again() -> None:
    """And not before."""
    blind = BlindObjectives()
    blind.looked({"a": SILENT, "b": SILENT})
    blind.looked({"b": SILENT})
    assert blind.found == {"the error budgets of a and b": f"b: {SILENT}"}
    blind.looked({})
    assert blind.found == {"the error budgets of a and b": ""}
    blind.looked({"a": SILENT, "b": SILENT})
    assert blind.found == {"the error budgets of a and b": f"a and b: {SILENT}"}


def test_other_reasons_are_other_sentences() -> None:
    """Each with those that it is of."""
    blind = BlindObjectives()
    blind.looked({"a": SILENT, "b": "no such counters", "c": SILENT})
    (words,) = blind.found.values()
    assert words == f"a and c: {SILENT}; b: no such counters"


def test_what_comes_and_goes_is_bounded() -> None:
    """Objectives that flap for a year."""
    blind = BlindObjectives()
    for at in range(1000):
        blind.looked({f"slo {at}": SILENT})
    assert len(blind.found) <= 202
    assert blind.found["the error budget of slo 999"]


@settings(max_examples=50)
@given(st.lists(st.sets(st.sampled_from("abcdef")), min_size=1, max_size=12))
def test_who_is_blind_is_in_one_group_and_nobody_else(looks: list[set[str]]) -> None:
    """Whatever came before."""
    blind = BlindObjectives()
    for now in looks:
        blind.looked(dict.fromkeys(now, SILENT))
        members = [one for group in blind.groups.values() for one in group]
        assert sorted(members) == sorted(now)
        assert sum(bool(words) for words in blind.found.values()) == sum(
            bool(group) for group in blind.groups.values()
        )
