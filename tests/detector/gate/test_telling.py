"""Who is told of what, and when nobody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.policy import Mode, Policy
from detector.gate.reason import Reason, ReasonCode
from detector.gate.ruling import nothing, rule
from detector.gate.telling import (
    Notice,
    NoticeKind,
    Route,
    addressed,
    call_of,
    name_of,
    silence_of,
)
from detector.gate.verdict import Needs, Outcome, Verdict, answer_of
from tests.detector.gate.test_attempt import T0, attempt
from tests.detector.gate.test_ruling import circumstances

UP = Reason("error_rate_up", "Errors rose.")
FEW = Reason(ReasonCode.LOW_TRAFFIC, "Few requests.")
PODS = Reason(ReasonCode.NEEDS_PODS, "Pods differ too much.")


def verdict(outcome: Outcome, mode: Mode = Mode.ENFORCE, **changes: object) -> Verdict:
    """A verdict of the attempt of the other tests."""
    made = rule(attempt(), replace(nothing(UP), outcome=outcome), circumstances(mode=mode))
    return replace(made, **changes)  # type: ignore[arg-type]


def unsure(reason: Reason = FEW, mode: Mode = Mode.ENFORCE, **changes: object) -> Verdict:
    """An undecided one."""
    return verdict(Outcome.INCONCLUSIVE, mode, reason=reason, **changes)


def told(of: Verdict) -> NoticeKind | None:
    """The kind of the notice that it calls for."""
    notice = call_of(of, attempt())
    return None if notice is None else notice.kind


@pytest.mark.parametrize(
    ("mode", "said", "advice"),
    [
        (Mode.ENFORCE, "failed", "told to roll it back"),
        (Mode.PAUSE, "failed and waits", "a person decides"),
        (Mode.ADVISE, "is worse than the stable version", "nothing was stopped"),
    ],
)
def test_a_fail_is_told_with_what_comes_of_it(mode: Mode, said: str, advice: str) -> None:
    """Whoever reads it knows whether the rollout was stopped, waits, or goes on."""
    notice = call_of(verdict(Outcome.FAIL, mode), attempt())
    assert notice is not None
    assert notice.kind is NoticeKind.FAIL
    assert notice.title == f"checkout {said}"
    assert advice in notice.advice
    assert notice.text == "Errors rose."


def test_shadow_tells_nobody() -> None:
    """It watches; what it would have done is in its weekly account."""
    assert told(verdict(Outcome.FAIL, Mode.SHADOW)) is None


@pytest.mark.parametrize("mode", Mode)
def test_a_pass_is_no_news(mode: Mode) -> None:
    """Chat hears of what needs somebody."""
    assert told(verdict(Outcome.PASS, mode, final=True)) is None


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (Mode.ENFORCE, NoticeKind.PAUSE),
        (Mode.PAUSE, NoticeKind.PAUSE),
        (Mode.ADVISE, None),
        (Mode.SHADOW, None),
    ],
)
def test_a_passed_deadline_is_a_pause_where_the_controller_waits(
    mode: Mode, kind: NoticeKind | None
) -> None:
    """In advise and shadow it was told to go on, so nobody waits."""
    answer = answer_of(Outcome.INCONCLUSIVE, mode)
    assert told(unsure(mode=mode, final=True, answer=answer)) is kind


def test_an_undecided_poll_is_no_pause() -> None:
    """It asks again in half a minute."""
    assert told(unsure()) is None


def later(minutes: float) -> datetime:
    """After the first question."""
    return datetime.fromtimestamp(T0, UTC) + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "reason", "needs", "kind"),
    [
        (14, PODS, Needs(requests=None, seconds=None, canary_pods=4), None),
        (15, PODS, Needs(requests=None, seconds=None, canary_pods=4), NoticeKind.PAUSE),
        (60, FEW, Needs(requests=None, seconds=None), None),
        (60, PODS, Needs(requests=9, seconds=9), None),
    ],
)
def test_what_time_cannot_cure_is_told_after_a_quarter_of_an_hour(
    minutes: float, reason: Reason, needs: Needs, kind: NoticeKind | None
) -> None:
    """A rollout that needs pods would wait for ever, and nobody would know why."""
    assert told(unsure(reason, needs=needs, as_of=later(minutes))) is kind


def test_time_is_scaled_as_in_the_engine() -> None:
    """A demo that runs fifteen times as fast tells fifteen times as soon."""
    fast = attempt(policy=Policy(time_scale=1 / 15))
    needs = Needs(requests=None, seconds=None)
    assert call_of(unsure(PODS, needs=needs, as_of=later(1)), fast) is not None


def test_what_a_person_decided_is_not_told_back() -> None:
    """They know."""
    decided = Reason(ReasonCode.OVERRIDDEN, "ann decided fail")
    assert told(verdict(Outcome.FAIL, reason=decided, final=True)) is None


def test_a_pause_names_the_way_out() -> None:
    """A person who is asked to decide hears what would decide it next time."""
    text = "Undecided at the deadline (needs_pods): Pods differ too much."
    late = Reason(ReasonCode.DEADLINE_REACHED, text)
    needs = Needs(requests=None, seconds=None, canary_pods=6)
    notice = call_of(unsure(late, needs=needs, final=True), attempt())
    assert notice is not None
    assert "at least 6 canary pods" in notice.advice


def test_an_attempt_that_nobody_asks_about_any_more_is_told() -> None:
    """Argo's count was used up: the rollout is paused, and only the silence shows it."""
    notice = silence_of(unsure(), attempt(), now=T0 + 660)
    assert notice is not None
    assert notice.text.startswith("Nobody has asked for 11 minutes.")
    assert silence_of(verdict(Outcome.PASS), attempt(), now=T0 + 660) is None
    assert silence_of(unsure(final=True), attempt(), now=T0 + 660) is None


