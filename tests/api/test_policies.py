"""`/v1/policies`, and policies inside of questions: what is refused, kept and used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import pytest

from api.bodies.answer import PoliciesAnswer, PolicyAnswer, SavedAnswer
from api.bodies.policy import PolicyBody, SignalPolicyBody
from detector.gate.policy import Policy, SignalPolicy
from pipelines.flows.gate import GateSettings
from tests.api.doors import Door, failing_door, passing_door, problem_of
from tests.pipelines.flows.scripted import World

SHADOW = {"mode": "shadow", "signals": {"latency": {"tolerate": 0.1, "limit": 0.3, "weight": 2}}}
WRONG: list[tuple[dict[str, object], str]] = [
    ({"mode": "off"}, "mode"),
    ({"alpha": 0}, "alpha"),
    ({"alpha": 0.6}, "alpha"),
    ({"alpha": "NaN"}, "alpha"),
    ({"slo": 1}, "slo"),
    ({"slo": 99.9}, "slo"),
    ({"pass_level": 1}, "pass_level"),
    ({"pass_level": 0.4}, "pass_level"),
    ({"min_step_s": 0}, "min_step_s"),
    ({"min_step_s": -1}, "min_step_s"),
    ({"history_s": 1e9}, "history_s"),
    ({"time_scale": 0}, "time_scale"),
    ({"time_scale": 1e-300}, "time_scale"),
    ({"time_scale": 2}, "time_scale"),
    ({"rollback": "never"}, "rollback"),
    ({"allow_cross_cluster": "perhaps"}, "allow_cross_cluster"),
    ({"tolerance": 1}, "tolerance"),
    ({"signals": []}, "signals"),
    ({"signals": {"latency": None}}, "signals.latency"),
    ({"signals": {"latency": {"tolerate": -1}}}, "signals.latency.tolerate"),
    ({"signals": {"latency": {"limit": "inf"}}}, "signals.latency.limit"),
    ({"signals": {"latency": {"weight": -1}}}, "signals.latency.weight"),
    ({"signals": {"latency": {"weight": 0}}}, "signals.latency.weight"),
    ({"signals": {"latency": {"limit": 0}}}, "signals.latency.limit"),
    ({"signals": {"error_rate": {"limit_points": 0}}}, "signals.error_rate.limit_points"),
    ({"signals": {"error_rate": {"tolerate_points": 2}}}, "signals.error_rate.tolerate_points"),
    ({"signals": {"latency": {"weight": 1e300}}}, "signals.latency.weight"),
    ({"signals": {"latency": {"tolerated": 1}}}, "signals.latency.tolerated"),
]


def put(door: Door, name: str, body: Mapping[str, object], **query: str) -> tuple[int, str | None]:
    """Save a policy; status, and the field where it was refused."""
    told = door.client.put(f"/v1/policies/{name}", json=body, params=query)
    if told.status_code != 200:
        return problem_of(told)
    SavedAnswer.model_validate(told.json())
    return 200, None


def test_a_saved_policy_judges_by_its_name() -> None:
    """`shadow` lets everything on."""
    door = failing_door()
    assert put(door, "careful", SHADOW) == (200, None)
    told = door.post(policy="careful").json()
    assert (told["answer"], told["outcome"], told["mode"]) == ("pass", "fail", "shadow")
    assert told["policy"].startswith("careful@sha256:")


def test_a_policy_inside_of_a_question_judges() -> None:
    """Without having been saved."""
    told = failing_door().post(policy=SHADOW).json()
    assert (told["answer"], told["mode"]) == ("pass", "shadow")
    assert told["policy"].startswith("inline@sha256:")


def test_an_attempt_keeps_the_policy_that_it_began_with() -> None:
    """Nobody changes the rules of a rollout that is under way."""
    door = failing_door()
    put(door, "careful", {"mode": "pause"})
    before = door.post(policy="careful").json()
    put(door, "careful", SHADOW)
    after = door.at(430).post(policy="careful").json()
    assert (before["mode"], after["mode"]) == ("pause", "pause")
    assert before["policy"] == after["policy"]


def test_versions_are_counted_and_people_named() -> None:
    """Who made it laxer, and when."""
    door = passing_door()
    put(door, "careful", {}, person="ada", reason="first")
    put(door, "careful", SHADOW, person="bob", reason="second")
    told = door.get("/v1/policies/careful").json()
    PolicyAnswer.model_validate(told)
    assert (told["version"], told["person"], told["policy"]["mode"]) == (2, "bob", "shadow")
    assert told["at"] == "2026-09-21T14:20:00Z"
    assert [e.person for e in door.world.gate.people.audit()] == ["bob", "ada"]


def test_what_is_got_can_be_put_again() -> None:
    """A policy is edited by taking it, changing it and giving it back."""
    door = passing_door()
    put(door, "careful", SHADOW)
    got = door.get("/v1/policies/careful").json()["policy"]
    digest = got.pop("digest")
    assert put(door, "careful", got) == (200, None)
    assert door.get("/v1/policies/careful").json()["policy"]["digest"] == digest


def test_all_policies_are_listed_by_name_in_pages() -> None:
    """The built-in one, those of the file, and those that were saved."""
    world = World(settings=GateSettings(policies={"filed": Policy(name="filed")}))
    door = passing_door(Door(world=world))
    for name in ("b", "a", "c.d-e_f"):
        put(door, name, {})
    names, cursor = [], ""
    for _ in range(10):
        page = door.get("/v1/policies", limit=2, cursor=cursor).json()
        PoliciesAnswer.model_validate(page)
        names += [p["policy"]["name"] for p in page["policies"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == ["a", "b", "c.d-e_f", "default", "filed"]


def test_the_default_can_be_changed_and_is_what_is_used() -> None:
    """A question without a policy takes it."""
    door = failing_door()
    put(door, "default", SHADOW)
    assert door.post().json()["answer"] == "pass"


@pytest.mark.parametrize(("body", "field"), WRONG, ids=str)
def test_a_policy_that_makes_no_sense_is_not_saved(body: dict[str, object], field: str) -> None:
    """The field is named, also inside of `signals`."""
    door = passing_door()
    assert put(door, "careful", body) == (422, field)
    assert problem_of(door.get("/v1/policies/careful"))[0] == 404


@pytest.mark.parametrize(("body", "field"), WRONG, ids=str)
def test_a_policy_that_makes_no_sense_is_not_asked_with(
    body: dict[str, object], field: str
) -> None:
    """The same rules hold inside of a question."""
    assert problem_of(passing_door().post(policy=body)) == (422, f"policy.{field}")


@pytest.mark.parametrize("unit", ["", "_points"])
def test_limits_that_contradict_each_other_are_refused(unit: str) -> None:
    """What is tolerated cannot lie above what a pass has to rule out."""
    told = passing_door().post(
        policy={"signals": {"error_rate": {f"tolerate{unit}": 0.3, f"limit{unit}": 0.2}}}
    )
    assert problem_of(told) == (422, "policy.signals.error_rate")
    assert "tolerate must not be above limit" in told.json()["detail"]


def test_a_signal_that_does_not_exist_is_refused_and_told_which_do() -> None:
    """`error-rate` is a typing error, not a wish."""
    told = passing_door().post(policy={"signals": {"error-rate": {"weight": 1}}})
    assert problem_of(told)[0] == 422
    assert "'error_rate'" in told.json()["detail"]


@pytest.mark.parametrize("name", ["-x", ".x", "a b", "a" * 65, "ü", "%2e%2e", "a\nb"])
def test_a_name_that_is_none_is_404(name: str) -> None:
    """Names stand in paths and digests."""
    assert put(passing_door(), name.replace("\n", "%0A"), {})[0] == 404


def test_a_name_in_the_body_must_be_that_of_the_path() -> None:
    """Or it would be saved under a name that nobody meant."""
    assert put(passing_door(), "careful", {"name": "lax"}) == (422, "name")


def test_every_field_of_a_policy_can_be_set() -> None:
    """A new field that the doors do not know would be a rule that nobody can change.

    What was learned of a service is set by the gate alone.
    """
    assert {f.name for f in fields(Policy)} - {"needs"} == set(PolicyBody.model_fields)
    assert {f.name for f in fields(SignalPolicy)} == set(SignalPolicyBody.model_fields)


def test_what_is_absent_has_the_defaults_of_the_engine() -> None:
    """An empty policy is the default one under its name."""
    assert PolicyBody.model_validate({}).native(name="default") == Policy()
