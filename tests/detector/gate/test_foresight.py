"""Bins that are known before they are final give the answers that they give poll by poll."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from detector.gate.frame import Frame, truncated
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy
from detector.gate.request import Stage
from detector.gate.session import Session
from detector.series import Answer
from detector.signals.plan import Reading
from tests.detector.gate.rollouts import PLAN, Arrays, Recipe, make

RECIPE = Recipe(seed=8, bins=64, canary=4, slower=0.2, begins=0.4)


@dataclass(slots=True)
class Known:
    """Frames of a rollout that is past; how often it was asked what comes is counted."""

    frame_: Frame
    inner: Arrays
    looked: int = 0
    due: int = 0

    def readings(self) -> tuple[Reading, ...]:
        return ()

    def append(self, readings: Sequence[Reading], answers: Sequence[Answer], *, now: float) -> int:
        self.due = self.inner.append(readings, answers, now=now)
        return self.due

    def frame(self) -> Frame:
        return self.inner.frame()

    def drop_before(self, bin_: int) -> None:
        """Nothing is forgotten."""

    def coming(self, bins: int) -> Frame:
        self.looked += 1
        return truncated(self.frame_, self.due + bins)


def asked(session: Session, frame: Frame, each: int) -> Iterator[Judgement]:
    """What is said each time so many bins are over."""
    for bin_ in range(each, frame.first + frame.bins + 1, each):
        now = bin_ * frame.step
        session.feed((), (), now=now)
        yield session.judge(as_of=now, stage=Stage.STEP, deadline=None)


def session_of(frame: Frame, *, foresees: bool) -> tuple[Session, Known]:
    """A session that knows what comes, or does not."""
    source = Known(frame, Arrays(frame))
    session = Session(PLAN, Policy(), start=0.0, interval=frame.step, frames=source)
    session.foresight = source if foresees else None
    return session, source


@pytest.mark.parametrize("each", [1, 2, 5])
def test_what_is_known_early_changes_no_answer(each: int) -> None:
    """A backtest would otherwise promise what the gate does not do."""
    frame = make(RECIPE)
    early, source = session_of(frame, foresees=True)
    late, _ = session_of(frame, foresees=False)
    assert list(asked(early, frame, each)) == list(asked(late, frame, each))
    assert early.first_fail == late.first_fail
    assert source.looked < len(range(each, frame.first + frame.bins + 1, each))


def test_sums_are_the_same_to_the_bit() -> None:
    """What differs in the last digit now decides otherwise some day."""
    frame = make(RECIPE)
    early, late = (session_of(frame, foresees=foresees)[0] for foresees in (True, False))
    for session in (early, late):
        list(asked(session, frame, 2))
    for name, track in late.tracks.items():
        other = early.tracks[name]
        np.testing.assert_array_equal(other.present().log_l, track.present().log_l)
        np.testing.assert_array_equal(other.accounts, track.accounts)
