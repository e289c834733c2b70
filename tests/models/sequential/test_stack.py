"""Rows side by side say what each says alone, to the precision of single numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.bound import Ends, log_bet
from models.sequential.evidence import ceiling, evidence, log_shift
from models.sequential.kernels import Kernels, build_kernels
from models.sequential.rows import ROWS, Row
from models.sequential.running import Running, moved
from models.sequential.stack import Stack, stack_of, stacked
from models.sequential.warmup import GRACE_S, attention, log_priors, template_shifts

COLD = tuple(row for row in ROWS.values() if len(row.templates) > 1)
PLAIN = tuple(row for row in ROWS.values() if len(row.templates) == 1)
TAU = np.array([0.05])

some_rows = st.sampled_from([COLD, PLAIN]).flatmap(
    lambda rows: st.lists(st.sampled_from(rows), min_size=1, max_size=4).map(tuple)
)


def kernels(row: Row) -> Kernels:
    """Kernels with one known sd between units."""
    return build_kernels(row, TAU, np.ones(1), 0.05)


def drawn(stack: Stack, count: int, units: int, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Sums (N, S, P, W, J) filled up as they come, and each row's own."""
    rng = np.random.default_rng(seed)
    own = []
    filled = np.zeros((count, *stack.lead, units, stack.width, stack.points), np.float32)
    for at, row in enumerate(stack.rows):
        shape = (count, units, len(row.templates), len(row.grid.theta))
        sums = rng.normal(0, 2, shape).cumsum(axis=-1).astype(np.float32)
        own.append(sums)
        filled[:, at, :, : shape[2]] = sums[..., -1:]
        filled[:, at, :, : shape[2], : shape[3]] = sums
    return filled, own


