"""A poll reads its newest boundary in one batch: the same bits as reading each start alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.ensemble import Ensemble
from detector.gate.rule import Board, Span, Timetable, boards
from models.sequential.shares import Start
from tests.detector.gate.rollouts import Recipe, Run, make

WORTH = np.array([6.0])


def judged() -> Run:
    """A rollout of twelve minutes, all of it judged."""
    run = Run(make(Recipe(seed=5, bins=48, canary=4)))
    run.all()
    return run


@pytest.fixture(scope="module")
def run() -> Run:
    """One rollout for all."""
    return judged()


def each(run: Run) -> Iterator[Ensemble]:
    """All signals of the rollout, as they lie side by side."""
    yield from run.session.cast.ensembles.values()


def newest(run: Run) -> Timetable:
    """Its newest boundary."""
    return Timetable.of([Span(start, 0, 1) for start in run.session.clock.live])


def read(ensemble: Ensemble, rows: Timetable) -> dict[str, Board]:
    """All boards of an ensemble."""
    asked = [rows] * len(ensemble.tracks)
    return boards(ensemble, ensemble.running.present(), asked, WORTH, 0.001, 0)


def test_a_poll_reads_what_each_start_says_alone(run: Run) -> None:
    """A verdict would otherwise depend on how many starts live beside."""
    for ensemble in each(run):
        together = read(ensemble, newest(run))
        for row, start in enumerate(run.session.clock.live):
            for name, alone in read(ensemble, Timetable.of([Span(start, 0, 1)])).items():
                np.testing.assert_array_equal(together[name].log_e[row], alone.log_e[0])
                np.testing.assert_array_equal(together[name].shift[row], alone.shift[0])


def test_a_signal_has_the_same_bits_beside_any_other(run: Run) -> None:
    """A verdict would otherwise change with a signal that nobody asked for."""
    for ensemble in each(run):
        rows, path = newest(run), ensemble.running.present()
        for apart in range(1, len(ensemble.tracks)):
            asked = [rows] * apart + [newest(run)] * (len(ensemble.tracks) - apart)
            parted = boards(ensemble, path, asked, WORTH, 0.001, 0)
            for name, board in read(ensemble, rows).items():
                np.testing.assert_array_equal(parted[name].log_e, board.log_e)
                np.testing.assert_array_equal(parted[name].shift, board.shift)


def test_a_board_says_of_a_signal_what_its_own_sums_say(run: Run) -> None:
    """Bounds of harm are read from it: a wrong row would pass what is harmful."""
    for ensemble in each(run):
        together = read(ensemble, newest(run))
        for track in ensemble.tracks:
            board = together[track.name]
            for row, start in enumerate(run.session.clock.live):
                seen = track.since(start, track.present(), 0, 1)
                alone = track.scorer.score(seen, WORTH)
                np.testing.assert_allclose(board.arm_shift(start), alone.shift[0], atol=2e-4)
                told = board.log_e[row] > -np.inf
                assert told[0]
                np.testing.assert_allclose(board.log_e[row, told], alone.each[0, told], atol=2e-4)
                least = board.log_needed[row] - board.base
                assert (alone.each[0, ~told] <= least[~told] + 2e-4).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=6))
def test_a_timetable_has_a_row_for_each_boundary_a_start_lives(runs: list[tuple[int, int]]) -> None:
    """A row of another start's share would need too much evidence, or too little."""
    spans = [Span(Start(k, 4 * k), first, first + n) for k, (first, n) in enumerate(runs)]
    rows = Timetable.of(spans)
    expected = [(s.start, at) for s in spans for at in range(s.first, s.last)]
    assert list(zip(rows.starts, rows.at.tolist(), strict=True)) == expected
    np.testing.assert_allclose(np.exp(rows.log_share), [s.share for s, _ in expected])
