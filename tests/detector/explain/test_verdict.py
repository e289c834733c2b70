"""A verdict in words: each question that a developer asks has its answer, and no number is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.explain.trail import Mark
from detector.explain.verdict import Explanation, explained
from detector.gate.aa import AaSummary
from detector.gate.attempt import Attempt, Latch
from detector.gate.policy import Mode, Policy, SignalPolicy
from detector.gate.reason import Reason, ReasonCode
from detector.gate.ruling import nothing, rule
from detector.gate.verdict import Effect, Needs, Outcome, Samples, SignalVerdict, Verdict, answer_of
from detector.series import Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family, Missing, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit
from tests.detector.gate.test_attempt import T0, attempt
from tests.detector.gate.test_ruling import OVERRIDE, circumstances

REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
PLAN = Plan(
    service="checkout",
    canary=(Matcher("track", MatchOp.EQUAL, "canary"),),
    control=((Matcher("track", MatchOp.EQUAL, "stable"),),),
    requests=REQUESTS,
    signals=(
        BoundSignal(
            signal=Signal(name="error_rate", kind=Kind.RATIO, required=True),
            pack="test",
            unit=Unit.POD,
            total=REQUESTS,
            bad=(Matcher("code", MatchOp.MATCHES, "5.."),),
        ),
    ),
    missing=(Missing(name="latency", why="no histogram"),),
)
UP = Reason("error_rate_up", "Errors rose.")
EFFECT = Effect(kind="difference", value=0.035, low=0.022, high=0.058, tolerate=0.001, limit=0.0039)
DETAILS: dict[str, float | str | None] = {
    "base_rate": 0.004,
    "pod_sd": 0.035,
    "arm_sd": 0.07,
    "control_pods": 6.0,
    "smallest_detectable": 2.4,
    "bound": 12.94,
    "limit": 1.886,
}


def signal(outcome: Outcome = Outcome.FAIL, **changes: object) -> SignalVerdict:
    """The error signal of a failed canary."""
    made = SignalVerdict(
        name="error_rate",
        outcome=outcome,
        required=True,
        judged=True,
        unit="ratio",
        canary=0.04,
        control=0.004,
        effect=EFFECT,
        evidence=1e28,
        needed=1428.57,
        samples=Samples(canary=34_419, control=68_203),
        scope="arm",
        since=datetime.fromtimestamp(T0, UTC),
        reason=UP,
        details=DETAILS,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def of(outcome: Outcome, reason: Reason = UP, **changes: object) -> Verdict:
    """A verdict with that signal."""
    made = rule(attempt(), replace(nothing(reason), outcome=outcome), circumstances())
    base: dict[str, object] = {"signals": (signal(outcome),)}
    return replace(made, **{**base, **changes})  # type: ignore[arg-type]


def failed(**changes: object) -> Attempt:
    """An attempt that failed after two and three quarter minutes."""
    latch = Latch(at=T0 + 165, found_at=T0 + 210, signal="error_rate", reason=UP)
    return attempt(**{"plan": PLAN, "latch": latch, **changes})


def told(verdict: Verdict, of: Attempt | None = None, **more: object) -> Explanation:
    """Its explanation."""
    return explained(verdict, of or failed(), **more)  # type: ignore[arg-type]


def passage(explanation: Explanation, title: str) -> str:
    """One part of the details."""
    found = [p.lines for p in explanation.details if p.title == title]
    return "\n".join(found[0]) if found else ""


def test_the_short_of_a_fail_is_two_sentences() -> None:
    """What, and since when: the rest is for those who ask on."""
    assert told(of(Outcome.FAIL)).short == (
        "checkout: fail. Errors rose.",
        "Errors of all canary pods: worse since 14:13, certain at 14:16.",
    )


def test_a_single_pod_is_named() -> None:
    """Its node is looked at before the code."""
    single = of(Outcome.FAIL, signals=(signal(scope="checkout-x1"),))
    assert "Errors of the pod checkout-x1: worse" in told(single).short[1]
    assert "only checkout-x1 is worse" in passage(told(single), "What to look at next")


def test_the_mode_is_told_where_it_changed_the_answer() -> None:
    """Why nothing was rolled back."""
    shown = of(Outcome.FAIL, mode=Mode.ADVISE, answer=answer_of(Outcome.FAIL, Mode.ADVISE))
    assert "mode advise tells people and stops nothing" in told(shown).short[1]
    assert len(told(of(Outcome.FAIL)).short) == 2


def test_each_signal_is_accounted_for_with_its_samples() -> None:
    """The failed one first."""
    calm = signal(Outcome.PASS, name="latency", reason=Reason("healthy", "as before."))
    why = passage(told(of(Outcome.FAIL, signals=(calm, signal()))), "Why")
    assert why.splitlines() == [
        "error_rate: fail. Errors rose.",
        (
            "  34,419 requests of the canary against 68,203 of the control;"
            " evidence of harm 1e28, a fail needs 1,429"
        ),
        "latency: pass. As before.",
        (
            "  34,419 requests of the canary against 68,203 of the control;"
            " evidence of harm 1e28, a fail needs 1,429"
        ),
    ]


def mark(seconds: float, evidence: float, code: str = "collecting") -> Mark:
    """What was known then."""
    return Mark(
        at=T0 + seconds,
        outcome=Outcome.INCONCLUSIVE,
        code=code,
        text=f"Because of {code}.",
        evidence={"error_rate": (evidence, 1428.57)},
    )


def test_why_not_earlier_is_the_growth_of_evidence() -> None:
    """Too little at first, then a burst, then enough; and when somebody asked."""
    trail = [mark(60, 20.0), mark(120, 287_228.0, "burst")]
    lines = passage(told(of(Outcome.FAIL), trail=trail), "Why not earlier").splitlines()
    assert lines == [
        "14:13:20 the canary's first sample",
        "14:14:20 evidence of harm in error_rate 20 of the 1,429 that a fail needs",
        (
            "14:15:20 evidence of harm in error_rate 287,228 of the 1,429 that a fail needs;"
            " Because of burst."
        ),
        "14:16:05 enough, and not from one burst: the fail stands from here",
        (
            "14:16:50 asked for the first time since, 45 s later: samples settle for a while, and"
            " nothing is judged that nobody asks"
        ),
    ]


def test_a_long_trail_is_thinned() -> None:
    """An hour of polls is not an hour of reading; the ends are kept."""
    trail = [mark(n, float(n)) for n in range(100)]
    lines = passage(told(of(Outcome.FAIL), trail=trail), "Why not earlier").splitlines()
    assert len(lines) == 1 + 8 + 2
    assert "error_rate 0 of" in lines[1]
    assert "error_rate 99 of" in lines[8]


def test_an_open_verdict_lists_what_held_it_up_once_each() -> None:
    """The same reason at forty polls is one line."""
    trail = [mark(60, 1.0), mark(120, 1.0), mark(180, 1.0, "low_traffic")]
    few = of(Outcome.INCONCLUSIVE, Reason(ReasonCode.LOW_TRAFFIC, "Few."))
    lines = passage(told(few, trail=trail), "Why not earlier").splitlines()
    assert lines[1:] == [
        "14:14:20 inconclusive (collecting): Because of collecting.",
        "14:16:20 inconclusive (low_traffic): Because of low_traffic.",
    ]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (SignalPolicy(), "the default, from the usual 0.4 % and the slo of 99.9 %"),
        (SignalPolicy(tolerate=0.05), "`0.05` in the policy strict"),
        (SignalPolicy(tolerate_points=0.001), "`0.001` points in the policy strict"),
    ],
)
def test_whoever_set_a_threshold_is_named(wish: SignalPolicy, words: str) -> None:
    """The policy, or the default and what it is made of."""
    of_policy = failed(policy=Policy(name="strict", signals={"error_rate": wish}))
    lines = passage(told(of(Outcome.FAIL), of_policy), "How the threshold came about")
    assert f"tolerated +0.1 points: {words}" in lines


def test_what_evidence_has_to_reach_is_worked_out() -> None:
    """The false-alarm budget, and this signal's share of it."""
    lines = passage(told(of(Outcome.FAIL)), "How the threshold came about")
    assert "a healthy rollout may fail with 0.5 %" in lines
    assert "has 14 % of it, and 1 / (0.005 x 0.14) is 1,429" in lines
    assert "stable pods differ by 3.6 % among themselves (learned from 6 of them)" in lines


