"""What is told to be still needed for a pass: the most that any signal asks for, or nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.needs import needs_of, waiting_text
from detector.gate.policy import Policy
from detector.gate.verdict import Needs
from models.sequential.bound import Outlook
from models.sequential.rows import RowName
from tests.detector.gate.moments import (
    BINS,
    STEP,
    T0,
    arm,
    at_end,
    moment,
    spread,
    state,
)


def test_a_pass_needs_nothing_more() -> None:
    """A controller that reads zeros goes on."""
    assert needs_of(moment()) == Needs(requests=0, seconds=0, canary_pods=None)
    assert waiting_text(moment()) is None


def test_time_alone_may_be_missing() -> None:
    """Enough requests, too soon."""
    m = moment(exposure_since=T0 + BINS * STEP - 100)
    assert needs_of(m) == Needs(requests=0, seconds=80, canary_pods=None)
    assert waiting_text(m) is None


def test_the_most_of_all_signals_is_needed() -> None:
    """Whoever waits for the quicker of two asks in vain."""
    states = {
        "error_rate": state(bound=1.0, outlook=Outlook(requests=9000.0, units=None)),
        "latency": state("latency", RowName.LATENCY, bound=1.0),
    }
    needs = needs_of(moment(states=states))
    assert needs == Needs(requests=9000, seconds=300, canary_pods=None)


@given(st.floats(0.0, 1e7), st.floats(1.0, 1e4), st.floats(0.05, 1.0))
def test_waiting_is_requests_over_their_rate(requests: float, each: float, scale: float) -> None:
    """The minutes that are told are those that the traffic of now will take, by people's clocks."""
    m = moment(
        policy=Policy(time_scale=scale),
        canary=arm("canary", 3, requests=spread(3, each)),
        states={"error_rate": state(bound=1.0, outlook=Outlook(requests=requests, units=None))},
    )
    needs = needs_of(m)
    assert needs.requests == math.ceil(requests)
    assert needs.seconds is not None
    took = requests / (3 * each / (STEP * scale))
    assert needs.seconds == pytest.approx(took, abs=1.0, rel=1e-9)


def test_without_traffic_no_time_is_promised() -> None:
    """`about 9 minutes` of a canary that nobody calls would be invented."""
    m = moment(
        canary=arm("canary", 3, requests=at_end({8: 0.0})), states={"error_rate": state(bound=1.0)}
    )
    assert needs_of(m) == Needs(requests=500, seconds=None, canary_pods=None)
    assert waiting_text(m) == "waiting for traffic: 1000 of 1500 requests"


@pytest.mark.parametrize(
    ("units", "pods"),
    [
        pytest.param((4, 7), 7, id="the most"),
        pytest.param((4, None), None, id="one that no pods can help"),
        pytest.param((None, None), None, id="none that pods can help"),
    ],
)
def test_where_requests_cannot_help_pods_may(
    units: tuple[int | None, int | None], pods: int | None
) -> None:
    """A number of pods is told only if it would do for every signal."""
    outlooks = [Outlook(requests=None, units=unit) for unit in units]
    states = {
        "error_rate": state(bound=1.0, outlook=outlooks[0]),
        "latency": state("latency", RowName.LATENCY, bound=1.0, outlook=outlooks[1]),
        "tail95": state("tail95", RowName.TAIL95, bound=1.0),
    }
    m = moment(states=states)
    assert needs_of(m) == Needs(requests=None, seconds=None, canary_pods=pods)
    assert waiting_text(m) is None
