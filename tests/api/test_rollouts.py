"""`/v1/rollouts`: one attempt with its timeline, and what people decide about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.bodies.answer import OverrideAnswer, RolloutAnswer
from detector.gate.attempt import Weight
from tests.api.doors import Door, failing_door, passing_door, problem_of, without
from tests.pipelines.flows.scripted import T0

DECISION = {"outcome": "pass", "person": "ada@example.org", "reason": "known noise", "for": "2h"}


def attempt_of(door: Door) -> str:
    """The attempt of the usual question."""
    attempt: str = door.post().json()["attempt"]
    return attempt


def test_a_rollout_has_all_that_is_documented() -> None:
    """Weights, overrides, and each verdict of its timeline, newest first."""
    door = passing_door()
    for second, weight in ((70, 5), (131, 20), (400, 50)):
        door.at(second).post(weight=weight, rollout="checkout", revision="v2")
    told = door.get(f"/v1/rollouts/{attempt_of_rollout(door)}").json()
    RolloutAnswer.model_validate(told)
    assert [w["weight"] for w in told["weights"]] == [5, 20, 50]
    assert {w["from"] for w in told["weights"]} == {"request"}
    assert [v["outcome"] for v in told["timeline"]] == ["pass", "pass", "inconclusive"]
    assert told["latest"]["signals"]
    assert (told["revision"], told["rollout"]) == ("v2", "checkout")


def test_a_weight_that_was_read_is_told_from_one_that_was_sent() -> None:
    """A tool that acts on weights sees whose word each is."""
    door = passing_door()
    id = attempt_of(door.at(100))
    stores = door.world.stores
    weights = (Weight(at=T0 + 40, weight=10.0, is_read=True), Weight(at=T0 + 90, weight=20.0))
    stores.attempts.save(replace(stores.attempts.get(id), weights=weights))
    told = door.get(f"/v1/rollouts/{id}").json()
    RolloutAnswer.model_validate(told)
    assert [(w["weight"], w["from"]) for w in told["weights"]] == [
        (10, "controller"),
        (20, "request"),
    ]


def attempt_of_rollout(door: Door) -> str:
    """The attempt of the newest verdict."""
    attempt: str = door.get("/v1/verdicts").json()["verdicts"][0]["attempt"]
    return attempt


def test_an_attempt_whose_canary_was_never_seen_has_a_page_too() -> None:
    """No start, no signals: all keys are there and null."""
    door = Door().at(100)
    told = door.get(f"/v1/rollouts/{attempt_of(door)}").json()
    RolloutAnswer.model_validate(told)
    assert told["started_at"] is None


def test_a_timeline_is_paged() -> None:
    """Long bakes have many verdicts."""
    door = passing_door()
    for i in range(7):
        door.at(400 + 61 * i).post()
    path = f"/v1/rollouts/{attempt_of(door)}"
    first = door.get(path, limit=4).json()
    second = door.get(path, limit=4, cursor=first["next"]).json()
    ids = [v["id"] for v in first["timeline"] + second["timeline"]]
    assert len(set(ids)) == 7
    assert second["next"] is None


def test_an_unknown_rollout_is_404() -> None:
    """Also for a decision about it."""
    door = passing_door()
    assert problem_of(door.get("/v1/rollouts/nothing"))[0] == 404
    assert problem_of(door.send("/v1/rollouts/nothing/overrides", DECISION))[0] == 404


def test_an_override_stands_until_it_expires() -> None:
    """A person lets a failing canary on for two hours; then the fail is told again."""
    door = failing_door()
    attempt = attempt_of(door)
    made = door.send(f"/v1/rollouts/{attempt}/overrides", DECISION)
    OverrideAnswer.model_validate(made.json())
    during = door.at(1000).post().json()
    after = door.at(400 + 7201).post().json()
    assert made.status_code == 201
    assert (during["answer"], during["reason"]["code"]) == ("pass", "overridden")
    assert "ada@example.org" in during["reason"]["text"]
    assert (after["answer"], after["reason"]["code"]) == ("fail", "error_rate_up")


def test_an_override_can_stop_a_canary_that_passes() -> None:
    """People see what metrics do not."""
    door = passing_door()
    attempt = attempt_of(door)
    door.send(f"/v1/rollouts/{attempt}/overrides", {**DECISION, "outcome": "fail"})
    assert door.at(420).post().json()["answer"] == "fail"


def test_an_override_is_shown_and_audited() -> None:
    """Who, when, why: on the rollout and in the log of what people did."""
    door = failing_door()
    attempt = attempt_of(door)
    door.send(f"/v1/rollouts/{attempt}/overrides", DECISION)
    shown = door.get(f"/v1/rollouts/{attempt}").json()["overrides"]
    entry = door.world.gate.people.audit()[0]
    assert [(o["person"], o["reason"]) for o in shown] == [("ada@example.org", "known noise")]
    assert (entry.person, entry.reason, entry.action) == (
        "ada@example.org",
        "known noise",
        "override",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "good"),
        ("outcome", None),
        ("person", " "),
        ("person", None),
        ("reason", ""),
        ("for", "2 hours"),
        ("for", ""),
        ("for", 0),
        ("for", -5),
        ("for", "31d"),
        ("for", "999999999d"),
        ("for", 1e300),
        ("for", True),
        ("for", None),
        ("until", "2030-01-01T00:00:00Z"),
    ],
)
def test_a_decision_that_is_not_whole_is_refused(field: str, value: object) -> None:
    """Nobody decides without a name, a reason and an end; the field is named."""
    door = failing_door()
    path = f"/v1/rollouts/{attempt_of(door)}/overrides"
    assert problem_of(door.send(path, {**DECISION, field: value})) == (422, field)
    assert door.at(420).post().json()["answer"] == "fail"


@pytest.mark.parametrize("span", ["90s", "45m", "1h30m", "30d", 60, 0.5])
def test_a_span_is_written_as_people_write_it(span: object) -> None:
    """Or in seconds."""
    door = failing_door()
    path = f"/v1/rollouts/{attempt_of(door)}/overrides"
    assert door.send(path, {**DECISION, "for": span}).status_code == 201


@pytest.mark.parametrize("store", ["attempts", "verdicts", "overrides"])
def test_a_store_that_is_down_is_503(store: str) -> None:
    """And not an empty timeline."""
    door = passing_door()
    attempt = attempt_of(door)
    fresh = Door(world=door.world)
    door.world.stores = without(door.world.stores, store)
    door.world.restart()
    assert problem_of(fresh.get(f"/v1/rollouts/{attempt}"))[0] == 503
