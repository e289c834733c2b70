"""The outlook on real counts: a city's taxi rides by the half hour, with its days and weeks."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.baseline.outlook import Season, outlook

RIDES = Path(__file__).resolve().parents[3].parent / (
    "shared/data/nab/data/realKnownCause/nyc_taxi.csv"
)
A_DAY, WEEKS = 48, 14 * 48


def rides() -> tuple[np.ndarray, np.ndarray]:
    """Numbers of half hours since 1970, and rides in each."""
    if not RIDES.exists():
        pytest.skip("the benchmark's data are not here")
    with RIDES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    times = [datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC) for row in rows]
    slots = np.array([int(time.timestamp()) // 1800 for time in times], np.int64)
    return slots, np.array([float(row["value"]) for row in rows])


def test_of_a_year_s_rides_as_many_are_within_as_is_said() -> None:
    """Two weeks foretell the next half hour, over holidays, a storm and a marathon."""
    slots, counted = rides()
    effect = np.diff(np.log(counted + 1))
    variance = 1 / (counted[1:] + 1) + 1 / (counted[:-1] + 1)
    inside, seasons, wide = {0.8: 0, 0.95: 0, 0.99: 0}, set(), []
    ends = range(WEEKS, len(effect), 31)
    for end in ends:
        past = slice(end - WEEKS, end)
        slot = slots[1:][past]
        found = outlook(effect[past], variance[past], slot, float(slots[end + 1]), a_day=A_DAY)
        seasons.add(found.season)
        wide.append(found.interval(0.95)[1] - found.shift)
        for coverage in inside:
            low, high = found.interval(coverage)
            inside[coverage] += low <= effect[end] <= high
    shares = {coverage: count / len(ends) for coverage, count in inside.items()}
    assert shares == pytest.approx({0.8: 0.8, 0.95: 0.95, 0.99: 0.99}, abs=0.04)
    assert seasons == {Season.DAY_KIND}
    # Without a season as many would lie within 0.37.
    assert np.median(wide) < 0.15
