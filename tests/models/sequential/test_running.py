"""Running sums: any chunking gives the same bits; snapshots and templates agree."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.rows import ROWS, RowName
from models.sequential.running import Path, Running, Stretch, moved
from models.sequential.warmup import SETTLED_S, attention, template_shifts

ROW = ROWS[RowName.LATENCY]
POINTS = len(ROW.grid.theta)


def bins(count: int, units: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Likelihoods and ages of `count` bins."""
    rng = np.random.default_rng(seed)
    log_l = rng.normal(0, 1, (count, units, POINTS)).astype(np.float32)
    age = np.cumsum(np.full((count, units), 15.0), axis=0)
    return log_l, age


def add(running: Running, log_l: np.ndarray, age: np.ndarray) -> Path:
    """Add bins and keep them."""
    running.grow(log_l.shape[1])
    accounts, reference = np.ones((*age.shape, 2)), np.ones((len(age), 1))
    path = running.path(log_l, age, accounts, reference)
    running.keep(path, set(running.snapshots))
    return path


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_any_chunking_gives_the_same_bits(chunks: list[int]) -> None:
    """Polling often or once is one and the same sum."""
    log_l, age = bins(sum(chunks), 3)
    whole, parts = Running(ROW, 2, 1), Running(ROW, 2, 1)
    add(whole, log_l, age)
    at = 0
    for size in chunks:
        add(parts, log_l[at : at + size], age[at : at + size])
        at += size
    np.testing.assert_array_equal(whole.now.log_l, parts.now.log_l)
    np.testing.assert_array_equal(whole.now.accounts, parts.now.accounts)


@given(st.integers(1, 20), st.integers(1, 20))
def test_since_is_what_came_after(before: int, after: int) -> None:
    """A snapshot taken off gives the sums of the later bins alone."""
    log_l, age = bins(before + after, 2)
    running = Running(ROW, 2, 1)
    add(running, log_l[:before], age[:before])
    running.snapshot(5, running.now, 2, settled=False)
    path = add(running, log_l[before:], age[before:])
    since = path.since(running.snapshots[5], after - 1, after)
    expected = moved(log_l[before:], age[before:], ROW).sum(axis=0)
    np.testing.assert_allclose(since.log_l[0], expected, atol=1e-4)
    assert (since.accounts[0] == after).all()


def test_settled_snapshot_holds_one_template() -> None:
    """Once all units are old the templates coincide, and one of them is enough."""
    log_l, age = bins(120, 2)
    full, slim = Running(ROW, 2, 1), Running(ROW, 2, 1)
    for running, settled in ((full, False), (slim, True)):
        add(running, log_l[:60], age[:60])
        running.snapshot(1, running.now, 2, settled=settled)
    one = add(full, log_l[60:], age[60:]).since(full.snapshots[1], 59, 60)
    two = add(slim, log_l[60:], age[60:]).since(slim.snapshots[1], 59, 60)
    assert two.log_l.shape[2] == 1
    np.testing.assert_allclose(one.log_l[0, :, 3], two.log_l[0, :, 0], atol=1e-3)


def test_newcomer_after_a_settled_snapshot_keeps_its_templates() -> None:
    """A pod that appears later is young and needs them all."""
    log_l, age = bins(120, 3)
    age[:, 2] = np.where(np.arange(120) < 60, np.nan, age[:, 2] - 900)
    log_l[:60, 2] = 0
    running = Running(ROW, 2, 1)
    add(running, log_l[:60], age[:60])
    running.snapshot(1, running.now, 2, settled=True)
    since = add(running, log_l[60:], age[60:]).since(running.snapshots[1], 59, 60)
    assert since.log_l.shape[2] == len(ROW.templates)
    np.testing.assert_allclose(
        since.log_l[0, 2], moved(log_l[60:], age[60:], ROW)[:, 2].sum(axis=0), rtol=1e-7, atol=1e-6
    )


def test_templates_vanish_with_age() -> None:
    """Past twelve minutes no template moves the grid."""
    for row in ROWS.values():
        assert not template_shifts(np.array([SETTLED_S, 5000.0, np.nan]), row).any()
        assert template_shifts(np.array([50.0]), row)[0, 0] == 0


