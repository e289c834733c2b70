"""Harm far from health, rare, or drowned by an incident: where evidence used to saturate."""

from __future__ import annotations

import pytest

from detector.gate.reason import ReasonCode
from detector.gate.verdict import Outcome
from tests.detector.gate.rollouts import Recipe, Run, make


@pytest.mark.parametrize("errors", [1e-5, 1e-3])
@pytest.mark.parametrize("canary", [1, 3, 9])
def test_an_outage_of_a_service_without_errors_fails(errors: float, canary: int) -> None:
    """Nearly every request fails, thousands of times the usual: no grid reaches there."""
    recipe = Recipe(seed=3, canary=canary, errors=errors, more_errors=0.97, begins=0.4)
    judgement = Run(make(recipe)).to(52)
    assert judgement.reason.code == "error_rate_up"
    assert judgement.outcome is Outcome.FAIL


@pytest.mark.parametrize("slower", [0.9, 1.2])
def test_a_release_that_is_two_or_three_times_as_slow_fails(slower: float) -> None:
    """What lies beyond the shift's grid is harm too."""
    judgement = Run(make(Recipe(seed=4, slower=slower, begins=0.4))).to(60)
    assert judgement.outcome is Outcome.FAIL


def crashing(bins: tuple[int, ...]) -> Run:
    """One of three canary pods restarts at these bins."""
    frame = make(Recipe(seed=5))
    restarts = frame.canary.counts["restarts"].x
    restarts[:] = 0.0
    restarts[0, [bin_ - frame.first for bin_ in bins]] = 1.0
    return Run(frame)


def test_one_pod_of_three_that_crashes_each_four_minutes_fails_at_its_fifth_crash() -> None:
    """The two others are well: what is wrong with one pod must not be averaged away."""
    judgement = crashing((16, 32, 48, 64, 80)).to(82)
    assert judgement.reason.code == "restarts_up"


def test_one_restart_is_no_harm() -> None:
    """A node that drains, a person who looks: it happens to any pod."""
    run = crashing((30,))
    outcomes = {run.to(bin_).outcome for bin_ in range(20, 100, 10)}
    assert Outcome.FAIL not in outcomes


def test_requests_of_an_incident_say_no_more_than_others() -> None:
    """Two points of errors are hidden among twenty: such minutes must not clear a release."""
    calm, shaken = (Run(make(Recipe(seed=9, incident=span))) for span in (None, slice(60, 90)))
    weights = []
    for run in (calm, shaken):
        run.to(70)
        lately = run.session.tracks["error_rate"].lately
        weights.append(0.0 if lately is None else float(lately.weight[-1]))
    assert 0 < weights[1] < 0.5 * weights[0]


def test_what_a_service_always_burns_holds_no_pass_back() -> None:
    """Two errors in a hundred for ever are not the release's doing."""
    assert Run(make(Recipe(seed=9, errors=0.02))).all().reason.code != ReasonCode.BUDGET_BURNING
