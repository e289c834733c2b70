"""Scores of starts: the control's worth, history in its place, and caution, each row by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.learn import Learned
from detector.gate.scoring import Account, Scorer
from models.sequential.noise import SCALE_TAU, prior_noise
from models.sequential.rows import ROWS, RowName
from models.sequential.running import Path, Running, Seen, Snapshot, Stretch

ROW = ROWS[RowName.LATENCY]
POINTS = len(ROW.grid.theta)


def scorer(*, told_apart: bool = True) -> Scorer:
    """A latency that history says little of."""
    learned = Learned(row=ROW, noise=prior_noise(SCALE_TAU, 0.02), arm=0.02)
    return Scorer(learned, on_counts=False, told_apart=told_apart)


def slower(rows: int, *, pods: int = 3, by: float = 0.25, requests: float = 100.0) -> Seen:
    """What pods that are slower would show, known to a twentieth."""
    one = -0.5 * ((ROW.grid.theta - by) / 0.05) ** 2
    accounts = np.zeros((rows, pods, len(Account)))
    accounts[..., Account.REQUESTS] = requests
    return Seen(np.tile(one.astype(np.float32), (rows, pods, 1, 1)), accounts)


@given(st.integers(1, 12))
def test_a_control_of_more_pods_lets_evidence_speak(worth: int) -> None:
    """One odd control pod looks like a slow canary; ten of them do not."""
    less, more = scorer().score(slower(2), np.array([worth, worth + 1.0])).arm
    assert less < more


def test_what_was_seen_does_not_depend_on_what_it_is_held_against() -> None:
    """Bounds are read from what the board saw, whatever the control was worth then."""
    one, other = (scorer().score(slower(1), np.array([worth])).shift for worth in (1.0, 9.0))
    np.testing.assert_array_equal(one, other)


def test_what_history_judged_is_worth_less() -> None:
    """Yesterday is no control: the same slowness says less beside it, and least beside it alone."""
    seen = slower(3)
    seen.accounts[1, :, Account.ON_HISTORY] = 50.0
    seen.accounts[2, :, Account.ON_HISTORY] = 100.0
    beside, half, alone = scorer().score(seen, np.full(3, 6.0)).arm
    assert beside > half > alone


def test_caution_is_that_of_the_row_it_belongs_to() -> None:
    """Uneven load on one pod must not excuse the others."""
    seen = slower(2)
    seen.accounts[1, 0, Account.CAUTION] = 20.0
    scores = scorer().score(seen, np.full(2, 6.0))
    assert scores.pods[1, 0] < scores.pods[0, 0]
    np.testing.assert_array_equal(scores.pods[1, 1:], scores.pods[0, 1:])
    assert scores.arm[1] < scores.arm[0]


def test_pods_that_series_do_not_tell_apart_do_not_differ() -> None:
    """A workload's one series would otherwise be a pod that is odd by nature."""
    assert scorer(told_apart=False).kernels(1).tau == pytest.approx(1e-6)


# Which of a few is mixed up shows as well as which of many, for half of the time.
RUNS = st.lists(
    st.tuples(st.integers(0, 9), st.booleans(), st.integers(1, 9)), min_size=1, max_size=4
)


@given(RUNS)
def test_rows_come_in_the_order_of_the_stretches(runs: list[tuple[int, bool, int]]) -> None:
    """Widths and worths are read apart; whose evidence is whose must not get lost."""
    path, held = _path()
    starts = [Stretch(held if settled else None, a, 10) for a, settled, _ in runs]
    worth = np.concatenate([np.full(10 - a, float(w)) for a, _, w in runs])
    together, at = scorer().score_each(path, starts, worth), 0
    for stretch in starts:
        end = at + stretch.end - stretch.begin
        seen = path.since(stretch.before, stretch.begin, stretch.end)
        alone = scorer().score(seen, worth[at:end])
        np.testing.assert_array_equal(together.arm[at:end], alone.arm)
        np.testing.assert_array_equal(together.pods[at:end], alone.pods)
        np.testing.assert_array_equal(together.shift[at:end], alone.shift)
        at = end


def _path() -> tuple[Path, Snapshot]:
    rng = np.random.default_rng(4)
    running = Running(ROW, len(Account), 1)
    running.grow(2)
    running.snapshot(1, running.now, 2, settled=True)
    age = np.full((10, 2), 1000.0) + 15.0 * np.arange(10)[:, None]
    accounts = np.full((10, 2, len(Account)), 10.0)
    accounts[..., Account.CAUTION] = accounts[..., Account.ON_HISTORY] = 0.0
    log_l = rng.normal(0, 1, (10, 2, POINTS)).astype(np.float32)
    return running.path(log_l, age, accounts, np.ones((10, 1))), running.snapshots[1]
