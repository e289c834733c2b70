"""The body of a verdict: every key, always, in strict JSON that any controller can read."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.judgement import Judgement
from detector.gate.policy import Mode
from detector.gate.render import utc_text, verdict_body
from detector.gate.request import Stage
from detector.gate.ruling import nothing, rule
from detector.gate.verdict import Effect, Needs, Outcome, Samples, SignalVerdict, Verdict
from tests.detector.gate.test_attempt import T0, attempt
from tests.detector.gate.test_ruling import DOWN, FAIL, PASS, UNSURE, UP, circumstances


def full() -> Verdict:
    """A verdict with one signal."""
    signal = SignalVerdict(
        name="error_rate",
        outcome=Outcome.FAIL,
        required=True,
        judged=True,
        unit="ratio",
        canary=0.0212345678,
        control=math.nan,
        effect=Effect(
            kind="difference", value=0.017, low=-math.inf, high=None, tolerate=0.001, limit=0.005
        ),
        evidence=math.inf,
        needed=2 / 3 * 1000,
        samples=Samples(canary=1234.0, control=9123.0),
        scope="arm",
        since=datetime.fromtimestamp(T0 + 0.25, UTC),
        reason=UP,
        details={"bound": math.nan, "scope": "arm", "none": None, "tau": 1 / 3},
    )
    return replace(rule(attempt(), FAIL, circumstances()), signals=(signal,))


DOCUMENTED = {
    "id", "outcome", "answer", "final", "stage", "reason", "as_of", "started_at",
    "exposure_since", "attempt", "service", "rollout", "revision", "policy", "engine", "mode",
    "signals", "needs", "links",
}  # fmt: skip


def test_every_documented_key_is_always_there() -> None:
    """A controller's condition on a missing key errs."""
    empty = verdict_body(
        rule(attempt(), nothing(DOWN), circumstances(started_at=None)), brief=False
    )
    body = verdict_body(full(), brief=False)
    assert set(body) == set(empty) >= DOCUMENTED
    assert set(verdict_body(full(), brief=True)) == set(body) - {"signals"}
    assert body["links"] == {"self": "/v1/verdicts/v", "ui": "/rollouts/a"}


def test_the_body_is_strict_json() -> None:
    """A NaN token in the body makes Argo read it as a string."""
    body: Any = verdict_body(full(), brief=False)
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    signal = body["signals"][0]
    assert (signal["canary"], signal["control"], signal["evidence"]) == (0.0212346, None, None)
    assert signal["needed"] == 666.667
    assert signal["effect"]["low"] is None
    assert signal["details"] == {"bound": None, "scope": "arm", "none": None, "tau": 0.333333}
    assert signal["since"].endswith(".250Z")
    assert body["as_of"] == "2026-09-21T14:13:20Z"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_keep_six_digits(value: float) -> None:
    """Or are null; rounding again changes nothing."""
    signal = replace(full().signals[0], canary=value)
    body: Any = verdict_body(replace(full(), signals=(signal,)), brief=False)
    sent = body["signals"][0]["canary"]
    if math.isfinite(value):
        assert sent == pytest.approx(value, rel=1e-5, abs=5e-324)
        assert float(f"{sent:.6g}") == sent
    else:
        assert sent is None


def test_no_time_is_null() -> None:
    """And any zone becomes UTC."""
    assert utc_text(None) is None
    assert utc_text(datetime.fromisoformat("2026-11-23T15:00:00+01:00")) == "2026-11-23T14:00:00Z"


def body_of(verdict: Verdict) -> Any:  # noqa: ANN401 - a JSON body
    """As it comes out of the other end of the wire."""
    return json.loads(json.dumps(verdict_body(verdict, brief=False), allow_nan=False))


def test_every_fact_of_a_signal_is_sent() -> None:
    """A field that is added to a signal is not forgotten on the wire."""
    (signal,) = body_of(full())["signals"]
    assert set(signal) == {field.name for field in fields(SignalVerdict)}
    assert set(signal["effect"]) == {field.name for field in fields(Effect)}
    assert set(signal["samples"]) == {field.name for field in fields(Samples)}
    assert set(body_of(full())["needs"]) == {field.name for field in fields(Needs)}


