"""Hourly series as capacity is measured."""

from __future__ import annotations

import numpy as np
import pytest

from bench.forecast.worlds import WORLDS, simulated

HOURS = 12 * 168
each = pytest.mark.parametrize("kind", WORLDS)


def made(kind: str, seed: int = 0) -> np.ndarray:
    """One of its kind."""
    return simulated(kind, HOURS, np.random.default_rng(seed))


@each
def test_a_world_is_as_long_as_asked_and_comes_again(kind: str) -> None:
    """Numbers, the same by the seed, others by another."""
    values = made(kind)
    assert values.shape == (HOURS,)
    assert np.isfinite(values).all()
    assert (values == made(kind)).all()
    assert (values != made(kind, 1)).any()


@pytest.mark.parametrize("kind", sorted(set(WORLDS) - {"memory"}))
def test_nothing_is_used_less_than_nothing(kind: str) -> None:
    """Requests, cores, bytes, lines in a queue."""
    assert min(made(kind, seed).min() for seed in range(5)) >= 0


def test_traffic_has_days() -> None:
    """An hour is more like that of the day before than like that of half a day before."""
    for seed in range(5):
        values = np.log(made("traffic", seed))
        day, half = (np.abs(values[lag:] - values[:-lag]).mean() for lag in (24, 12))
        assert day < half


def test_disks_fill() -> None:
    """Each week more than the week before, at the median."""
    for seed in range(5):
        weeks = made("disk", seed).reshape(-1, 168).mean(axis=1)
        assert np.median(np.diff(weeks)) > 0


def test_queues_are_mostly_empty_and_counts() -> None:
    """But for a job each night."""
    for seed in range(5):
        values = made("queue", seed)
        assert (values == 0).mean() > 0.5
        assert (values == np.round(values)).all()
        assert values.max() > 50


def test_connections_lean_on_their_ceiling() -> None:
    """Some of them."""
    values = np.stack([made("connections", seed) for seed in range(10)])
    assert values.max() == 150
    assert (values == np.round(values)).all()


def test_memory_is_given_back_at_once() -> None:
    """A leak falls further in an hour than it ever rises."""
    falls = [
        np.diff(made("memory", seed)).min() / -np.diff(made("memory", seed)).max()
        for seed in range(9)
    ]
    assert np.median(falls) > 1


def test_cores_moved_with_a_release() -> None:
    """A level of before and one of after, in most worlds."""
    ratios = [made("cpu", seed)[-168:].mean() / made("cpu", seed)[:168].mean() for seed in range(9)]
    assert np.median(np.abs(np.log(ratios))) > 0.05
