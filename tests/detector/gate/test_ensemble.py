"""Signals side by side: how they lie, what they remember, and that none disturbs another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.gate.frame import Frame
from detector.gate.policy import Policy, SignalPolicy
from tests.detector.gate.rollouts import PLAN, Recipe, Run, make

RECIPE = Recipe(seed=21, bins=60, canary=3, requests=3000.0, slower=0.3, begins=0.5)


def without(frame: Frame, name: str) -> Frame:
    """The frame with a signal that nobody shows."""
    arms = (
        replace(arm, counts={k: c for k, c in arm.counts.items() if k != name})
        for arm in (frame.canary, frame.control)
    )
    canary, control = arms
    return replace(frame, canary=canary, control=control)


@pytest.fixture(scope="module")
def run() -> Run:
    """Fifteen minutes of a release that becomes slower, whose latency is shown only."""
    made = Run(make(RECIPE), Policy(signals={"latency": SignalPolicy(judged=False)}))
    made.all()
    return made


def test_signals_with_cold_starts_lie_apart_from_those_without(run: Run) -> None:
    """One sum for all: a restart has no cold start, and would pay for eight."""
    names = {
        cold: {track.name for track in ensemble.tracks}
        for cold, ensemble in run.session.cast.ensembles.items()
    }
    assert names == {True: {"error_rate", "latency", "tail95"}, False: {"restarts"}}


def test_what_is_only_shown_lies_last(run: Run) -> None:
    """From raw samples a hundred boundaries are read of what is judged, one of what is shown."""
    names = [track.name for track in run.session.cast.ensembles[True].tracks]
    assert names == ["error_rate", "tail95", "latency"]


def test_answers_keep_the_order_of_the_plan(run: Run) -> None:
    """People compare one answer with the next."""
    names = [b.signal.name for b in PLAN.signals if b.signal.name in run.session.tracks]
    assert list(run.session.tracks) == names
    assert [signal.name for signal in run.all().signals] == names


def test_every_track_knows_its_place(run: Run) -> None:
    """Its sums would otherwise be those of a neighbour."""
    for ensemble in run.session.cast.ensembles.values():
        for at, track in enumerate(ensemble.tracks):
            assert track.ensemble is ensemble
            assert track.slot == at
            served = track.accounts[:, 0].sum()
            assert served == pytest.approx(ensemble.running.now.accounts[at, :, 0].sum())


def test_no_bin_beyond_a_grid_says_more_than_its_end(run: Run) -> None:
    """A warm-up reads the grid higher: beyond its end it must read the end."""
    ensemble = run.session.cast.ensembles[True]
    for at, last in enumerate(ensemble.stack.last.tolist()):
        beyond = ensemble.ring[:, at, :, last:]
        np.testing.assert_array_equal(beyond, np.broadcast_to(beyond[..., :1], beyond.shape))


def test_the_newest_bins_are_there_however_many_came_at_once(run: Run) -> None:
    """What one burst carries is looked for in the last minutes, polled each scrape or from raw."""
    often = Run(run.frame, run.policy)
    for bin_ in range(1, run.frame.first + run.frame.bins + 1):
        often.to(bin_)
    for cold, ensemble in run.session.cast.ensembles.items():
        other = often.session.cast.ensembles[cold]
        held = min(len(ensemble.ring), len(other.ring))
        assert held >= 40
        np.testing.assert_array_equal(ensemble.ring[-held:], other.ring[-held:])
        np.testing.assert_array_equal(ensemble.ring_age[-held:], other.ring_age[-held:])


def test_a_signal_that_is_not_there_leaves_the_others_as_they_are(run: Run) -> None:
    """Whether a service tells its errors must not change what its latency says."""
    fewer = Run(without(run.frame, "error_rate"), run.policy)
    fewer.all()
    assert "error_rate" not in fewer.session.tracks
    for name in ("latency", "tail95"):
        one, other = (r.session.tracks[name].present() for r in (run, fewer))
        np.testing.assert_array_equal(one.log_l, other.log_l)
        np.testing.assert_array_equal(one.accounts, other.accounts)


def test_memory_is_that_of_the_newest_bins_and_live_starts(run: Run) -> None:
    """A bake of a day must not hold a day."""
    long = Run(make(replace(RECIPE, bins=240)), run.policy)
    long.all()
    assert long.session.nbytes < 2 * run.session.nbytes
