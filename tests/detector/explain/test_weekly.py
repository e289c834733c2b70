"""The weekly notice: who never gets a verdict, and what would change that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backtest.course import Truth
from detector.backtest.shadow import Watched
from detector.explain.weekly import (
    QUIET_S,
    SPAN_S,
    WEEK_S,
    WeeklyAt,
    ailing_of,
    digests,
    shares_of,
    weekly_at,
)
from detector.gate.reason import Reason, ReasonCode
from detector.gate.ruling import nothing, rule
from detector.gate.telling import NoticeKind, Route
from detector.gate.verdict import Outcome, Verdict
from pipelines.zones import calendar_of
from tests.detector.gate.test_attempt import T0, attempt
from tests.detector.gate.test_ruling import circumstances

DAY = 86_400.0
MONDAY = WeeklyAt(day=0, hour=9, minute=0)


def ended(
    service: str,
    days_ago: float,
    outcome: Outcome = Outcome.INCONCLUSIVE,
    code: str = "low_traffic",
    *,
    final: bool = True,
) -> Verdict:
    """The newest verdict of a rollout."""
    seen = circumstances(as_of=T0 - days_ago * DAY)
    made = rule(attempt(), replace(nothing(Reason(code, "x")), outcome=outcome), seen)
    name = f"{service}-{days_ago}"
    return replace(made, service=service, attempt=name, final=final)


def named(*verdicts: Verdict) -> list[tuple[str, int, str]]:
    """Services, rollouts and reasons of those that ail."""
    newest = sorted(verdicts, key=lambda v: v.as_of, reverse=True)
    return [(a.service, a.rollouts, a.cure.code) for a in ailing_of(newest, at=T0)]


def test_a_service_that_never_gets_a_verdict_is_named() -> None:
    """With how often, and with the reason that was most often in the way."""
    few, pods = "low_traffic", "needs_pods"
    verdicts = [ended("cart", n, code=code) for n, code in ((1, pods), (3, few), (9, few))]
    assert named(*verdicts) == [("cart", 3, "low_traffic")]


@pytest.mark.parametrize(
    "other",
    [
        ended("cart", 20, Outcome.PASS, "healthy"),
        ended("cart", 2, Outcome.FAIL, "error_rate_up"),
    ],
)
def test_one_decision_in_four_weeks_is_enough(other: Verdict) -> None:
    """The gate works for it."""
    assert named(ended("cart", 1), ended("cart", 3), other) == []


def test_once_is_no_habit_and_long_ago_is_no_news() -> None:
    """Two rollouts, one of them in the last week."""
    assert named(ended("cart", 1)) == []
    assert named(ended("cart", 8), ended("cart", 9)) == []
    assert named(ended("cart", 1), ended("cart", 29)) == []
    assert named(ended("cart", 6.9), ended("cart", 27)) != []


def test_a_rollout_under_way_has_not_ended() -> None:
    """It may be decided in the next minute."""
    running = ended("cart", 0.001, final=False)
    assert named(running, ended("cart", 3)) == []
    silent = ended("cart", 0.01, final=False)
    assert named(silent, ended("cart", 3)) == [("cart", 2, "low_traffic")]


def test_what_a_person_decided_counts_for_neither() -> None:
    """They had to, because the gate did not."""
    decided = ended("cart", 2, Outcome.PASS, ReasonCode.OVERRIDDEN)
    assert named(ended("cart", 1), decided, ended("cart", 3)) == [("cart", 2, "low_traffic")]


def test_the_deadline_is_not_the_reason() -> None:
    """What stood when it came is."""
    text = "Undecided at the deadline (needs_pods): Pods differ."
    late = [replace(ended("cart", n), reason=Reason("deadline_reached", text)) for n in (1, 2)]
    assert named(*late) == [("cart", 2, "needs_pods")]


def test_the_most_often_come_first() -> None:
    """Where one change helps most."""
    cart = [ended("cart", n) for n in (1, 2)]
    mail = [ended("mail", n) for n in (1.5, 2.5, 3.5)]
    assert [name for name, _, _ in named(*cart, *mail)] == ["mail", "cart"]


OUTCOMES = st.sampled_from(
    [
        (Outcome.PASS, "healthy"),
        (Outcome.FAIL, "latency_up"),
        (Outcome.INCONCLUSIVE, "low_traffic"),
        (Outcome.INCONCLUSIVE, "needs_pods"),
    ]
)
ENDINGS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.floats(0.1, 40), OUTCOMES), max_size=9)


@given(ENDINGS)
def test_whoever_is_named_was_never_decided(
    endings: list[tuple[str, float, tuple[Outcome, str]]],
) -> None:
    """In all that is looked at, whatever else happened."""
    verdicts = [ended(name, ago, *said) for name, ago, said in endings]
    for name, rollouts, _ in named(*verdicts):
        own = [v for v in verdicts if v.service == name and v.as_of.timestamp() >= T0 - SPAN_S]
        assert len(own) == rollouts >= 2
        assert {v.outcome for v in own} == {Outcome.INCONCLUSIVE}


@given(ENDINGS)
def test_shares_are_shares(endings: list[tuple[str, float, tuple[Outcome, str]]]) -> None:
    """They add up to that of all undecided ones, and no rollout is counted twice."""
    verdicts = [ended(name, ago, *said) for name, ago, said in endings]
    found = shares_of(verdicts, now=T0)
    undecided = sum(v.outcome is Outcome.INCONCLUSIVE for v in verdicts)
    assert found.ended == len(verdicts)
    assert sum(found.inconclusive.values()) == pytest.approx(undecided / max(len(verdicts), 1))
    assert "deadline_reached" not in found.inconclusive


def test_each_receiver_gets_its_own_services() -> None:
    """A team is not told of the others'; nobody is told of nothing."""
    newest = [ended(name, n) for n in (1, 2) for name in ("cart", "mail")]
    ailing = ailing_of(newest, at=T0)
    routes = (
        Route(name="all"),
        Route(name="cart", services=("cart",)),
        Route(name="fails", kinds=frozenset({NoticeKind.FAIL})),
        Route(name="none", services=("other",)),
    )
    posts = list(digests(ailing, routes, at=T0))
    assert [(post.to, [a.service for a in post.notice.ailing]) for post in posts] == [
        (("all",), ["cart", "mail"]),
        (("cart",), ["cart"]),
    ]
    assert posts[0].notice.id != posts[1].notice.id
    assert posts[1].notice.title == "1 service never gets a verdict"


