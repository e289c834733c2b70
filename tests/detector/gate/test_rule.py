"""A poll reads its newest boundary in one batch: the same bits as reading each start alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.rule import Span, Timetable, board
from detector.gate.track import Track
from models.sequential.running import Stretch
from models.sequential.shares import Start
from tests.detector.gate.rollouts import Recipe, Run, make


def judged() -> Run:
    """A rollout of twelve minutes, all of it judged."""
    run = Run(make(Recipe(seed=5, bins=48, canary=4)))
    run.all()
    return run


@pytest.fixture(scope="module")
def run() -> Run:
    """One rollout for all."""
    return judged()


def tracks(run: Run) -> list[Track]:
    """All signals of the rollout."""
    return list(run.session.tracks.values())


def test_a_poll_reads_what_each_start_says_alone(run: Run) -> None:
    """A verdict would otherwise depend on how many starts live beside."""
    live, worth = run.session.clock.live, np.array([6.0])
    for track in tracks(run):
        path = track.present()
        starts = [Stretch(track.before(start), 0, 1) for start in live]
        together = track.scorer.score_each(path, starts, np.repeat(worth, len(starts)))
        for row, start in enumerate(live):
            alone = track.scorer.score(track.since(start, path, 0, 1), worth)
            np.testing.assert_array_equal(together.arm[row], alone.arm[0])
            np.testing.assert_array_equal(together.pods[row], alone.pods[0])
            np.testing.assert_array_equal(together.shift[row], alone.shift[0])


def test_the_shift_that_a_board_holds_is_that_of_its_sums(run: Run) -> None:
    """Bounds of harm are read from it: a wrong row would pass what is harmful."""
    live = run.session.clock.live
    for track in tracks(run):
        rows = Timetable.of([Span(start, 0, 1) for start in live])
        read = board(track, track.present(), rows, np.array([6.0]), 0.001, 0)
        for start in live:
            seen = track.since(start, track.present(), 0, 1)
            shift = track.scorer.log_shift(seen)[0][0]
            np.testing.assert_array_equal(read.arm_shift(start), shift)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=6))
def test_a_timetable_has_a_row_for_each_boundary_a_start_lives(runs: list[tuple[int, int]]) -> None:
    """A row of another start's share would need too much evidence, or too little."""
    spans = [Span(Start(k, 4 * k), first, first + n) for k, (first, n) in enumerate(runs)]
    rows = Timetable.of(spans)
    expected = [(s.start, at) for s in spans for at in range(s.first, s.last)]
    assert list(zip(rows.starts, rows.at.tolist(), strict=True)) == expected
    np.testing.assert_allclose(np.exp(rows.log_share), [s.share for s, _ in expected])
