"""Verdicts by hand: counts of pods in, the engine's verdict out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from api import client
from api.client.counts import discovery, world_of
from api.client.judging import policy_of
from api.client.series import milliseconds_of
from detector.gate.policy import Policy
from detector.gate.render import verdict_body
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.ports import Clock
from pipelines.flows.gate import Gate
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores

HEALTHY = client.examples.rollout(seed=1)
BROKEN = client.examples.rollout(seed=1, errors=0.02)
END = HEALTHY.index.max()


@pytest.mark.parametrize(("counts", "outcome"), [(HEALTHY, "pass"), (BROKEN, "fail")])
def test_counts_are_judged(counts: pd.DataFrame, outcome: str) -> None:
    """A canary as good as its control goes on, one that fails more is stopped."""
    verdict = client.judge(counts)
    assert verdict.outcome == outcome
    assert verdict.as_of.floor("s") == END.floor("s")
    (errors,) = verdict.signals.to_dict("records")
    assert errors["name"] == "error_rate"
    canary = counts[counts["arm"] == "canary"].sum(numeric_only=True)
    assert errors["canary_samples"] == pytest.approx(canary["requests"], rel=0.05)
    assert errors["canary"] == pytest.approx(canary["errors"] / canary["requests"], rel=0.05)


def test_it_is_the_verdict_that_a_controller_would_get() -> None:
    """The same gate over the same counters, built as `serinus serve` builds it."""
    source = MemorySource(retention_s=1e12)
    for (arm, pod), rows in BROKEN.groupby(["arm", "pod"]):
        at = milliseconds_of(rows.index, "counts") / 1000
        first = np.concatenate([[at[0] - 15], at])
        for code, counted in (("200", rows["requests"] - rows["errors"]), ("500", rows["errors"])):
            labels = {"service": "service", "arm": str(arm), "pod": str(pod), "code": code}
            total = np.concatenate([[0.0], counted.cumsum()])
            source.add({"__name__": "http_requests_total", **labels}, first, total)
    clock: Clock = END.timestamp
    gate = Gate(
        source=source,
        catalog=source,
        stores=memory_stores(),
        clock=clock,
        discover=discovery(),
        session_factory=Session,
    )
    asked = VerdictRequest(service="service", canary='{arm="canary"}', policy=policy_of(None))
    body = verdict_body(gate.judge(asked), brief=False)
    ours = dict(client.judge(BROKEN).body)
    for made_up in ("id", "attempt", "links"):
        body.pop(made_up)
        ours.pop(made_up)
    assert ours == body


def test_a_moment_is_judged_by_what_was_known_then() -> None:
    """Two minutes in, nobody knows."""
    early = client.judge(BROKEN, as_of=pd.Timestamp("2026-03-02T10:01:00Z"))
    assert (early.outcome, early.reason) == ("inconclusive", "warming_up")


def test_rows_in_any_order_are_the_same_counts() -> None:
    """A frame that was read from files has no order."""
    shuffled = BROKEN.sample(frac=1.0, random_state=3)
    one, other = client.judge(BROKEN), client.judge(shuffled)
    assert (one.outcome, one.text) == (other.outcome, other.text)
    pd.testing.assert_frame_equal(one.signals, other.signals)


def test_without_a_control_nothing_passes() -> None:
    """What it would be compared with is not there."""
    alone = HEALTHY[HEALTHY["arm"] == "canary"]
    verdict = client.judge(alone)
    assert (verdict.outcome, verdict.reason) == ("inconclusive", "no_control_data")


def test_a_policy_is_told_by_its_fields() -> None:
    """Whoever tolerates more lets more go on."""
    calm = {
        "name": "calm",
        "signals": {"error_rate": {"tolerate_points": 0.05, "limit_points": 0.1}},
    }
    verdict = client.judge(BROKEN, policy=calm)
    assert verdict.outcome == "pass"
    assert verdict.body["policy"].startswith("calm@sha256:")


def test_no_pass_waits_for_durations_unless_they_are_asked_for() -> None:
    """Counts have none."""
    assert not policy_of(None).signals["latency"].required
    strict = client.judge(HEALTHY, policy={"signals": {"latency": {"required": True}}})
    assert (strict.outcome, strict.reason) == ("inconclusive", "signal_missing")
    assert policy_of({"alpha": 0.01}).alpha == 0.01
    assert policy_of(None).digest != Policy().digest


def test_answers_are_followed_through_a_rollout() -> None:
    """From *nobody knows* to a fail that stands."""
    polls = client.follow(BROKEN, every="2min")
    assert len(polls) == 15
    assert polls["as_of"].is_monotonic_increasing
    assert polls["outcome"].iloc[0] == "inconclusive"
    assert polls["outcome"].iloc[-1] == "fail"
    assert polls["final"].iloc[-1]
    last = client.judge(BROKEN)
    assert polls["text"].iloc[-1] == last.text
    assert polls["evidence"].iloc[-1] == last.signals.loc[0, "evidence"]
    assert polls["attempt"].nunique() == 1
    frame = polls.dtypes.astype(str).to_dict()
    assert (frame["as_of"], frame["evidence"]) == ("datetime64[ns, UTC]", "float64")


def bent(**columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """The counts with other columns."""
    return HEALTHY.assign(**columns)


@pytest.mark.parametrize(
    ("make", "field", "words"),
    [
        (lambda: HEALTHY.drop(columns="pod"), "counts", "no column 'pod'"),
        (lambda: bent(arm="baseline"), "counts", "neither canary nor control"),
        (lambda: bent(arm="control"), "counts", "no row of the canary"),
        (lambda: bent(pod="one"), "counts", "'one' is on both arms"),
        (lambda: bent(requests=-1), "counts.requests", "below 0"),
        (lambda: bent(errors=np.nan), "counts.errors", "missing"),
        (lambda: bent(errors=np.inf), "counts.errors", "infinite"),
        (lambda: bent(errors="two"), "counts.errors", "no numbers"),
        (lambda: bent(errors=1e9), "counts", "more errors than requests"),
        (lambda: HEALTHY.tz_localize(None), "counts", "no time zone"),
        (lambda: HEALTHY.reset_index(drop=True), "counts", "no times"),
        (lambda: HEALTHY.iloc[:0], "counts", "0 values"),
        (lambda: pd.concat([HEALTHY, HEALTHY]), "counts", "two rows of one time"),
        (lambda: HEALTHY["requests"], "counts", "give a DataFrame"),
    ],
)
def test_counts_that_cannot_be_are_refused(
    make: Callable[[], pd.DataFrame], field: str, words: str
) -> None:
    """With what is wrong with them."""
    with pytest.raises(client.InputError, match=words) as refused:
        client.judge(make())
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"policy": "default"}, "policy"),
        ({"policy": {"alpha": 2}}, "policy.alpha"),
        ({"policy": {"signals": {"error_rat": {}}}}, "policy"),
        ({"stage": "later"}, "stage"),
        ({"as_of": pd.Timestamp("2026-03-02")}, "as_of"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused(given: dict[str, Any], field: str) -> None:
    """By its field."""
    with pytest.raises(client.InputError) as refused:
        client.judge(HEALTHY, **given)
    assert refused.value.field == field


def test_answers_of_a_call_are_bounded() -> None:
    """A poll each millisecond would never end."""
    with pytest.raises(client.InputError, match="ask less often"):
        client.follow(HEALTHY, every="1s")


def test_the_first_row_of_a_pod_counts() -> None:
    """What it counted came in the step before."""
    world = world_of(HEALTHY, "service")
    canary = HEALTHY[HEALTHY["arm"] == "canary"]
    assert world.start == pytest.approx(canary.index.min().timestamp())
    assert world.end == pytest.approx(END.timestamp())