@given(st.sampled_from(Outcome), st.sampled_from(Mode), st.booleans(), st.floats(0, 7200))
def test_one_attempt_calls_at_most_once_for_each_kind(
    outcome: Outcome, mode: Mode, final: bool, waited: float
) -> None:
    """However often it is polled: the name of a notice is made of the attempt and the kind."""
    answer = answer_of(outcome, mode)
    asked = verdict(outcome, mode, final=final, answer=answer, as_of=later(waited / 60))
    notice = call_of(asked, attempt())
    if notice is not None:
        assert notice.id == f"{notice.kind}:a"
        assert notice.at == asked.as_of.timestamp()


# -- routes


def notice(service: str = "checkout", kind: NoticeKind = NoticeKind.FAIL) -> Notice:
    """A notice of a service."""
    of = verdict(Outcome.FAIL, service=service)
    return Notice(id="n", kind=kind, at=T0, tenant="default", title="t", text="x", verdict=of)


ROUTES = (
    Route(name="all"),
    Route(name="shop", services=("check*", "cart")),
    Route(name="pauses", kinds=frozenset({NoticeKind.PAUSE})),
)


@pytest.mark.parametrize(
    ("service", "kind", "to"),
    [
        ("checkout", NoticeKind.FAIL, ("all", "shop")),
        ("cart", NoticeKind.PAUSE, ("all", "shop", "pauses")),
        ("carts", NoticeKind.FAIL, ("all",)),
        ("Checkout", NoticeKind.FAIL, ("all",)),
    ],
)
def test_a_notice_goes_to_those_who_asked_for_it(
    service: str, kind: NoticeKind, to: tuple[str, ...]
) -> None:
    """A team hears of its own services."""
    (post,) = addressed(notice(service, kind), ROUTES)
    assert post.to == to


def test_a_fail_for_which_the_controller_waits_is_a_pause_too() -> None:
    """In mode pause a person decides: whoever asked for pauses hears of it."""
    waiting = call_of(verdict(Outcome.FAIL, Mode.PAUSE), attempt())
    stopped = call_of(verdict(Outcome.FAIL, Mode.ENFORCE), attempt())
    (post,) = addressed(waiting, ROUTES[2:])
    assert post.to == ("pauses",)
    assert addressed(stopped, ROUTES[2:]) == ()


def test_what_nobody_wants_is_not_kept() -> None:
    """Without notifiers the outbox stays empty."""
    assert addressed(notice(), ()) == ()
    assert addressed(None, ROUTES) == ()
    assert addressed(notice("cart"), ROUTES[2:]) == ()


def test_a_rollout_is_called_by_its_name_and_revision() -> None:
    """As people call it in chat."""
    plain = verdict(Outcome.FAIL)
    assert name_of(plain) == "checkout"
    assert name_of(replace(plain, rollout="checkout-eu", revision="v2")) == "checkout-eu v2"
