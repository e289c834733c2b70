"""What a self-test says: when a configuration is refused, and in which words."""

from __future__ import annotations

from detector.backtest.course import Course, PastRollout, Poll
from detector.discovery.trial import SelfTest, Tried, tried
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Outcome

ROLLOUT = PastRollout(request=VerdictRequest(service="web", canary="{}"), start=1000.0, end=1600.0)


def one(signal: str | None, after: float | None, by: str | None = None) -> Tried:
    """One run."""
    return Tried(
        signal=signal, words="a fifth fails", failed_after_s=after, by=by, last="Too few requests."
    )


def made(healthy: Tried, *faults: Tried) -> SelfTest:
    """A test of 25 minutes."""
    return SelfTest(minutes=25, healthy=healthy, faults=faults)


def test_what_fails_a_fault_and_nothing_else_is_sound() -> None:
    """The only configuration that may be used."""
    test = made(one(None, None), one("error_rate", 240.0, "error_rate"))
    assert (test.can_fail, test.is_sound) == (True, True)
    assert test.verdict.startswith("It can fail: a fifth fails was failed after 4.0 minutes")


def test_what_fails_no_fault_is_refused_with_what_it_said() -> None:
    """A gate that is always open is worse than none."""
    test = made(one(None, None), one("error_rate", None))
    assert not test.can_fail
    assert "it cannot fail" in test.verdict
    assert "Too few requests." in test.verdict


def test_what_has_nothing_to_judge_is_refused() -> None:
    """Every signal was made advisory."""
    assert "no bound signal may fail" in made(one(None, None)).verdict


def test_what_fails_a_healthy_copy_is_refused() -> None:
    """It would roll back everything."""
    test = made(one(None, 60.0, "latency"), one("error_rate", 60.0, "error_rate"))
    assert (test.can_fail, test.is_sound) == (True, False)
    assert "fails a healthy copy, by latency" in test.verdict


def test_one_missed_fault_of_two_is_told_and_does_not_refuse() -> None:
    """A service with few requests finds errors and not restarts."""
    test = made(one(None, None), one("error_rate", 60.0, "error_rate"), one("restarts", None))
    assert test.is_sound
    assert [fault.signal for fault in test.missed] == ["restarts"]


def test_a_test_that_could_not_be_made_is_no_success() -> None:
    """No data never passes, here either."""
    test = SelfTest(minutes=25, healthy=None, faults=(), problem="there is no control")
    assert not test.can_fail
    assert test.verdict == "Refused: there is no control"


def test_a_course_is_told_from_the_fault_on() -> None:
    """Minutes that people can compare with their steps."""
    reason = Reason(ReasonCode.COLLECTING, "Collecting.")
    polls = [
        Poll(at=1000.0 + 60 * n, outcome=outcome, answer=outcome, reason=reason, final=False)
        for n, outcome in enumerate([Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, Outcome.FAIL], 1)
    ]
    course = Course(rollout=ROLLOUT, polls=tuple(polls), failed_at=1150.0, signal="error_rate")
    told = tried(course, signal="error_rate", words="x", since=1000.0)
    assert (told.failed_after_s, told.by, told.last) == (180.0, "error_rate", "Collecting.")


def test_a_course_without_answers_never_failed() -> None:
    """A source that went away is told."""
    problem = "Prometheus is down."
    told = tried(Course(rollout=ROLLOUT, polls=(), problem=problem), signal="x", words="x", since=0)
    assert (told.failed_after_s, told.last) == (None, "Prometheus is down.")
