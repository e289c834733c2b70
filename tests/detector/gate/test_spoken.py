"""When a template of log lines came on which side: what a person asks right after "which line"."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.frame import Frame, truncated
from detector.gate.spoken import Course, Spoken, spoken
from tests.detector.gate.logged import LOGGED, NEW, Talk, logged
from tests.detector.gate.rollouts import PLAN, Recipe

FRAME = logged(Recipe(seed=3), Talk(canary={NEW: 0.01}, later=40))


def told(frame: Frame = FRAME, *templates: str, most: int = 500) -> Spoken:
    return spoken(frame, LOGGED, templates or (NEW, "lt_0a"), most=most)


def course(template: str, frame: Frame = FRAME) -> Course:
    (found,) = told(frame, template).courses
    return found


def test_a_new_template_came_on_the_canary_and_never_on_the_control() -> None:
    """The first question at night: since when, and was it ever there before?"""
    new = course(NEW)
    assert new.canary_first is not None
    assert 0 <= new.canary_first - (FRAME.start + 40 * FRAME.step) <= 10 * FRAME.step
    assert (new.control_first, new.control_last, new.before) == (None, None, 0.0)
    assert (new.pods, new.of) == (len(FRAME.canary.pods), len(FRAME.canary.pods))


def test_a_known_template_was_there_before() -> None:
    """An old acquaintance is no news, however it is counted."""
    known = course("lt_0a")
    assert known.before > 0
    assert known.control_first is not None
    assert known.control_first < FRAME.start < (known.control_last or 0.0)


def test_one_pod_alone_is_told_as_one() -> None:
    """One bad node is another story than a bad release."""
    alone = logged(Recipe(seed=3), Talk(canary={NEW: 0.05}, pods=[0]))
    assert course(NEW, alone).pods == 1


def test_the_curve_is_lines_per_request() -> None:
    """As often as it was written: one request in a hundred from the fortieth bin on."""
    curve = course(NEW).curve
    assert curve is not None
    late = curve.times > FRAME.start + 60 * FRAME.step
    assert np.nanmean(curve.canary[late]) == pytest.approx(0.01, rel=0.2)
    assert np.nanmax(curve.control) == 0


def test_pods_of_both_sides_are_named() -> None:
    """Traces know pods, and so are compared."""
    found = told()
    assert (found.canary, found.control) == (FRAME.canary.pods, FRAME.control.pods)
    seen = np.flatnonzero(FRAME.control.seen.sum(axis=0) > 0)[0]
    assert found.since == FRAME.start + (FRAME.first + seen) * FRAME.step


def test_what_nobody_wrote_and_what_nobody_counts_has_no_course() -> None:
    """Rare templates together have an id that is none, and older rollouts have no lines."""
    assert told(FRAME, "others", "lt_nobody").courses == ()
    assert told(replace(FRAME, lines=None), NEW).courses == ()
    silent = spoken(FRAME, PLAN, (NEW,), most=100).courses
    assert [one.curve for one in silent] == [None]


@given(end=st.integers(1, 60), most=st.integers(2, 200))
def test_no_course_changes_its_past_as_time_goes_on(end: int, most: int) -> None:
    """A page that refreshes does not move the first line."""
    before, after = told(truncated(FRAME, end), most=most), told(most=most)
    for then, now in zip(before.courses, after.courses, strict=True):
        assert then.before == now.before
        assert then.canary_first in (None, now.canary_first)
        assert then.control_first in (None, now.control_first)
        assert then.pods <= now.pods
