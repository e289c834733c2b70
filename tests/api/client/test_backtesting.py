"""Policies tried on past rollouts: what ends otherwise, and what it adds up to."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from api import client
from api.client.backtesting import Backtest, Rollout, backtest

CALM = {"slo": 0.95, "signals": {"error_rate": {"tolerate_points": 0.2, "limit_points": 0.3}}}
HARM = pd.Timestamp("2026-03-02T10:00Z")


def rollout(seed: int, errors: float, truth: str | None) -> Rollout:
    """A short one of two canary pods."""
    counts = client.examples.rollout(seed=seed, errors=errors, minutes=15, canaries=2, controls=3)
    return Rollout(counts, truth, name=f"{truth} {seed}")


@pytest.fixture(scope="module")
def tried() -> Backtest:
    """Two healthy rollouts, two that regressed and one of which nobody knows."""
    rollouts = [
        *(rollout(seed, 0.004, "healthy") for seed in (1, 2)),
        *(rollout(seed, 0.03, "regressed") for seed in (3, 4)),
        rollout(5, 0.004, None),
    ]
    return backtest(rollouts, {"default": None, "calm": CALM}, every="2min")


def test_every_rollout_ends_under_every_policy(tried: Backtest) -> None:
    """A row each, in the order in which they were told."""
    ends = tried.rollouts.set_index(["policy", "rollout"])["end"]
    assert ends.loc["default"].tolist() == ["pass", "pass", "fail", "fail", "pass"]
    assert ends.loc["calm"].tolist() == ["pass"] * 5
    assert not tried.rollouts["false_alarm"].any()
    assert tried.rollouts["truth"].isna().sum() == 2


def test_a_score_adds_them_up(tried: Backtest) -> None:
    """What is missed under one policy is found under the other."""
    score = tried.score
    assert score["false_rollbacks"].to_dict() == {"default": 0, "calm": 0}
    assert score["false_rollbacks_of"].to_dict() == {"default": 2, "calm": 2}
    assert score["detections"].to_dict() == {"default": 2, "calm": 0}
    assert score["missed"].to_dict() == {"default": 0, "calm": 2}
    assert score.loc["default", "fail_after"] < 10
    assert pd.isna(score.loc["calm", "fail_after"])
    assert (score["detections_low"] <= score["detections_high"]).all()


def test_a_fail_is_told_with_its_signal_and_its_time(tried: Backtest) -> None:
    """And with how much evidence there was, in decades over what is needed."""
    failed = tried.rollouts[tried.rollouts["end"] == "fail"]
    assert (failed["signal"] == "error_rate").all()
    assert (failed["fail_after"].between(2, 15)).all()
    assert (failed["closeness"] >= 0).all()
    rest = tried.rollouts[tried.rollouts["end"] == "pass"]
    assert (rest["closeness"] < 0).all()
    assert rest["signal"].isna().all()


def test_it_agrees_with_what_is_answered_poll_by_poll(tried: Backtest) -> None:
    """The backtest and the gate are one function."""
    polls = client.follow(rollout(3, 0.03, None).counts, every="2min")
    failed = polls[polls["outcome"] == "fail"].index[0]
    (row,) = tried.rollouts.query("policy == 'default' and rollout == 'regressed 3'").to_dict(
        "records"
    )
    assert row["fail_after"] == 2 * (failed + 1)


def test_a_fail_before_the_harm_is_no_detection() -> None:
    """Something else was seen than what broke."""
    one = rollout(3, 0.03, "regressed")
    late = Rollout(one.counts, one.truth, effect_at=HARM + pd.Timedelta("14min"))
    tried = backtest([late], {"default": None}, every="2min")
    assert tried.rollouts["false_alarm"].tolist() == [True]
    assert tried.score["detections"].tolist() == [0]


@pytest.mark.parametrize(
    ("rollouts", "policies", "every", "field"),
    [
        ([], {"default": None}, "1min", "rollouts"),
        ([rollout(1, 0.0, None)], {}, "1min", "policies"),
        ([rollout(1, 0.0, None)], dict.fromkeys(map(str, range(21))), "1min", "policies"),
        ([rollout(1, 0.0, "fine")], {"default": None}, "1min", "truth"),
        ([rollout(1, 0.0, None)], {"default": {"alpha": 7}}, "1min", "policy.alpha"),
        ([rollout(1, 0.0, None)], {"default": None}, "often", "every"),
        ([rollout(1, 0.0, None)], {"default": None}, "1ms", "every"),
        (
            [Rollout(rollout(1, 0.0, None).counts, effect_at=HARM.tz_localize(None))],
            {"default": None},
            "1min",
            "effect_at",
        ),
    ],
    ids=["none", "no policy", "many", "truth", "alpha", "span", "often", "zone"],
)
def test_what_cannot_be_meant_is_refused(
    rollouts: list[Rollout], policies: dict[str, Any], every: str, field: str
) -> None:
    """By its field, before anything is played."""
    with pytest.raises(client.InputError) as refused:
        backtest(rollouts, policies, every=every)
    assert refused.value.field == field