def test_a_self_check_that_raised_the_threshold_is_told_beside_it() -> None:
    """The budget is the policy's; what the service's own placebos added is said apart."""
    note = (
        "A/A check of 2026-09-20: of 300 placebos on this service's own pods 9 would have failed."
    )
    aa = AaSummary(at=T0, placebos=300, failed=9, reached=9, raised=10.0)
    raised = of(Outcome.FAIL, signals=(signal(needed=14285.7),), notes=(note, "1 reset"), aa=aa)
    lines = passage(told(raised), "How the threshold came about")
    assert "has 14 % of it, and 1 / (0.005 x 0.14) is 1,429, times 10 for the self-check" in lines
    assert note in lines
    assert passage(told(raised), "What was left out").splitlines()[0] == "1 reset"


def test_a_number_at_the_beginning_is_no_word() -> None:
    """`x1.05` stays as it is written."""
    shown = signal(reason=Reason("suspicious", "x1.05, more than the control"), judged=False)
    why = passage(told(of(Outcome.FAIL, signals=(shown,))), "Why")
    assert why == "error_rate: only shown. x1.05, more than the control"


def test_what_would_have_made_it_pass_is_a_better_release_or_a_setting_that_was_tried() -> None:
    """As a policy says it; a setting that nobody tried is not told."""
    untried = passage(told(of(Outcome.FAIL)), "What would have made it pass")
    assert "A release that is not worse." in untried
    assert "tolerate" not in untried
    lines = passage(told(of(Outcome.FAIL), bearable=0.035), "What would have made it pass")
    assert "`tolerate_points: 0.035` for error_rate" in lines
    assert "which is 3.5 points more, the same samples are no fail (tried)" in lines
    assert "harm bounded below its limit, x1.89 of the usual; the bound was x12.9" in lines
    ratio = Effect(kind="ratio", value=1.5, low=1.4, high=None, tolerate=1.05, limit=1.22)
    slow = of(Outcome.FAIL, signals=(signal(effect=ratio),))
    lines = passage(told(slow, bearable=1.5), "What would have made it pass")
    assert "`tolerate: 0.50`" in lines
    assert "which is 50 % more" in lines