@given(some_rows, st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_rows_side_by_side_see_the_shift_that_each_sees_alone(
    rows: tuple[Row, ...], count: int, units: int, seed: int
) -> None:
    """A signal would otherwise be judged by the noise of its neighbour."""
    stack = stack_of(rows)
    sums, own = drawn(stack, count, units, seed)
    arm, each = log_shift(sums, stacked([kernels(row) for row in rows], stack), stack.log_q)
    for at, row in enumerate(rows):
        alone = log_shift(own[at], kernels(row), log_priors(row.templates))
        shifts = len(row.grid.shift)
        np.testing.assert_allclose(arm[:, at, :shifts], alone[0], atol=1e-3)
        np.testing.assert_allclose(each[:, at, :, :shifts], alone[1], atol=1e-3)


@given(some_rows, st.integers(1, 3), st.booleans(), st.integers(0, 99))
def test_evidence_of_rows_side_by_side_is_that_of_each(
    rows: tuple[Row, ...], count: int, cautious: bool, seed: int
) -> None:
    """What is filled up weighs nothing, and each row keeps its own limits."""
    stack, rng = stack_of(rows), np.random.default_rng(seed)
    logs = np.full((count, len(rows), 2, stack.shifts), -60.0)
    caution = rng.uniform(0, 0.5, logs.shape[:-1]) if cautious else None
    for at, row in enumerate(rows):
        shifts = len(row.grid.shift)
        logs[:, at, :, :shifts] = rng.normal(0, 9, (count, 2, shifts))
    made = stacked([kernels(row) for row in rows], stack)
    together = evidence(logs, made, stack, caution)
    for at, row in enumerate(rows):
        own = logs[:, at, :, : len(row.grid.shift)]
        alone = evidence(own, kernels(row), row, None if caution is None else caution[:, at])
        np.testing.assert_allclose(together[:, at], alone, atol=1e-9)
    places = np.nonzero(np.ones((count, len(rows))))
    picked = None if caution is None else caution[places]
    apart = evidence(logs[places], made, stack, picked, places[1])
    np.testing.assert_allclose(apart, together[places], atol=1e-12)


@given(some_rows, st.integers(1, 3), st.sampled_from([0.1, 3.0, 40.0]), st.integers(0, 2**32 - 1))
def test_no_evidence_is_above_its_ceiling(
    rows: tuple[Row, ...], count: int, spread: float, seed: int
) -> None:
    """A pod whose ceiling is low is not looked at closer: a bad one would never be failed."""
    rng = np.random.default_rng(seed)
    stack = stack_of(rows)
    known = stacked([kernels(row) for row in rows], stack)
    logs = rng.normal(0, spread, (count, len(rows), 4, stack.shifts)).cumsum(axis=-1)
    for at, row in enumerate(rows):
        logs[:, at, :, len(row.grid.shift) :] = -90.0
    assert (evidence(logs, known, stack) <= ceiling(logs, known)).all()


def test_a_ceiling_is_near_where_much_was_seen() -> None:
    """One far above would spare nobody a closer look."""
    stack = stack_of(COLD)
    known = stacked([kernels(row) for row in COLD], stack)
    shift = stack.shift[:, :, 0].T
    logs = np.where(np.isfinite(shift), -0.5 * (shift / 0.02) ** 2, -90.0)[None, :, None]
    assert (ceiling(logs, known) < 1.0).all()


@given(some_rows, st.integers(0, 99))
def test_bounds_of_rows_side_by_side_are_those_of_each(rows: tuple[Row, ...], seed: int) -> None:
    """A shift that a row has not would otherwise count as possible harm."""
    stack, rng = stack_of(rows), np.random.default_rng(seed)
    logs = np.full((len(rows), 1, stack.shifts), -np.inf)
    for at, row in enumerate(rows):
        middle = rng.uniform(0.0, 0.3)
        logs[at, 0, : len(row.grid.shift)] = -0.5 * ((row.grid.shift - middle) / 0.1) ** 2
    log_e = log_bet(logs, stacked([kernels(row) for row in rows], stack))
    found = Ends.of(log_e[:, 0], rows, [0.05] * len(rows))
    for at, row in enumerate(rows):
        own = log_bet(logs[at, :, : len(row.grid.shift)], kernels(row))
        alone, beside = Ends.of(own, [row], [0.05]).interval(0), found.interval(at)
        assert (beside.mode, beside.low, beside.high) == pytest.approx(
            (alone.mode, alone.low, alone.high)
        )


@given(some_rows, st.lists(st.floats(0.0, 2000.0), min_size=1, max_size=4))
def test_cold_starts_of_rows_side_by_side_are_those_of_each(
    rows: tuple[Row, ...], ages: list[float]
) -> None:
    """Each signal warms up in its own time, and its young pods count as little as they do alone."""
    stack, age = stack_of(rows), np.array(ages)[None]
    shifts = template_shifts(age[:, None], stack)
    noise = np.linspace(0.02, 0.2, len(rows))[:, None]
    care = attention(age[:, None], stack, noise, grace=np.full_like(noise, GRACE_S))
    for at, row in enumerate(rows):
        width = len(row.templates)
        np.testing.assert_array_equal(shifts[:, at, :, :width], template_shifts(age, row))
        assert not shifts[:, at, :, width:].any()
        np.testing.assert_allclose(care[:, at], attention(age, row, float(noise[at, 0])))


@given(some_rows, st.integers(1, 4), st.floats(0.0, 900.0))
def test_templates_move_a_filled_grid_as_they_move_its_own(
    rows: tuple[Row, ...], bins: int, age: float
) -> None:
    """Where a grid ends its end goes on: a warm-up must not read what lies beyond as health."""
    stack, rng = stack_of(rows), np.random.default_rng(bins)
    ages = age + 15.0 * np.arange(bins)[:, None] * np.ones((1, 2))
    log_l = rng.normal(0, 1, (bins, len(rows), 2, stack.points)).astype(np.float32)
    for at, last in enumerate(stack.last.tolist()):
        log_l[:, at, :, last + 1 :] = log_l[:, at, :, last : last + 1]
    together = moved(log_l, ages, stack)
    for at, row in enumerate(rows):
        points, width = len(row.grid.theta), len(row.templates)
        alone = moved(log_l[:, at, :, :points], ages, row)
        np.testing.assert_array_equal(together[:, at, :, :width, :points], alone)


@given(some_rows, st.integers(1, 5), st.integers(1, 5))
def test_a_row_that_comes_later_finds_the_others_as_they_were(
    rows: tuple[Row, ...], before: int, after: int
) -> None:
    """A signal whose first samples come late must not disturb what is known of the others."""
    grown, whole = (Running(stack_of(rows), 2, 1) for _ in range(2))
    later = stack_of((*rows, rows[0]))
    log_l = np.random.default_rng(before).normal(0, 1, (before + after, 1, 1, later.points))
    age, accounts = np.full((before + after, 1), 5000.0), np.ones((before + after, 1, 1, 2))

    def add(running: Running, begin: int, end: int) -> None:
        count = len(running.row.rows)  # type: ignore[union-attr]
        running.grow(1)
        bins = np.repeat(log_l[begin:end], count, axis=1)
        each = np.repeat(accounts[begin:end], count, axis=1)
        path = running.path(bins, age[begin:end], each, np.ones((end - begin, count, 1)))
        running.keep(path, set(running.snapshots))

    for running in (grown, whole):
        add(running, 0, before)
        running.snapshot(3, running.now, 1, settled=True)
    grown.widen(later, 3, 2)
    add_columns = grown.now.accounts.shape, grown.snapshots[3].accounts.shape
    assert add_columns == ((len(rows) + 1, 1, 3), (len(rows) + 1, 1, 3))
    grown.columns, accounts = 3, np.ones((before + after, 1, 1, 3))
    path = grown.path(
        np.repeat(log_l[before:], len(rows) + 1, axis=1),
        age[before:],
        np.repeat(accounts[before:], len(rows) + 1, axis=1),
        np.ones((after, len(rows) + 1, 2)),
    )
    accounts = np.ones((before + after, 1, 1, 2))
    add(whole, before, before + after)
    np.testing.assert_array_equal(path.log_l[-1][: len(rows)], whole.now.log_l)
    since = path.of_row(len(rows), rows[0], 3, 2).since(
        grown.snapshots[3].of_row(len(rows), rows[0], 3, 2), after - 1, after
    )
    assert (since.accounts == after).all()
