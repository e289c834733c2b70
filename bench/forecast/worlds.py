"""Hourly series as capacity is measured: seasons, growth, shifts, leaks, holidays, accidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["WORLDS", "simulated"]

Floats = NDArray[np.float64]
Rng = np.random.Generator
DAY, WEEK = 24, 168


def simulated(kind: str, hours: int, rng: Rng) -> Floats:
    """One series of a kind: (hours,)."""
    return WORLDS[kind](hours, rng)


def _season(hours: int, rng: Rng) -> Floats:
    """A working day with one or two humps, a quieter weekend: about one, (hours,)."""
    hour = np.arange(hours) % DAY
    peak, width = rng.uniform(10, 20), rng.uniform(3, 6)
    hump = np.exp(-0.5 * ((hour - peak) / width) ** 2)
    second = rng.uniform(0, 0.6) * np.exp(-0.5 * ((hour - peak + rng.uniform(6, 9)) / 2) ** 2)
    quiet = 1 - rng.uniform(0, 0.6) * (np.arange(hours) // DAY % 7 >= 5)
    season: Floats = 1 + rng.uniform(0.3, 1.5) * (hump + second) * quiet + 0.2 * (quiet - 1)
    return season


def _noise(hours: int, rng: Rng, size: float) -> Floats:
    """Dependent noise, with a spike now and then."""
    kept = rng.uniform(0.3, 0.9)
    noise = np.empty(hours)
    now = 0.0
    for hour, drawn in enumerate(rng.standard_normal(hours)):
        noise[hour] = now = kept * now + drawn * np.sqrt(1 - kept**2)
    spikes = (rng.random(hours) < 0.003) * rng.exponential(6, hours)
    return size * (noise + spikes)


def _wander(hours: int, rng: Rng, size: float) -> Floats:
    """A level that goes its own way, `size` in a week."""
    wander: Floats = np.cumsum(rng.standard_normal(hours)) * size / np.sqrt(WEEK)
    return wander


def _traffic(hours: int, rng: Rng) -> Floats:
    """Requests that grow by a share a week, seasons with them."""
    grown = np.exp(rng.normal(0.01, 0.015) * np.arange(hours) / WEEK + _wander(hours, rng, 0.03))
    return 100 * grown * np.maximum(_season(hours, rng) + _noise(hours, rng, 0.06), 0.05)


def _cpu(hours: int, rng: Rng) -> Floats:
    """Cores: a floor beside what traffic costs, and a release that moved the level."""
    used = 2 + _season(hours, rng) * (1 + _wander(hours, rng, 0.03)) + _noise(hours, rng, 0.08)
    at = int(rng.uniform(0.2, 0.9) * hours)
    used[at:] *= rng.choice([0.8, 1.15, 1.3])
    return np.maximum(used, 0.01)


def _memory(hours: int, rng: Rng) -> Floats:
    """A leak that restarts clear, round a level that wanders."""
    between = int(rng.uniform(60, 400))
    leak = (np.arange(hours) + int(rng.uniform(0, between))) % between / between
    season = 0.1 * _season(hours, rng)
    return (
        8
        + rng.uniform(0.3, 2) * leak
        + season
        + _wander(hours, rng, 0.2)
        + _noise(hours, rng, 0.04)
    )


def _disk(hours: int, rng: Rng) -> Floats:
    """A volume that fills, with logs rotated each day or week."""
    rotated = rng.choice([DAY, WEEK])
    saw = rng.uniform(0.5, 4) * (np.arange(hours) % rotated) / rotated
    written = rng.uniform(0.002, 0.03) * (0.5 + 0.5 * _season(hours, rng))
    slower = np.where(np.arange(hours) < rng.uniform(0, 0.7) * hours, rng.choice([0.4, 1, 1, 2]), 1)
    filled: Floats = 60 + np.cumsum(written * slower) + saw + _noise(hours, rng, 0.05)
    return filled


def _queue(hours: int, rng: Rng) -> Floats:
    """A backlog: nothing most of the time, and a job each night."""
    busy = (np.arange(hours) % DAY == int(rng.uniform(0, 23))) * rng.gamma(3, 40, hours)
    waiting: Floats = np.round(busy + (rng.random(hours) < 0.1) * rng.exponential(10, hours))
    return waiting


def _holidays(hours: int, rng: Rng) -> Floats:
    """Traffic that sleeps on a few days, of which nobody tells."""
    used = _traffic(hours, rng)
    for day in rng.choice(hours // DAY, size=max(hours // DAY // 30, 1), replace=False):
        used[day * DAY : (day + 1) * DAY] *= 0.6
    return used


def _connections(hours: int, rng: Rng) -> Floats:
    """Whole numbers with a ceiling that they lean on."""
    asked = 60 * _season(hours, rng) * (1 + _wander(hours, rng, 0.05)) + _noise(hours, rng, 6)
    return np.clip(np.round(asked), 0, 150)


WORLDS: Mapping[str, Callable[[int, Rng], Floats]] = {
    "traffic": _traffic,
    "cpu": _cpu,
    "memory": _memory,
    "disk": _disk,
    "queue": _queue,
    "holidays": _holidays,
    "connections": _connections,
}