def test_what_an_open_verdict_lacked_is_in_numbers() -> None:
    """Requests, minutes, pods."""
    few = Reason(ReasonCode.LOW_TRAFFIC, "Few.")
    lacked = of(Outcome.INCONCLUSIVE, few, needs=Needs(requests=1200, seconds=600))
    lines = passage(told(lacked), "What would have made it pass")
    assert "lacked 1,200 requests" in lines
    assert "10 minutes" in lines
    assert "the bound was x12.9" in lines


def test_what_was_left_out_is_listed() -> None:
    """Cleaned samples, signals without data, and those that are only shown."""
    advice = signal(Outcome.PASS, name="cpu_per_request", judged=False, required=False)
    noted = of(Outcome.FAIL, signals=(signal(), advice), notes=("3 counter resets",))
    assert passage(told(noted), "What was left out").splitlines() == [
        "3 counter resets",
        "latency was not judged: no histogram",
        "Only shown, never a fail: cpu_per_request.",
    ]


def test_the_queries_can_be_pasted() -> None:
    """What the gate compared, as Prometheus takes it."""
    lines = passage(told(of(Outcome.FAIL)), "What to look at next")
    assert (
        'sum(rate(http_requests_total{track="canary",code=~"5.."}[5m]))'
        ' / sum(rate(http_requests_total{track="canary"}[5m]))'
    ) in lines
    assert 'track="stable"' in lines
    assert "docs/troubleshooting.md#error_rate_up" in lines


def test_after_a_pass_there_is_nothing_to_do() -> None:
    """But what would have been found is told."""
    calm = told(of(Outcome.PASS, Reason(ReasonCode.HEALTHY, "all is well")))
    assert calm.short == ("checkout: pass. all is well",)
    titles = {p.title for p in calm.details}
    assert not titles & {"What to look at next", "What would have made it pass"}
    assert "harm of x2.40 of the usual or more would have been found" in passage(
        calm, "How the threshold came about"
    )


def test_a_person_who_decided_is_named() -> None:
    """Not the statistics."""
    decided = of(Outcome.PASS, Reason(ReasonCode.OVERRIDDEN, "ann decided pass"))
    assert "ann decided so, not the statistics" in told(decided, override=OVERRIDE).short[1]


def test_a_fail_whose_samples_are_over_is_told_as_what_it_is() -> None:
    """The latch alone stands."""
    later = of(Outcome.FAIL, signals=())
    assert "stays failed" in told(later).short[1]
    assert "a new attempt is judged anew" in passage(told(later), "What would have made it pass")


NUMBERS = st.none() | st.floats(allow_nan=True, allow_infinity=True)
EFFECTS = st.builds(
    Effect,
    kind=st.sampled_from(["difference", "ratio"]),
    value=NUMBERS,
    low=NUMBERS,
    high=NUMBERS,
    tolerate=st.floats(0, 10),
    limit=st.floats(0, 10),
)
SIGNALS = st.builds(
    signal,
    outcome=st.sampled_from(Outcome),
    name=st.sampled_from(["error_rate", "latency", "restarts", "my_own"]),
    required=st.booleans(),
    judged=st.booleans(),
    effect=st.none() | EFFECTS,
    evidence=NUMBERS,
    needed=NUMBERS,
    since=st.none() | st.just(datetime.fromtimestamp(T0, UTC)),
    details=st.dictionaries(st.sampled_from([*DETAILS]), NUMBERS),
)


@given(
    st.sampled_from(Outcome),
    st.sampled_from([*ReasonCode, "error_rate_up"]),
    st.lists(SIGNALS, max_size=4),
    st.sampled_from(Mode),
    st.booleans(),
)
def test_any_verdict_can_be_told(
    outcome: Outcome, code: str, signals: list[SignalVerdict], mode: Mode, planned: bool
) -> None:
    """Whatever is missing or infinite: words, and never a traceback at three in the morning."""
    answer = answer_of(outcome, mode)
    any_ = of(outcome, Reason(code, "x"), signals=tuple(signals), mode=mode, answer=answer)
    explanation = told(any_, failed(plan=PLAN if planned else None))
    assert explanation.short[0] == f"checkout: {outcome.value}. x"
    assert all(part.lines for part in explanation.details)
    text = "\n".join(line for part in explanation.details for line in part.lines)
    assert "None" not in text