def test_a_template_reads_the_grid_higher() -> None:
    """Under a warm-up of a log units the observed effect is a more."""
    log_l = np.zeros((1, 1, POINTS))
    log_l[0, 0, ROW.grid.zero + 12] = 1.0
    shifts = template_shifts(np.array([[60.0]]), ROW)[0, 0]
    seen = moved(log_l, np.array([[60.0]]), ROW)[0, 0]
    for template, shift in enumerate(shifts):
        peak = ROW.grid.zero + 12 - shift
        assert seen[template].argmax() == max(peak, 0) or not seen[template].any()


@given(st.floats(0, 2000))
def test_attention_is_a_share(age: float) -> None:
    """Between nothing for the newborn and all for the old."""
    value = attention(np.array([age]), ROW, 0.05)[0]
    assert 0 <= value <= 1
    assert attention(np.array([np.nan, 10.0]), ROW, 0.05).sum() == 0
    assert attention(np.array([5000.0]), ROW, 0.05)[0] > 0.99


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=5),
    st.integers(0, 5),
)
def test_starts_read_together_are_those_read_alone(starts: list[tuple[int, bool]], at: int) -> None:
    """A poll reads all starts in one batch; a verdict must not depend on that."""
    log_l, age = bins(12, 3)
    running = Running(ROW, 2, 1)
    add(running, log_l[:6], age[:6])
    for number, (known, settled) in enumerate(starts):
        running.snapshot(number, running.now, known, settled)
    path = add(running, log_l[6:], age[6:])
    held = [None, *running.snapshots.values()]
    each = path.since_each([Stretch(one, at, at + 1) for one in held], len(ROW.templates))
    for row, start in enumerate(held):
        alone = path.since(start, at, at + 1)
        np.testing.assert_array_equal(
            each.log_l[row], np.broadcast_to(alone.log_l[0], each.log_l[row].shape)
        )
        np.testing.assert_array_equal(each.accounts[row], alone.accounts[0])


def test_one_template_stands_for_all_of_a_settled_start() -> None:
    """Eight times the work of a poll is left out where all templates say the same."""
    log_l, age = bins(8, 2)
    running = Running(ROW, 2, 1)
    add(running, log_l[:4], age[:4])
    running.snapshot(1, running.now, 2, settled=True)
    path = add(running, log_l[4:], age[4:])
    since = path.since(running.snapshots[1], 0, 4)
    assert since.log_l.shape[2] == 1
    expected = moved(log_l[4:], age[4:], ROW)[:, :, 0].cumsum(axis=0)
    np.testing.assert_allclose(since.log_l[:, :, 0], expected, atol=1e-5)


def test_one_template_stands_only_for_units_that_were_there() -> None:
    """A newcomer's cold start would be read as a fault, were it not told apart."""
    log_l, age = bins(8, 3)
    running = Running(ROW, 2, 1)
    add(running, log_l[:4, :2], age[:4, :2])
    running.snapshot(1, running.now, 2, settled=True)
    assert running.present().width(running.snapshots[1]) == 1
    assert add(running, log_l[4:], age[4:]).width(running.snapshots[1]) == len(ROW.templates)


@given(st.floats(10.0, 1e5), st.integers(1, 5))
def test_little_is_told_apart_after_much(much: float, later: int) -> None:
    """After a day of traffic a new fault's few nats are seen beside sums of a hundred thousand."""
    log_l, age = bins(1 + later, 2)
    log_l[0] *= np.float32(much)
    running = Running(ROW, 2, 1)
    add(running, log_l[:1], age[:1])
    running.snapshot(1, running.now, 2, settled=False)
    held = running.snapshots[1].log_l.astype(np.float64)
    path = add(running, log_l[1:], age[1:])
    seen = path.since(running.snapshots[1], later - 1, later)
    exact = path.log_l[-1] - held
    np.testing.assert_allclose(seen.log_l[0], exact, rtol=3e-7, atol=1e-6)
