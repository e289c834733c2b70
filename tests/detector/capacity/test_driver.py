"""How usage follows what drives it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.assessed import DriverModel
from detector.capacity.driver import driven, fitted, inverse, load_at
from detector.capacity.resource import Kind, Resource
from models.forecast.history import History
from tests.detector.capacity.worlds import hours

HOUR = np.arange(40 * 24)
NOISE = np.random.default_rng(2).normal(0, 1, len(HOUR))
LOAD = 200 - 100 * np.cos(HOUR * np.pi / 12) + 10 * np.random.default_rng(3).normal(0, 1, len(HOUR))


def follows(
    used: np.ndarray, load: np.ndarray = LOAD, *, count: int | None = None
) -> DriverModel | None:
    """What is found of it."""
    resource = Resource(
        name="cpu", kind=Kind.CPU, unit="cores", usage=hours(used), driver=hours(load),
        driver_name="requests/s",
    )  # fmt: skip
    return fitted(resource, len(used) if count is None else count)


def test_cpu_per_request_is_found_with_an_interval() -> None:
    """Half a core and four millicores each."""
    found = follows(0.5 + 0.004 * LOAD + 0.02 * NOISE)
    assert found is not None
    assert found.base == pytest.approx(0.5, abs=0.01)
    assert found.slope_low < 0.004 < found.slope_high
    assert found.slope_high - found.slope_low < 0.0002
    assert found.explained > 0.95
    assert (found.knee, found.bend, found.name) == (None, 0.0, "requests/s")
    assert found.seen == LOAD.max()


def test_a_knee_near_saturation_is_found() -> None:
    """Beyond 260 each request costs three times as much."""
    used = 0.5 + 0.004 * LOAD + 0.008 * np.maximum(LOAD - 260, 0)
    found = follows(used + 0.01 * NOISE)
    assert found is not None
    assert found.knee == pytest.approx(260, abs=12)
    assert found.bend == pytest.approx(0.008, rel=0.25)
    assert load_at(found, 4.0) < 500 < load_at(replace(found, knee=None), 4.0)


def test_outliers_do_not_bend_it() -> None:
    """A batch job at every fifteenth hour."""
    used = 0.5 + 0.004 * LOAD + 0.02 * NOISE
    used[::15] += 2.0
    found = follows(used)
    assert found is not None
    assert found.slope == pytest.approx(0.004, rel=0.05)
    assert found.base == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("used", "load"),
    [
        (1 + 0.1 * NOISE, LOAD),
        (3 - 0.004 * LOAD, LOAD),
        (np.ones(len(HOUR)), LOAD),
        (1 + 0.1 * NOISE, np.full(len(HOUR), 5.0)),
        (0.004 * LOAD[:60], LOAD[:60]),
        (np.full(len(HOUR), np.nan), LOAD),
        (0.004 * LOAD, np.full(len(HOUR), np.nan)),
    ],
    ids=["unrelated", "falling", "constant", "constant driver", "short", "missing", "no driver"],
)
def test_what_does_not_follow_is_not_said_to(used: np.ndarray, load: np.ndarray) -> None:
    """No model is better than a bad one."""
    assert follows(used, load) is None


def test_a_driver_is_joined_by_time() -> None:
    """It began a day later."""
    usage = hours(0.004 * LOAD)
    late = History(values=LOAD[24:], start_ms=usage.start_ms + 86_400_000)
    resource = Resource(name="cpu", kind=Kind.CPU, unit="cores", usage=usage, driver=late)
    found = fitted(resource, len(LOAD))
    assert found is not None
    assert found.slope == pytest.approx(0.004)
    assert fitted(replace(resource, driver=replace(late, step_s=300)), len(LOAD)) is None
    assert fitted(replace(resource, driver=None), len(LOAD)) is None


def test_what_came_after_the_report_is_not_used() -> None:
    """Only the first steps are."""
    used = 0.004 * LOAD
    used[500:] = 9.0
    found = follows(used, count=500)
    assert found is not None
    assert found.slope == pytest.approx(0.004)


@given(
    base=st.floats(0, 5),
    slope=st.floats(0.001, 10),
    bend=st.floats(0, 10),
    knee=st.none() | st.floats(0, 100),
    load=st.floats(0, 300),
)
def test_a_load_is_found_again_from_what_it_uses(
    base: float, slope: float, bend: float, knee: float | None, load: float
) -> None:
    """Below and beyond the knee; below the base there is none."""
    model = DriverModel(
        name="", base=base, slope=slope, slope_low=slope, slope_high=slope, explained=1.0,
        seen=1.0, knee=knee, bend=0.0 if knee is None else bend,
    )  # fmt: skip
    used = driven(model, np.array([load]))
    assert inverse(model, used)[0] == pytest.approx(load, rel=1e-6, abs=1e-6)
    assert inverse(model, np.array([base - 1.0]))[0] == 0.0
    assert load_at(model, float(used[0])) == inverse(model, used)[0]
