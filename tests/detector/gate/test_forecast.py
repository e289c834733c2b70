"""Which minutes stand in for a control: those that foretold best at quiet moments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.gate.forecast import Basis, Counted, Forecast, Scaled, forecasts, quiet_of
from detector.gate.memory import Amount, Memory, Then, moments
from tests.detector.gate.pasts import amount, changed, shifted, steady
from tests.detector.gate.rollouts import EDGES

ERRORS = Counted(name="error_rate", eps0=5e-4, default=0.2)
LATENCY = Scaled(name="latency", edges=EDGES, default=0.08)
MOMENTS = moments(0.0, 1.0)
LONG, SHORT = np.array([4e5, 1200.0]), np.array([1e5, 300.0])


def wandering(levels: np.ndarray, *, requests: float = 1e5) -> Memory:
    """Errors (logs) two hours before each moment, in the last half hour before it, and after."""

    def told(level: float, size: float) -> Amount:
        return amount(requests=size * requests, errors=0.01 * float(np.exp(level)))

    then = [
        Then(
            moment=moment,
            before=told(long, 4.0),
            lately=told(short, 1.0),
            after=told(after, 1.0),
            changed=False,
        )
        for moment, (long, short, after) in zip(MOMENTS, levels, strict=True)
    ]
    return Memory(at=0.0, then=tuple(then))


def surest(memory: Memory) -> Forecast:
    """What is believed of errors."""
    return min(forecasts(ERRORS, memory, LONG, SHORT), key=lambda f: f.sd)


def test_a_service_that_drifts_by_the_hour_is_foretold_by_its_last_half_hour() -> None:
    """Two hours lag behind what drifts; two points of errors would be lost in that."""
    rng = np.random.default_rng(1)
    drift = rng.normal(0, 0.3, (17, 1)) * np.array([0.0, 1.0, 1.0]) + rng.normal(0, 0.02, (17, 3))
    found = surest(wandering(drift))
    assert found.basis is Basis.HALF_HOUR
    assert found.spread < 0.1


def test_a_service_that_jumps_from_minute_to_minute_is_foretold_by_two_hours() -> None:
    """Its last half hour is as much chance as any other."""
    jumps = np.random.default_rng(2).normal(0, 1, (17, 3)) * np.array([0.02, 0.3, 0.02])
    assert surest(wandering(jumps)).basis is Basis.TWO_HOURS


def test_few_requests_are_foretold_by_more_of_them() -> None:
    """Half an hour with one error tells less than two hours with four."""
    found = list(forecasts(ERRORS, steady(), np.array([400.0, 4.0]), np.array([100.0, 1.0])))
    noise = {f.basis: f.noise for f in found if not f.times}
    assert noise[Basis.TWO_HOURS] < noise[Basis.HALF_HOUR]


def test_a_half_hour_without_requests_foretells_nothing() -> None:
    """A control that was gone has no last half hour: the two hours of history stand."""
    found = list(forecasts(ERRORS, steady(), LONG, np.zeros(2)))
    assert {f.basis for f in found} == {Basis.TWO_HOURS}
    assert not list(
        forecasts(LATENCY, steady(), np.zeros(len(EDGES) + 1), np.zeros(len(EDGES) + 1))
    )


def test_what_happens_at_this_hour_each_day_is_expected() -> None:
    """A batch at noon is no fault of the release at noon."""
    daily = np.where([m.is_same_hour for m in MOMENTS], 0.25, 0.0)
    memory = shifted(steady(), daily)
    histogram = memory.then[0].before.histogram("latency", EDGES)
    assert histogram is not None
    found = min(forecasts(LATENCY, memory, histogram, histogram), key=lambda f: f.sd)
    assert found.shift == pytest.approx(0.25, abs=0.06)
    assert found.times == 10


def test_five_days_tell_no_time_of_day() -> None:
    """After a week of releases there are too few quiet days to know what the hour does."""
    memory = steady()
    same = [t for t in memory.then if t.moment.is_same_hour]
    kept = tuple(
        replace(t, changed=t.moment.is_same_hour and t not in same[:5]) for t in memory.then
    )
    told = list(forecasts(ERRORS, replace(memory, then=kept), LONG, SHORT))
    assert told
    assert not any(f.times for f in told)


def test_releases_are_not_learned_from() -> None:
    """A release changes a service: what followed it is no quiet time."""
    memory = changed(steady())
    assert quiet_of(memory) == ()
    assert all(
        f.spread == pytest.approx(0.2, rel=0.02) for f in forecasts(ERRORS, memory, LONG, SHORT)
    )


@pytest.mark.parametrize("sd", [0.05, 0.15, 0.4])
@pytest.mark.parametrize("memory_h", [0.5, 3.0, 12.0])
def test_what_is_believed_is_seldom_far_off(sd: float, memory_h: float) -> None:
    """The spread is the null's: of 150 services that drift none may be off by four of it."""
    rng = np.random.default_rng([int(100 * sd), int(10 * memory_h)])
    off = []
    for _ in range(150):
        now, *then = (drifted(rng, memory_h) * sd for _ in range(18))
        levels = {"long": LONG * [1, np.exp(now[0])], "short": SHORT * [1, np.exp(now[1])]}
        found = min(
            forecasts(replace(ERRORS, eps0=0.0), wandering(np.array(then)), **levels),
            key=lambda f: f.sd,
        )
        off.append((now[2] + np.log(0.003) - np.log(found.rate) - found.shift) / found.sd)
    assert np.max(np.abs(off)) < 4.0
    assert np.std(off) < 1.2


def drifted(rng: np.random.Generator, memory_h: float) -> np.ndarray:
    """Levels of two hours, of their last half hour, and of the next, of what forgets (sd 1)."""
    keep = np.exp(-1 / (12 * memory_h))
    level, path = rng.standard_normal(), []
    for _ in range(30):
        level = keep * level + np.sqrt(1 - keep**2) * rng.standard_normal()
        path.append(level)
    return np.array([np.mean(path[:24]), np.mean(path[18:24]), np.mean(path[24:])])
