"""When an attempt fails: freshness, bursts, outages, and what a policy combines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.gate.expression import all_of, signal
from detector.gate.frame import Frame
from detector.gate.policy import Policy
from tests.detector.gate.rollouts import Recipe, Run, make

BAD = make(Recipe(seed=8, bins=60, canary=3, more_errors=0.08, begins=0.3))


def failed_at(run: Run) -> float | None:
    """When the attempt failed, seconds from its start."""
    run.all()
    first = run.session.first_fail
    return None if first is None else first.at


def silent(frame: Frame, arm: str, since: int) -> Frame:
    """The frame in which an arm is not scraped any more from bin `since` on."""
    held = getattr(frame, arm)
    seen = held.seen.copy()
    seen[:, since - frame.first :] = 0.0
    return replace(frame, **{arm: replace(held, seen=seen)})


def test_a_release_that_fails_requests_fails() -> None:
    """What all of this is for."""
    at = failed_at(Run(BAD))
    assert at is not None
    assert 18 * 15.0 < at < 40 * 15.0


@pytest.mark.parametrize("arm", ["canary", "control"])
def test_nobody_is_failed_on_old_data(arm: str) -> None:
    """A source that hangs is no fault of the release."""
    assert failed_at(Run(silent(BAD, arm, 18))) is None


def test_evidence_stands_on_the_boundary_at_which_it_was_found() -> None:
    """The answer tells since when and by which signal, whenever it is asked."""
    once, often = Run(BAD), Run(BAD)
    for bin_ in range(1, 61):
        often.to(bin_)
    assert failed_at(once) == failed_at(often)
    assert once.session.failing.found is not None
    assert once.session.first_fail is not None
    assert once.session.failing.found.track.name == once.session.first_fail.signal


def test_a_burst_is_held_and_not_failed() -> None:
    """One bad minute is what a deployment looks like; it is said, and waited for."""
    frame = make(Recipe(seed=5, canary=4))
    counts, at = frame.canary.counts["error_rate"], 70 - frame.first
    counts.x[:, at : at + 4] = 0.1 * counts.n[:, at : at + 4]
    run = Run(frame)
    run.to(74)
    assert run.session.first_fail is None
    assert run.session.failing.burst is not None


def test_what_a_policy_combines_must_all_be_proved() -> None:
    """Errors alone do not fail a release of which both are asked."""
    both = Policy(fail_when=all_of(signal("error_rate"), signal("latency")))
    assert failed_at(Run(BAD, both)) is None


def test_boards_are_those_of_the_newest_boundary() -> None:
    """What is shown must not be what was found a quarter of an hour ago."""
    run = Run(BAD)
    run.all()
    last = run.session.done - 1
    assert set(run.session.failing.boards) == set(run.session.tracks)
    for board in run.session.failing.boards.values():
        assert set(board.bins.tolist()) == {last}
        assert len(np.unique([s.index for s in board.starts])) == len(board.starts)