def watched(days_ago: float, service: str = "cart", truth: Truth | None = None) -> Watched:
    """A rollout that passed."""
    return Watched(
        attempt=f"{service}-{days_ago}",
        service=service,
        revision=None,
        at=T0 - days_ago * DAY,
        outcome=Outcome.PASS,
        reason="healthy",
        truth=truth,
        by="",
        policy="default",
        acts=True,
    )


def test_what_came_of_policies_is_told_each_week_that_has_rollouts() -> None:
    """Of four weeks, to each receiver of its services, also where all services get verdicts."""
    found = [
        watched(1, truth=Truth.REGRESSED),
        watched(20, truth=Truth.HEALTHY),
        watched(2, "mail"),
    ]
    routes = (
        Route(name="all"),
        Route(name="cart", services=("cart",)),
        Route(name="x", services=("x",)),
    )
    first, second = digests([], routes, at=T0, watched=found)
    assert (first.to, second.to) == (("all",), ("cart",))
    (score,) = second.notice.policies
    assert (score.passed, score.missed, score.rightly_passed) == (2, 1, 1)
    assert first.notice.policies[0].passed == 3
    assert first.notice.title == "What came of the verdicts"
    assert "judged 3 rollouts in four weeks, and was right in 1 of 2" in first.notice.text


def test_a_week_without_rollouts_says_nothing_of_policies() -> None:
    """It said so last week."""
    assert list(digests([], [Route(name="all")], at=T0, watched=[watched(8)])) == []


# -- the moment of a week


@given(st.floats(T0 - 1e8, T0 + 1e8), st.integers(0, 6), st.integers(0, 23), st.integers(0, 59))
def test_the_moment_is_the_last_one_by_now(now: float, day: int, hour: int, minute: int) -> None:
    """On the right day, at the right time, within the last week."""
    at = WeeklyAt(day=day, hour=hour, minute=minute).before(now)
    when = datetime.fromtimestamp(at, UTC)
    assert (when.weekday(), when.hour, when.minute) == (day, hour, minute)
    assert at <= now < at + WEEK_S


def test_all_moments_between_two_have_the_same() -> None:
    """So a notice of a week has one name, on every replica and after every restart."""
    monday = MONDAY.before(T0)
    assert {MONDAY.before(monday + n * 3600) for n in range(168)} == {monday}
    assert MONDAY.before(monday - 1) == monday - WEEK_S


BERLIN = weekly_at("monday 09:00", calendar_of("Europe/Berlin"))
NIGHT = weekly_at("sunday 02:30", calendar_of("Europe/Berlin"))


def utc(text: str) -> float:
    """A moment."""
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ("2026-07-06T06:59", "2026-06-29T07:00"),
        ("2026-07-06T07:00", "2026-07-06T07:00"),
        ("2026-11-23T08:00", "2026-11-23T08:00"),
        ("2026-11-23T07:59", "2026-11-16T08:00"),
    ],
)
def test_a_zone_reads_it_when_its_clock_says_so(now: str, at: str) -> None:
    """Nine in Berlin is seven in UTC in summer, and eight in winter."""
    assert BERLIN is not None
    assert BERLIN.before(utc(now)) == utc(at)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29T12:00", 167), ("2026-10-25T12:00", 169), ("2026-07-01T12:00", 168)],
)
def test_a_week_in_which_clocks_are_set_is_longer_or_shorter(day: str, hours: int) -> None:
    """And begins where the one before it ended."""
    assert BERLIN is not None
    begun, ends = BERLIN.before(utc(day)), BERLIN.after(utc(day))
    assert ends - begun == hours * 3600
    assert BERLIN.before(ends - 1) == begun


@given(st.floats(1.6e9, 2.3e9))
def test_weeks_follow_each_other_in_every_zone(now: float) -> None:
    """Also by a clock that shows its moment twice a year, or not at all."""
    for moment in (MONDAY, BERLIN, NIGHT):
        assert moment is not None
        at = moment.before(now)
        assert at <= now < moment.after(now)
        assert moment.before(at) == at
        assert abs(moment.after(now) - at - WEEK_S) <= 3600


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("monday 09:00", MONDAY),
        (" Friday 23:59 ", WeeklyAt(day=4, hour=23, minute=59)),
        ("never", None),
    ],
)
def test_a_moment_is_written_as_people_say_it(text: str, found: WeeklyAt | None) -> None:
    """In UTC."""
    assert weekly_at(text) == found


@pytest.mark.parametrize("text", ["", "monday", "monday 24:00", "someday 09:00", "False", "mon 9"])
def test_any_other_words_are_refused(text: str) -> None:
    """With what would be right."""
    with pytest.raises(ValueError, match="write monday 09:00"):
        weekly_at(text)


def test_a_quiet_rollout_is_quiet_for_longer_than_any_poll() -> None:
    """Controllers ask every half minute; five minutes is their longest rhythm."""
    assert QUIET_S > 300
