"""The simulator is as unkind as it says: each thing that disturbs a rollout is there and shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from bench.gate.rates import Rates, expected
from bench.gate.rollout import Cold, Fault, Nuisance, Rollout, draw
from bench.gate.samples import ORIGIN, fill
from detector.series import Matcher, MatchOp, Query, Series

SEEDS = range(100, 112)


def arms(rollout: Rollout) -> np.ndarray:
    """Which pods are the canary's."""
    return np.array([p.canary for p in rollout.pods])


def middles(rates: Rates) -> np.ndarray:
    """Middles of the cells."""
    return (rates.times[1:] + rates.times[:-1]) / 2


def warms_up(rollout: Rollout, rates: Rates) -> bool:
    """A canary pod is slower at 15 s than at ten minutes of age."""
    row = int(np.flatnonzero(arms(rollout))[0])
    age = middles(rates) - rollout.pods[row].birth
    young, old = (rates.theta[row, np.abs(age - at).argmin()] for at in (15.0, 600.0))
    return bool(young > old + 0.1)


def bursts(rollout: Rollout, rates: Rates) -> bool:
    """A single canary pod fails or is slow for a while."""
    del rates
    return bool(rollout.bursts) and all(rollout.pods[s.pod].canary for s in rollout.bursts)


def incident(rollout: Rollout, rates: Rates) -> bool:
    """Both arms fail more at once."""
    if not rollout.incidents_errors:
        return False
    span = rollout.incidents_errors[0]
    inside = (middles(rates) >= span.begin) & (middles(rates) < span.end)
    canary = arms(rollout)
    means = [rates.rate[rows][:, inside].mean() for rows in (canary, ~canary)]
    return bool(min(means) > rollout.error_rate + 0.5 * span.size)


def ramps(rollout: Rollout, rates: Rates) -> bool:
    """Traffic grows, and young stable pods come."""
    total = rates.requests.sum(axis=0)
    young = [p for p in rollout.pods if not p.canary and p.birth > -700]
    return bool(total[-20:].mean() > 1.15 * total[:20].mean() and young)


def has_gaps(rollout: Rollout, rates: Rates) -> bool:
    """A pod was not scraped for a while."""
    series = read(rollout, rates, "process_start_time_seconds")
    return max(float(np.diff(s.times).max(initial=0)) for s in series) > 2.5 * rollout.interval


def has_resets(rollout: Rollout, rates: Rates) -> bool:
    """A counter falls."""
    return any((np.diff(s.values) < 0).any() for s in read(rollout, rates, "http_requests_total"))


def has_waves(rollout: Rollout, rates: Rates) -> bool:
    """A stable pod wanders more than counting explains, slowly."""
    row = int(np.flatnonzero(~arms(rollout))[0])
    calm = rates.theta[row, :400]
    steps = np.diff(calm)
    return bool(calm.std() > 0.02 and steps.std() < calm.std())


def churns(rollout: Rollout, rates: Rates) -> bool:
    """Pods of the stable arm go and others come."""
    del rates
    gone = [p for p in rollout.pods if not p.canary and p.death < rollout.length]
    return bool(gone) and any(not p.canary and p.birth > -1900 for p in rollout.pods)


def pauses(rollout: Rollout, rates: Rates) -> bool:
    """Latency of a stable pod climbs and falls with garbage collection."""
    del rates
    period, height, slow = rollout.pauses
    return 45 <= period <= 400 and height >= 0.02 and slow >= 0.01


def mixes(rollout: Rollout, rates: Rates) -> bool:
    """The second route's share moves."""
    share = np.diff(rates.second[0]) / np.maximum(rates.requests[0] * np.diff(rates.times), 1e-9)
    seen = share[rates.requests[0] > 0]
    return bool(len(seen) and np.ptp(seen) > 0.05)


def seasonal(rollout: Rollout, rates: Rates) -> bool:
    """Traffic follows the day."""
    total = rates.requests.sum(axis=0)
    return bool(np.ptp(np.log(total[::40])) > 0.3)


