"""The one change: for every reason there is one, with the numbers that are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.cure import cure_of, is_waiting_vain
from detector.gate.reason import Reason, ReasonCode
from detector.gate.ruling import nothing, rule, underlying
from detector.gate.verdict import Needs, Outcome, Samples, SignalVerdict, Verdict
from tests.detector.gate.test_attempt import T0, attempt
from tests.detector.gate.test_ruling import circumstances


def signal(name: str, code: str, *, canary: float = 12.0) -> SignalVerdict:
    """One required signal."""
    return SignalVerdict(
        name=name,
        outcome=Outcome.INCONCLUSIVE,
        required=True,
        judged=True,
        unit="ratio",
        canary=None,
        control=None,
        effect=None,
        evidence=1.0,
        needed=100.0,
        samples=Samples(canary=canary, control=100.0),
        scope="arm",
        since=None,
        reason=Reason(code, "x"),
        details={},
    )


def undecided(code: str, text: str = "text", **changes: object) -> Verdict:
    """An open verdict with this reason."""
    made = rule(attempt(), nothing(Reason(code, text)), circumstances())
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_has_a_cure(code: ReasonCode) -> None:
    """A reason that somebody adds without one falls out here, not in a message at night."""
    cure = cure_of(undecided(code))
    assert cure.code == code
    assert not cure.text.startswith("Look into")
    assert cure.text.endswith((".", ")"))


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (
            Needs(requests=188, seconds=540),
            "188 requests to the canary (it had 12): let the step last 9 minutes longer",
        ),
        (Needs(requests=1188, seconds=None), "lacked 1,188 requests"),
    ],
)
def test_low_traffic_is_cured_by_a_number(needs: Needs, words: str) -> None:
    """Not by "more traffic"."""
    signals = (signal("error_rate", "low_traffic"),)
    assert words in cure_of(undecided("low_traffic", needs=needs, signals=signals)).text


def test_no_request_at_all_is_another_matter() -> None:
    """No step is long enough for traffic that is not sent."""
    cure = cure_of(undecided("low_traffic", needs=Needs(requests=None)))
    assert "No requests reached the canary" in cure.text


def test_pods_are_counted_where_they_help() -> None:
    """And where no number of them helps, the limit is named."""
    helped = cure_of(undecided("needs_pods", needs=Needs(requests=None, canary_pods=5)))
    assert "at least 5 canary pods" in helped.text
    signals = (signal("error_rate", "healthy"), signal("latency", "needs_pods"))
    needs = Needs(requests=None, canary_pods=None)
    hopeless = cure_of(undecided("needs_pods", needs=needs, signals=signals))
    assert "`limit` of latency" in hopeless.text


def test_a_missing_signal_is_named() -> None:
    """With the setting that lets the rollout go on without it."""
    text = "Required but absent: latency (latency: no histogram). A policy may set required:"
    cure = cure_of(undecided("signal_missing", text))
    assert cure.text.startswith("Expose latency of checkout, or set `required: false`")


@pytest.mark.parametrize(
    "told",
    [
        'Nearest to the canary {pod="x"} of checkout: pod checkout-1, checkout-2.',
        "No request metric names a service chekout; nearest: checkout, cart.",
        "checkout is not in the namespace shop; it is in store.",
    ],
)
def test_the_nearest_names_are_passed_on(told: str) -> None:
    """What was said about the selector is what mends it, and nothing else of the sentence."""
    for before in ("No series of it matches the canary yet; check its selector. ", ""):
        cure = cure_of(undecided("no_canary_data", before + told))
        assert cure.text == f"Ask with a selector that matches. {told}"


def test_without_names_the_way_to_them_is_told() -> None:
    """`discover` shows them."""
    cure = cure_of(undecided("no_canary_data", "No series of checkout matches the canary yet."))
    assert "`serinus discover --service checkout`" in cure.text


@given(st.sampled_from(ReasonCode), st.text(max_size=60))
def test_the_reason_under_a_passed_deadline_is_read_back(code: ReasonCode, text: str) -> None:
    """The message names low traffic, not that the time was up."""
    seen = circumstances(deadline=T0)
    late = rule(attempt(), nothing(Reason(code, text)), seen)
    assert late.reason.code == ReasonCode.DEADLINE_REACHED
    expected = Reason(str(code), text)
    assert underlying(late.reason) == expected
    assert cure_of(late).code == code


def test_time_alone_does_not_bring_pods() -> None:
    """But it brings requests."""
    pods, few = Reason(ReasonCode.NEEDS_PODS, "x"), Reason(ReasonCode.LOW_TRAFFIC, "x")
    assert is_waiting_vain(pods, Needs(requests=None))
    assert not is_waiting_vain(pods, Needs(requests=4))
    assert not is_waiting_vain(few, Needs(requests=None))
