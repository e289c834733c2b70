"""`/v1/modes`: break-glass for a while, for one service or for all, written down."""

from __future__ import annotations

import pytest

from api.bodies.answer import ModeAnswer, ModesAnswer
from tests.api.doors import failing_door, passing_door, problem_of

GLASS = {"mode": "shadow", "all": True, "person": "ada", "reason": "source moves", "for": "2h"}


@pytest.mark.parametrize(
    ("mode", "answer"),
    [("shadow", "pass"), ("advise", "pass"), ("pause", "inconclusive"), ("enforce", "fail")],
)
def test_a_mode_changes_the_answer_and_not_the_judgement(mode: str, answer: str) -> None:
    """Controllers act on `answer`; what was seen stays to be seen."""
    door = failing_door()
    made = door.send("/v1/modes", {**GLASS, "mode": mode})
    told = door.post().json()
    ModeAnswer.model_validate(made.json())
    assert made.status_code == 201
    assert (told["answer"], told["outcome"], told["mode"]) == (answer, "fail", mode)


def test_break_glass_expires_by_itself() -> None:
    """Nobody has to remember to close it."""
    door = failing_door()
    door.send("/v1/modes", GLASS)
    answers = [door.at(400 + after).post().json()["answer"] for after in (0, 3000, 7199, 7201)]
    assert answers == ["pass", "pass", "pass", "fail"]
    assert door.get("/v1/modes").json() == {"modes": []}


def test_break_glass_of_one_service_leaves_the_others() -> None:
    """It is no wider than it was said."""
    door = failing_door()
    one = {**GLASS, "all": False, "service": "cart"}
    door.send("/v1/modes", one)
    assert door.post().json()["answer"] == "fail"
    door.send("/v1/modes", {**one, "service": "checkout"})
    assert door.post().json()["answer"] == "pass"


def test_modes_in_force_are_listed_that_of_all_first() -> None:
    """So that everybody sees why nothing is stopped."""
    door = passing_door()
    door.send("/v1/modes", {**GLASS, "all": False, "service": "cart"})
    door.send("/v1/modes", GLASS)
    told = door.get("/v1/modes").json()
    ModesAnswer.model_validate(told)
    assert [m["service"] for m in told["modes"]] == [None, "cart"]


def test_a_mode_can_be_ended_early() -> None:
    """With null; who did it is written down too."""
    door = failing_door()
    door.send("/v1/modes", GLASS)
    door.at(410).send("/v1/modes", {**GLASS, "mode": None, "reason": "it has moved"})
    assert door.at(420).post().json()["answer"] == "fail"
    assert [e.reason for e in door.world.gate.people.audit()] == ["it has moved", "source moves"]


def test_break_glass_outlives_a_restart() -> None:
    """It was set because things are bad."""
    door = failing_door()
    door.send("/v1/modes", GLASS)
    door.world.restart()
    assert door.post().json()["answer"] == "pass"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"all": False}, "service"),
        ({"service": "cart"}, "service"),
        ({"mode": "off"}, "mode"),
        ({"mode": ""}, "mode"),
        ({"person": ""}, "person"),
        ({"reason": "  "}, "reason"),
        ({"for": "forever"}, "for"),
        ({"for": "31d"}, "for"),
        ({"for": 0}, "for"),
        ({"scope": "all"}, "scope"),
    ],
    ids=str,
)
def test_break_glass_that_is_not_whole_is_refused(changes: dict[str, object], field: str) -> None:
    """By the field that has to be mended; nothing is set."""
    door = passing_door()
    assert problem_of(door.send("/v1/modes", {**GLASS, **changes})) == (422, field)
    assert door.get("/v1/modes").json() == {"modes": []}