SHOWS: dict[Nuisance, Callable[[Rollout, Rates], bool]] = {
    Nuisance.COLD: warms_up,
    Nuisance.BURST: bursts,
    Nuisance.INCIDENT: incident,
    Nuisance.RAMP: ramps,
    Nuisance.GAPS: has_gaps,
    Nuisance.RESETS: has_resets,
    Nuisance.WAVES: has_waves,
    Nuisance.CHURN: churns,
    Nuisance.PAUSES: pauses,
    Nuisance.MIX: mixes,
    Nuisance.SEASON: seasonal,
}


def read(rollout: Rollout, rates: Rates, metric: str, **labels: str) -> Sequence[Series]:
    """All series of a metric."""
    matchers = tuple(Matcher(name, MatchOp.EQUAL, value) for name, value in labels.items())
    end = ORIGIN + rollout.length
    answers = fill(rollout, rates).read([Query(metric, matchers)], ORIGIN - 9000, end)
    return answers[0].series


@pytest.mark.parametrize("nuisance", list(SHOWS))
def test_a_nuisance_shows(nuisance: Nuisance) -> None:
    """One that is drawn and changes nothing would make the figures prettier than life."""
    rollouts = [draw(seed, nuisance=nuisance) for seed in SEEDS[:6]]
    assert sum(SHOWS[nuisance](r, expected(r)) for r in rollouts) >= 3


def test_healthy_canary_pods_share_a_shift() -> None:
    """Requests are not the only randomness: 2 to 3 % of latency, 5 to 12 % of errors."""
    rollouts = [draw(seed) for seed in range(300)]
    assert 0.02 < np.std([r.arm_latency for r in rollouts]) < 0.03
    assert 0.05 < np.std([r.arm_errors for r in rollouts]) < 0.12


def test_rollouts_are_drawn_as_said() -> None:
    """A third are scraped each 30 s, load is uneven in a third, cold starts have five shapes."""
    rollouts = [draw(seed) for seed in range(300)]
    assert 0.2 < np.mean([r.interval == 30 for r in rollouts]) < 0.4
    assert 0.2 < np.mean([not r.proportional for r in rollouts]) < 0.45
    assert 0.2 < np.mean([r.differ for r in rollouts]) < 0.4
    assert {r.cold for r in rollouts} == set(Cold)
    assert any(len({p.birth > 60 for p in r.pods if p.canary}) == 2 for r in rollouts)


def test_series_with_a_code_are_born_with_their_first_event() -> None:
    """The errors of a quiet service are a series that was not there a minute ago."""
    late = 0
    for seed in SEEDS:
        rollout = draw(seed)
        for series in read(rollout, expected(rollout), "http_requests_total", code="500"):
            late += bool(series.times[0] > ORIGIN)
    assert late > 10


@pytest.mark.parametrize("fault", [f for f in Fault if f not in (Fault.RESTARTS, Fault.CPU)])
def test_a_fault_is_on_the_canary_alone_and_not_before_its_time(fault: Fault) -> None:
    """A fault that leaked into the control would cancel, one before its time would be luck."""
    rollout = draw(7, fault, nuisance=Nuisance.NONE)
    rates, healthy = expected(rollout), expected(replaced(rollout))
    changed = np.abs(np.diff(rates.buckets - healthy.buckets, axis=1)).sum(axis=2)
    changed += np.abs(np.diff(rates.errors - healthy.errors, axis=1))
    where = changed > 1e-9
    assert where.any()
    assert not where[~arms(rollout)].any()
    assert not where[:, middles(rates) < rollout.fault_at].any()


def replaced(rollout: Rollout) -> Rollout:
    """The same rollout without its fault."""
    return replace(rollout, fault=None, fault_errors=0.0, fault_latency=0.0)


def test_a_rollout_is_a_value() -> None:
    """A seed that fails can be looked at again."""
    assert draw(11, Fault.TAIL) == draw(11, Fault.TAIL)
    assert not math.isnan(draw(11).load)
