"""Bins of overloaded pods: they may not fail a release, and yet bound the harm it may do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.gate.scoring import Account
from detector.gate.track import Track
from tests.detector.gate.rollouts import Recipe, Run, make

EVEN, HEAVY = 1 / 7, 0.5


def judged(*shares: float, polls: tuple[int, ...] = (48,), **more: float) -> Run:
    """One canary beside six control pods for twelve minutes, read at the given bins."""
    run = Run(make(Recipe(seed=11, canary=1, control=6, bins=48, shares=shares, **more)))  # type: ignore[arg-type]
    for poll in polls:
        run.to(poll)
    return run


def latency(run: Run) -> Track:
    """The track that load masks."""
    return run.session.tracks["latency"]


def test_nothing_is_kept_aside_while_load_is_comparable() -> None:
    """Every rollout would otherwise pay in memory and time for what few of them need."""
    assert all(track.muted is None for track in judged(EVEN).session.tracks.values())


@pytest.mark.parametrize("name", ["error_rate", "restarts"])
def test_load_excuses_no_errors(name: str) -> None:
    """A canary that fails under load it is given fails."""
    assert judged(HEAVY).session.tracks[name].muted is None


def test_an_overloaded_pod_slows_down_without_blame_but_not_without_bound() -> None:
    """Waiting in a queue is the load's doing; that it is harmless nobody knows."""
    run = judged(EVEN, HEAVY, slower=0.4, begins=0.5)
    track, start = latency(run), run.session.clock.live[0]
    heard = track.since(start, track.present(), 0, 1)
    all_of_it = track.bounding(start)
    shift = track.learned.row.grid.shift
    blamed, bounded = (
        shift[track.scorer.log_shift(seen)[0][0].argmax()] for seen in (heard, all_of_it)
    )
    assert blamed < 0.1
    assert bounded > 0.15


def test_requests_of_overloaded_bins_share_the_mask() -> None:
    """The mask is one for all requests: what was not heard must not make it look larger."""
    run = judged(EVEN, HEAVY)
    track, start = latency(run), run.session.clock.live[0]
    heard = track.counted(start)
    served = run.frame.canary.requests[0, -45:].sum()
    assert heard[:, Account.REQUESTS].sum() < 0.5 * served
    assert heard[:, Account.MASK].sum() == pytest.approx(track.mask(start) * served)


def test_polling_changes_nothing_of_what_is_kept_aside() -> None:
    """Whether a pod was found overloaded in a batch of bins or alone is no matter."""
    shares = (EVEN, HEAVY, EVEN)
    once, often = judged(*shares), judged(*shares, polls=tuple(range(1, 49)))
    for track, other in zip(
        once.session.tracks.values(), often.session.tracks.values(), strict=True
    ):
        assert (track.muted is None) == (other.muted is None)
        if track.muted is not None and other.muted is not None:
            np.testing.assert_array_equal(track.muted.now.log_l, other.muted.now.log_l)
            assert track.muted.snapshots.keys() == other.muted.snapshots.keys()
    assert latency(once).muted is not None


def stretched(*, slower: float = 0.0, used: float = 0.15, polls: tuple[int, ...] = (100,)) -> Run:
    """A canary of two pods that takes half of the traffic of four: the load each always had."""
    recipe = Recipe(seed=12, canary=2, control=4, requests=400.0, shares=(0.2, 0.5), used=used)
    run = Run(make(replace(recipe, slower=slower, begins=0.5)))
    for poll in polls:
        run.to(poll)
    return run


def test_a_release_that_is_slow_at_a_load_the_service_knows_is_judged() -> None:
    """A fault that shows at full weight only would otherwise never be found."""
    run = stretched(slower=0.4)
    assert run.session.first_fail is not None
    assert run.session.first_fail.signal == "latency"


@pytest.mark.parametrize("used", [0.0, 0.15, 0.3, 0.5])
def test_a_healthy_release_is_not_blamed_for_the_load_it_is_given(used: float) -> None:
    """A service that waits more the more it has to do is not worse for the weight it got."""
    assert stretched(used=used).session.first_fail is None


def test_polling_changes_nothing_of_what_load_explains() -> None:
    """An answer depends on the samples, not on how often somebody asked."""
    once, often = stretched(slower=0.4), stretched(slower=0.4, polls=tuple(range(1, 101)))
    assert once.session.first_fail == often.session.first_fail
    np.testing.assert_array_equal(latency(once).accounts, latency(often).accounts)


def test_a_fail_says_what_load_explains() -> None:
    """A person who sees twice the load asks at once whether that is all there is."""
    judgement = stretched(slower=0.4).to(100)
    signal = next(s for s in judgement.signals if s.name == "latency")
    assert "beyond what its load explains (x1." in judgement.reason.text
    assert 1.1 < float(signal.details["load_explains"] or 0) < 1.5


def test_even_load_explains_nothing() -> None:
    """Otherwise every verdict would carry an excuse that nobody needs."""
    judgement = judged(EVEN).to(48)
    assert all(s.details["load_explains"] == 1.0 for s in judgement.signals if s.details)
