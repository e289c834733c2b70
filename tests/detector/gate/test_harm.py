"""Harm that is seen and not proved, or not yet known to be below its limit, holds a pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.moment import Moment
from detector.gate.passing import holds
from detector.gate.policy import Policy
from detector.gate.reason import ReasonCode
from detector.gate.state import State
from models.sequential.bound import Outlook
from models.sequential.rows import RowName
from tests.detector.gate.moments import (
    BINS,
    EACH,
    LIMIT,
    RATE,
    arm,
    at_end,
    codes,
    moment,
    only,
    spread,
    state,
)

C = ReasonCode


# -- harm that is not proved


def test_a_burst_that_the_fail_rule_found_is_told() -> None:
    """Enough evidence, but all of one minute: no fail yet, and no pass."""
    reason = only(moment(burst="latency"))
    assert (reason.code, reason.text.split()[0]) == (C.BURST, "Latency")


def bursting(per_bin: float, theirs: float = EACH * RATE) -> Moment:
    """A canary whose pods show so many errors in each bin of the last minute."""
    return moment(
        canary=arm("canary", 3, failed=at_end({4: per_bin}, EACH * RATE)),
        control=arm("control", 6, failed=at_end({4: theirs}, EACH * RATE, 6)),
        policy=Policy(slo=0.9),
    )


def edge_of_a_burst(rate: float) -> float:
    """Errors of a pod and bin at five sd and ten events beyond the limit."""
    most = 4 * 3 * EACH * rate * math.exp(LIMIT)
    return (most + 5 * math.sqrt(most) + 10) / 12


def test_nobody_goes_on_in_the_middle_of_a_burst() -> None:
    """A canary that fails right now is not promoted, however quiet it was before."""
    edge = edge_of_a_burst(RATE + 5e-4)
    assert codes(bursting(edge * 0.99)) == []
    assert codes(bursting(edge * 1.01)) == [C.BURST]


def test_a_burst_on_both_sides_is_not_the_canarys() -> None:
    """What befalls the control alike is judged against the control."""
    much = edge_of_a_burst(RATE + 5e-4) * 2
    assert C.BURST in codes(bursting(much))
    assert C.BURST not in codes(bursting(much, theirs=much))


@given(st.floats(0.0, 40.0), st.floats(0.0, 40.0))
def test_more_errors_never_end_a_burst(errors: float, more: float) -> None:
    """A canary that gets worse is never let through for it."""
    if C.BURST in codes(bursting(errors)):
        assert C.BURST in codes(bursting(errors + more))


def test_what_looks_worse_is_waited_for() -> None:
    """Five to one against the canary is too little for a fail and too much for a pass."""
    edge = math.log(5.0)
    calm, wary = (moment(states={"error_rate": state(suspicion=at)}) for at in (edge, edge + 0.001))
    assert codes(calm) == []
    assert only(wary).code == C.SUSPICIOUS


def test_the_most_suspect_signal_is_named() -> None:
    """The person looks at the right chart."""
    states = {
        "error_rate": state(suspicion=2.0),
        "latency": state("latency", RowName.LATENCY, suspicion=3.0),
    }
    assert only(moment(states=states)).text.startswith("Latency")


def test_a_signal_that_is_only_shown_raises_no_suspicion() -> None:
    """Advice can neither stop nor delay a release."""
    shown = state("tail99", RowName.TAIL99, judged=False, required=False, suspicion=99.0)
    assert codes(moment(states={"error_rate": state(), "tail99": shown})) == []


# -- the bound of harm


def open_state(name: str = "error_rate", row: RowName = RowName.ERROR, **changes: object) -> State:
    """A signal whose harm may still be above its limit."""
    return state(name, row, **({"bound": 1.0} | changes))


def unclear(**changes: object) -> Moment:
    """Errors whose harm is not yet known to be below the limit."""
    return moment(states={"error_rate": open_state("error_rate", RowName.ERROR, **changes)})


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        pytest.param({"bound": LIMIT - 1e-9}, False, id="just below"),
        pytest.param({"bound": LIMIT}, True, id="at the limit"),
        pytest.param({"bound": math.inf}, True, id="nothing known"),
        pytest.param({"bound": 0.1, "bound_now": LIMIT}, True, id="not since the last step"),
        pytest.param({"bound": 0.1, "exposure_log_e": 1.7}, True, id="worse since the last step"),
        pytest.param({"bound": 0.1, "exposure_log_e": 1.6}, False, id="calm since then"),
        pytest.param({"required": False}, False, id="not required"),
    ],
)
def test_harm_must_be_known_to_be_below_its_limit(changes: dict[str, object], held: bool) -> None:
    """No evidence of harm is not enough: its absence is proved, on all and on the last step."""
    assert bool(codes(unclear(**changes))) is held


def test_more_requests_are_asked_for_where_they_help() -> None:
    """The person reads how many, and how long at this rate."""
    reason = only(unclear())
    assert reason.code == C.LOW_TRAFFIC
    assert reason.text == (
        "Errors: harm is not yet known to be below its limit;"
        " waiting for traffic: 1000 of 1500 requests, about 17 s."
    )


@pytest.mark.parametrize(
    ("units", "text"),
    [(9, "about 9 canary pods would do"), (None, "only a wider limit or a learned arm effect")],
)
def test_more_pods_are_asked_for_where_requests_cannot_help(units: int | None, text: str) -> None:
    """Nobody waits for traffic that would prove nothing."""
    reason = only(unclear(outlook=Outlook(requests=None, units=units)))
    assert reason.code == C.NEEDS_PODS
    assert "3 of them" in reason.text
    assert text in reason.text


def latency(**changes: object) -> dict[str, State]:
    """A latency whose harm is not yet known, masked by load where load is uneven."""
    return {"latency": open_state("latency", RowName.LATENCY, **changes)}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"unmasked": 1.0}, C.LOW_TRAFFIC, id="even load"),
        pytest.param({"unmasked": 1.0, "load": 0.40}, C.LOW_TRAFFIC, id="x1.49"),
        pytest.param({"unmasked": 1.0, "load": 0.41}, C.LOAD_NOT_COMPARABLE, id="x1.51"),
        pytest.param({"unmasked": 1.0, "load": -0.41}, C.LOAD_NOT_COMPARABLE, id="a third less"),
        pytest.param({"unmasked": 0.1}, C.LOAD_NOT_COMPARABLE, id="the mask alone withholds"),
    ],
)
def test_uneven_load_is_told_before_traffic(changes: dict[str, object], code: str) -> None:
    """Waiting would not help a canary that runs at three times the load."""
    (reason,) = holds(moment(states=latency(**changes)))
    assert reason.code == code


def test_load_says_nothing_of_errors() -> None:
    """Errors are compared at any load."""
    assert only(unclear(load=2.0)).code == C.LOW_TRAFFIC


def test_how_many_pods_would_balance_the_load_is_told() -> None:
    """One pod with a third of the traffic of nine wants to be three."""
    loaded = arm("canary", 1, requests=spread(1, 3 * EACH))
    states = latency(load=math.log(3.0), unmasked=1.0)
    reason = only(moment(canary=loaded, states=states))
    assert reason.text == (
        "Latency: not comparable, a canary pod carries 3.0 times a control pod's load;"
        " about 3 canary pods would balance it."
    )


@pytest.mark.parametrize(
    ("served", "pods"),
    [
        pytest.param((EACH, EACH, EACH, 0.0), 3, id="an idle pod is no measure"),
        pytest.param((EACH, 3 * EACH, 3 * EACH), 1, id="the middle one is"),
        pytest.param((9 * EACH, 9 * EACH), 1, id="never less than one"),
    ],
)
def test_the_load_of_a_control_pod_is_that_of_one_that_serves(
    served: tuple[float, ...], pods: int
) -> None:
    """Nobody is told to run fifty canary pods because a standby serves nobody."""
    control = arm("control", len(served), requests=np.tile(np.array(served)[:, None], (1, BINS)))
    loaded = arm("canary", 1, requests=spread(1, 3 * EACH))
    m = moment(canary=loaded, control=control, states=latency(load=math.log(3.0), unmasked=1.0))
    assert f"about {pods} canary pods would balance it" in list(holds(m))[-1].text


def test_load_that_was_uneven_before_is_told_as_such() -> None:
    """The fix is over and done; nobody is sent to scale what is balanced now."""
    reason = only(moment(states=latency(unmasked=0.1)))
    assert "earlier in this attempt" in reason.text


def test_the_signal_farthest_from_its_limit_is_named() -> None:
    """Of several open signals the one that takes longest."""
    states = {
        "error_rate": state(bound=0.9),
        "latency": state("latency", RowName.LATENCY, bound=1.5, unmasked=1.5),
        "tail95": state("tail95", RowName.TAIL95, bound=1.2, unmasked=1.2),
    }
    assert only(moment(states=states)).text.startswith("Latency")
