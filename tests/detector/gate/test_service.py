"""What befalls the whole service holds every release of it, and for no longer than it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from detector.gate.moment import Moment
from detector.gate.passing import holds
from detector.gate.policy import Policy
from detector.gate.reason import ReasonCode
from detector.gate.state import State
from models.sequential.rows import RowName
from tests.detector.gate.moments import (
    EACH,
    RATE,
    arm,
    at_end,
    codes,
    moment,
    state,
)

C = ReasonCode


@pytest.mark.parametrize(
    ("incidents", "held"),
    [
        pytest.param([1, 1, 1, 1, 0, 0, 0, 0], True, id="60 s of the last 120"),
        pytest.param([1, 0, 1, 0, 0, 1, 0, 0], False, id="45 s"),
        pytest.param([1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], False, id="over"),
        pytest.param([0, 1, 0, 1, 0, 1, 0, 1], True, id="on and off"),
    ],
)
def test_an_incident_of_both_arms_is_waited_for(incidents: list[int], held: bool) -> None:
    """Promoting in the middle of an outage is promoting blindly; after it a pass may come."""
    shaken = moment(states={"error_rate": state(incidents=incidents)})
    assert (codes(shaken) == [C.SHARED_INCIDENT]) is held
    spared = moment(states={"error_rate": state(incidents=incidents, required=False)})
    assert codes(spared) == []
    usual = moment(states={"error_rate": state(incidents=incidents, unrest=0.3)})
    assert codes(usual) == []


def failing(
    ours: float,
    theirs: float,
    states: Mapping[str, State] | None = None,
    policy: Policy | None = None,
) -> Moment:
    """The last five minutes with so many errors per pod and bin on either side."""
    return moment(
        canary=arm("canary", 3, failed=at_end({20: ours}, EACH * RATE)),
        control=arm("control", 6, failed=at_end({20: theirs}, EACH * RATE, 6)),
        states=states,
        policy=policy,
    )


# Ten times a budget of 1 in 1,000 beside the 3 in 1,000 that always fail.
BURNING = EACH * (10 * 0.001 + RATE)


def test_a_budget_that_burns_away_holds_every_release() -> None:
    """What harms both arms alike cancels in every comparison; the budget still tells it."""
    assert C.BUDGET_BURNING not in codes(failing(BURNING * 0.999, BURNING * 0.999))
    burning = list(holds(failing(BURNING * 1.01, BURNING * 1.01)))
    assert burning[0].code == C.BUDGET_BURNING
    assert "13 times too fast" in burning[0].text


def test_a_promise_that_is_wider_burns_later() -> None:
    """The edge is the service's own objective."""
    much = EACH * 0.02
    assert codes(failing(much, much))[:1] == [C.BUDGET_BURNING]
    assert codes(failing(much, much, policy=Policy(slo=0.99))) == []


def test_errors_that_are_a_habit_do_not_hold_a_release() -> None:
    """A service that always failed 4 % could else never be released again."""
    bad = state()
    learned = replace(bad.track.learned, rate=0.04)
    bad.track.learned = learned
    usual = EACH * 0.04
    assert codes(failing(usual, usual, states={"error_rate": bad})) == []


def test_a_handful_of_errors_burns_no_budget() -> None:
    """Nine errors of ten requests at night are nothing to stop for; ten are."""

    def quiet(errors: float) -> Moment:
        # The last five minutes of one pod on each side: twenty requests each.
        served, failed = at_end({}, 1.0, 1), at_end({}, errors / 40, 1)
        return moment(
            canary=arm("canary", 1, requests=served, failed=failed),
            control=arm("control", 1, requests=served, failed=failed),
        )

    assert C.BUDGET_BURNING not in codes(quiet(9.9))
    assert C.BUDGET_BURNING in codes(quiet(10.1))


def test_without_an_error_signal_no_budget_is_watched() -> None:
    """A service known by its latency alone is not held for a rate that nobody reads."""
    latency = {"latency": state("latency", RowName.LATENCY)}
    assert codes(failing(BURNING * 9, BURNING * 9, states=latency)) == []


@pytest.mark.parametrize(("share", "held"), [(0.049, True), (0.051, False)])
def test_a_control_that_hardly_serves_is_exhausted(share: float, held: bool) -> None:
    """Below a twentieth of the traffic the control can no longer say what is normal."""
    theirs = 3 * EACH * share / (1 - share) / 2
    control = arm("control", 2, requests=at_end({20: theirs}, EACH, 2))
    assert (C.CONTROL_EXHAUSTED in codes(moment(control=control))) is held
    allowed = Policy(allow_control_exhausted=True)
    assert C.CONTROL_EXHAUSTED not in codes(moment(control=control, policy=allowed))
