"""Traffic, age, samples and time: nobody goes on who was not exposed for long enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.frame import Arm
from detector.gate.needs import needs_of
from detector.gate.passing import holds
from detector.gate.policy import Policy
from detector.gate.reason import ReasonCode
from detector.gate.request import Stage
from tests.detector.gate.moments import (
    BINS,
    STEP,
    T0,
    arm,
    at_end,
    codes,
    moment,
    only,
    spread,
    state,
)

C = ReasonCode


# -- traffic and age


def test_a_canary_without_requests_waits_for_them() -> None:
    """Two minutes of silence: whatever was fine before says nothing of now."""
    silent = moment(canary=arm("canary", 3, requests=at_end({8: 0.0})))
    (reason, *_) = holds(silent)
    assert reason.code == C.LOW_TRAFFIC
    assert reason.text == (
        "The canary had no request in the last two minutes; waiting for traffic."
    )
    assert codes(moment(canary=arm("canary", 3, requests=at_end({7: 0.0})))) == []


def test_silence_tells_how_much_is_missing_where_that_is_known() -> None:
    """`waiting for traffic: 1000 of 1500 requests` beside the silence."""
    open_ = {"error_rate": state(bound=1.0)}
    silent = moment(canary=arm("canary", 3, requests=at_end({8: 0.0})), states=open_)
    assert next(holds(silent)).text.endswith("waiting for traffic: 1000 of 1500 requests.")


def aged(*ages: float) -> Arm:
    """Canary pods of these ages in all of the last two minutes, with equal traffic."""
    age = np.tile(np.array(ages)[:, None], (1, BINS))
    return arm("canary", len(ages), age=age)


def test_most_requests_must_come_from_pods_past_their_start() -> None:
    """Caches fill in the first minutes: nobody is let on by pods that have not begun."""
    assert codes(moment(canary=aged(180.0, 179.0))) == []
    assert codes(moment(canary=aged(180.0, 179.0, 179.0))) == [C.WARMING_UP]


@pytest.mark.parametrize(
    ("age", "scale", "text"),
    [
        pytest.param(60.0, 1.0, "younger than 3 minutes; about 2 minutes left", id="two minutes"),
        pytest.param(100.0, 1.0, "about 80 s left", id="eighty seconds"),
        pytest.param(179.0, 1.0, "3 minutes; that is nearly over", id="less than a bin"),
        pytest.param(4.0, 1 / 15, "younger than 12 s; about 8 s left", id="on a faster clock"),
    ],
)
def test_the_time_that_warming_still_takes_is_told(age: float, scale: float, text: str) -> None:
    """Somebody who waits knows how long."""
    young = moment(canary=aged(age, age), policy=Policy(time_scale=scale))
    reason = next(r for r in holds(young) if r.code == C.WARMING_UP)
    assert text in reason.text


def test_the_youngest_pod_of_now_says_how_long() -> None:
    """Of pods that were added one after the other the last is waited for."""
    began = (np.arange(BINS) + 1) * STEP
    ages = np.stack([began - 480.0, began - 540.0])
    young = arm("canary", 2, age=np.where(ages > 0, ages, np.nan))
    reason = next(r for r in holds(moment(canary=young)) if r.code == C.WARMING_UP)
    assert "about 2 minutes left" in reason.text


@pytest.mark.parametrize("side", ["canary", "control"])
@pytest.mark.parametrize(("missing", "held"), [(6, False), (7, True)], ids=["70 %", "65 %"])
def test_holes_in_the_samples_hold_a_pass(side: str, missing: int, held: bool) -> None:
    """What was not scraped may be what was wrong."""
    pods = 3 if side == "canary" else 6
    holed = {side: arm(side, pods, seen=at_end({missing: 0.0}, 1.0, pods))}
    found = list(holds(moment(**holed)))  # type: ignore[arg-type]
    assert [r.code for r in found] == ([C.PARTIAL_DATA] if held else [])
    if held:
        assert f"65 % of the {side}'s" in found[0].text


def test_a_pod_that_ended_is_not_missing() -> None:
    """A canary that was scaled down is not half unseen."""
    gone = spread(3, 1.0)
    gone[0, BINS - 20 :] = 0.0
    assert codes(moment(canary=arm("canary", 3, seen=gone))) == []


def test_a_pod_that_was_not_yet_born_is_not_missing() -> None:
    """A pod added two minutes ago owes two minutes of samples."""
    age, seen = np.full((3, BINS), 900.0), spread(3, 1.0)
    age[2, : BINS - 8], seen[2, : BINS - 8] = np.nan, 0.0
    assert codes(moment(canary=arm("canary", 3, age=age, seen=seen))) == []


def test_nobody_seen_for_five_minutes_is_nobody() -> None:
    """When every pod is silent there is no sample left to be complete."""
    blind = moment(canary=arm("canary", 3, seen=at_end({20: 0.0}, 1.0)))
    assert "Only 0 %" in next(r for r in holds(blind) if r.code == C.PARTIAL_DATA).text


# -- time


@pytest.mark.parametrize(
    ("stage", "since", "started", "held"),
    [
        pytest.param(Stage.STEP, 180, 180, False, id="a step after three minutes"),
        pytest.param(Stage.STEP, 179, 590, True, id="a step that is too young"),
        pytest.param(Stage.FINAL, 300, 600, False, id="the end after ten minutes"),
        pytest.param(Stage.FINAL, 300, 599, True, id="an end too soon"),
        pytest.param(Stage.FINAL, 179, 900, True, id="an end just after a step"),
    ],
)
def test_every_exposure_lasts_its_time(stage: Stage, since: int, started: int, held: bool) -> None:
    """Three minutes at each weight, ten in all before it becomes the new stable."""
    now = T0 + BINS * STEP
    m = moment(stage=stage, exposure_since=now - since, started_at=now - started)
    assert (codes(m) == [C.COLLECTING]) is held


def test_the_time_that_is_missing_is_told_with_its_begin() -> None:
    """On which clock, how long."""
    now = T0 + BINS * STEP
    reason = only(moment(exposure_since=now - 30.0))
    assert reason.text == "This exposure began at 14:22 and has to last 2 minutes more."
    last = only(moment(stage=Stage.FINAL, started_at=now - 500.0))
    assert last.text == "This attempt began at 14:15 and has to last 100 s more."
    new = only(moment(stage=Stage.FINAL, started_at=now - 500.0, exposure_since=now - 60.0))
    assert new.text == "This exposure began at 14:22 and has to last 2 minutes more."


@pytest.mark.parametrize(("stage", "engine"), [(Stage.STEP, 180.0), (Stage.FINAL, 600.0)])
@given(scale=st.floats(0.01, 1.0), engine_s=st.floats(0.0, 900.0))
def test_a_faster_clock_waits_in_proportion(
    stage: Stage, engine: float, scale: float, engine_s: float
) -> None:
    """A demo fifteen times as fast asks for a fifteenth, by every rule alike."""
    m = moment(
        stage=stage,
        policy=Policy(time_scale=scale),
        exposure_since=T0,
        evaluated_to=T0 + engine_s * scale,
    )
    seconds = needs_of(m).seconds
    assert seconds is not None
    assert 0 <= seconds - max(engine - engine_s, 0.0) * scale + 1e-6 <= 1 + 2e-6
