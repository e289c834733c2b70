from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cli.guard import CouldNotAskError
from api.cli.told import Reason, Told
from api.cli.waiting import Rhythm, wait

AWAY = CouldNotAskError("away")


def body(answer: str, code: str = "collecting") -> bytes:
    told = Told(
        id="1",
        outcome=answer,
        answer=answer,
        final=False,
        stage="step",
        reason=Reason(code=code, text=f"because of {code}"),
        as_of="2026-11-23T14:00:00Z",
        attempt="a",
        service="checkout",
        policy="default",
        engine="1",
        mode="enforce",
    )
    return msgspec.json.encode(told)


@dataclass(slots=True)
class Scene:
    """A clock that only pauses move, and a server that answers from a list; the last one stays."""

    answers: list[bytes | CouldNotAskError]
    until: float = 1000.0
    every_s: float = 15.0
    now: float = 0.0
    asked_at: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def ask(self) -> bytes:
        self.asked_at.append(self.now)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CouldNotAskError):
            raise answer
        return answer

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def wait(self) -> bytes:
        rhythm = Rhythm(
            every_s=self.every_s,
            until=self.until,
            now=lambda: self.now,
            pause=self.pause,
            tell=self.told.append,
        )
        return wait(self.ask, rhythm)


@pytest.mark.parametrize("answer", ["pass", "fail"])
def test_waiting_ends_with_a_decision(answer: str) -> None:
    """Not one poll later."""
    scene = Scene([body("inconclusive"), body("inconclusive"), body(answer)])
    assert scene.wait() == body(answer)
    assert scene.asked_at == [0, 15, 30]


def test_waiting_asks_once_more_at_its_end() -> None:
    """The last word is that of the deadline, not of up to 15 s before it."""
    scene = Scene([body("inconclusive")], until=40.0)
    assert scene.wait() == body("inconclusive")
    assert scene.asked_at == [0, 15, 30, 40]


def test_deadline_of_the_server_ends_it() -> None:
    """Its clock may be ahead of ours."""
    scene = Scene([body("inconclusive"), body("inconclusive", "deadline_reached")])
    scene.wait()
    assert scene.asked_at == [0, 15]


def test_restart_of_the_server_is_sat_out() -> None:
    """A rollout does not end because serinus was upgraded."""
    scene = Scene([body("inconclusive"), AWAY, AWAY, AWAY, body("pass")])
    assert scene.wait() == body("pass")
    assert "no answer: away" in scene.told


def test_server_that_stays_away_is_told_after_two_minutes() -> None:
    """A wrong URL does not hold a pipeline for an hour."""
    scene = Scene([AWAY])
    with pytest.raises(CouldNotAskError):
        scene.wait()
    assert scene.asked_at[-1] == 120


def test_patience_begins_anew_with_each_answer() -> None:
    """Two short outages are not one long one."""
    outage: list[bytes | CouldNotAskError] = [AWAY] * 7
    scene = Scene([*outage, body("inconclusive"), *outage, body("pass")])
    assert scene.wait() == body("pass")


def test_outage_at_the_end_is_no_verdict() -> None:
    """What was answered before is no answer about the end."""
    scene = Scene([body("inconclusive"), AWAY], until=15.0)
    with pytest.raises(CouldNotAskError):
        scene.wait()


kinds = st.sampled_from([body("inconclusive"), AWAY])


@given(
    answers=st.lists(kinds, max_size=30),
    until=st.floats(-100, 2000),
    every_s=st.floats(1, 300),
)
def test_waiting_always_ends_in_time(
    answers: list[bytes | CouldNotAskError], until: float, every_s: float
) -> None:
    """Whatever the server does, nothing is asked after the end, but once."""
    scene = Scene([*answers, body("inconclusive")], until=until, every_s=every_s)
    result = outcome_of(scene.wait)
    assert result in {"answered", "away"}
    assert scene.now <= max(until, 0.0)
    assert sum(at >= until for at in scene.asked_at) <= 1


def outcome_of(call: Callable[[], bytes]) -> str:
    try:
        call()
    except CouldNotAskError:
        return "away"
    return "answered"
