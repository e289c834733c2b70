"""Two reports side by side, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.compared import moved_text
from api.reports.words import Wall
from detector.capacity.assessed import Assessment
from detector.reports.compare import compared
from tests.api.reports.examples import cores, day, disk, memory, new, partitions, pool, report

LATER = "in 23 days, Friday 18 December, between 9 December and 4 January 2027"


def sooner(days: float) -> Assessment:
    """The disk of an earlier report, which said another day."""
    out = replace(disk().exhaustion, p50=day(23 + days))  # type: ignore[type-var]
    return replace(disk(), exhaustion=out)


def text(before: Assessment, after: Assessment) -> str:
    """Of the same resource."""
    after = replace(after, identity=before.identity)
    (found,) = compared(report(before), report(after))
    return moved_text(found, Wall())


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (sooner(7), disk(), f"{LATER}; 7 days earlier than was said"),
        (sooner(-7), disk(), f"{LATER}; 7 days later than was said"),
        (disk(), disk(), LATER),
        (cores(), disk(), f"{LATER}; was: not within 90 days (under 1 %)"),
        (disk(), new(), f"not known any more: {new().problem}; was: {LATER}"),
        (new(), disk(), f"known now: {LATER}"),
    ],
    ids=["earlier", "later", "same", "worse", "lost", "told"],
)
def test_a_move_is_a_sentence(before: Assessment, after: Assessment, words: str) -> None:
    """What is said now comes first."""
    assert text(before, after) == words


def test_new_and_gone_are_said() -> None:
    """One that is not looked at any more has not become well."""
    new_one, gone = compared(report(disk()), report(pool()))
    assert moved_text(new_one, Wall()).startswith("new in the later report: since Saturday")
    assert moved_text(gone, Wall()) == f"not in the later report; was: {LATER}"


@given(*(st.sampled_from([pool, disk, memory, cores, new, partitions]),) * 2)
def test_every_move_has_words(before: object, after: object) -> None:
    """None of them is left without."""
    for one in compared(report(before()), report(after())):  # type: ignore[operator]
        told = moved_text(one, Wall())
        assert told
        assert "None" not in told