def test_a_signal_without_effect_or_time_is_null_there() -> None:
    """A condition like `signals[0].since == null` is a fact, not an error."""
    bare = replace(full().signals[0], effect=None, since=None, needed=None, details={})
    (signal,) = body_of(replace(full(), signals=(bare,)))["signals"]
    assert (signal["effect"], signal["since"], signal["needed"]) == (None, None, None)
    assert signal["details"] == {}


@pytest.mark.parametrize("said", [PASS, FAIL, UNSURE], ids=["pass", "fail", "inconclusive"])
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("stage", list(Stage))
def test_words_are_those_of_the_closed_lists(said: Judgement, mode: Mode, stage: Stage) -> None:
    """Plain lower-case words that a controller compares with, never `Outcome.PASS`."""
    body = body_of(rule(attempt(), said, circumstances(mode=mode, stage=stage)))
    assert (body["mode"], body["stage"]) == (mode.value, stage.value)
    assert body["outcome"] in {outcome.value for outcome in Outcome}
    assert body["answer"] in {outcome.value for outcome in Outcome}
    assert type(body["final"]) is bool
    assert body["reason"] == {"code": said.reason.code, "text": said.reason.text}


def test_what_is_needed_is_whole_or_null() -> None:
    """`needs.requests` is a number to wait for, or null where no wait helps."""
    needs = Needs(requests=12, seconds=None, canary_pods=4)
    body = body_of(rule(attempt(), replace(UNSURE, needs=needs), circumstances()))
    assert body["needs"] == {"requests": 12, "seconds": None, "canary_pods": 4}
    assert body_of(rule(attempt(), PASS, circumstances()))["needs"]["requests"] == 0


def test_a_verdict_leads_to_itself_and_to_its_page() -> None:
    """The address in an alert opens what it is about."""
    verdict = replace(full(), id="019a", attempt="0b1c")
    assert body_of(verdict)["links"] == {"self": "/v1/verdicts/019a", "ui": "/rollouts/0b1c"}


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - zones are drawn
    st.integers(-14 * 60, 14 * 60),
)
def test_a_time_is_the_same_moment_in_utc(local: datetime, minutes: int) -> None:
    """Whatever zone it came in; a controller in another compares the same instants."""
    at = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = utc_text(at)
    assert text is not None
    assert text.endswith("Z")
    assert abs(datetime.fromisoformat(text) - at) < timedelta(milliseconds=1)


def test_whole_seconds_have_no_fraction() -> None:
    """The commonest case is the shortest, and sorts as text."""
    assert utc_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    assert utc_text(datetime(2026, 1, 2, 3, 4, 5, 60_000, UTC)) == "2026-01-02T03:04:05.060Z"


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.floats()), max_size=5))
def test_details_are_strict_json_whatever_they_hold(details: dict[str, Any]) -> None:
    """Words stay words, numbers are numbers or null."""
    signal = replace(full().signals[0], details=details)
    sent = body_of(replace(full(), signals=(signal,)))["signals"][0]["details"]
    assert set(sent) == set(details)
    for name, value in details.items():
        if isinstance(value, float):
            assert (sent[name] is None) == (not math.isfinite(value))
        else:
            assert sent[name] == value


@given(st.lists(st.text(max_size=30), max_size=4))
def test_notes_are_sent_in_order(notes: list[str]) -> None:
    """What was left out of the samples is told as it was told to people."""
    said = replace(PASS, notes=tuple(notes))
    assert body_of(rule(attempt(), said, circumstances(notes=("last",))))["notes"] == [
        *notes,
        "last",
    ]


def test_a_wait_is_told_only_while_one_waits() -> None:
    """No `waiting for traffic` beside a pass."""
    waiting = replace(UNSURE, waiting="waiting for traffic: 3 of 9 requests")
    assert body_of(rule(attempt(), waiting, circumstances()))["waiting"].startswith("waiting")
    passed = replace(waiting, outcome=Outcome.PASS)
    assert body_of(rule(attempt(), passed, circumstances()))["waiting"] is None
