"""What deploy/ ships, by the controllers' own types and rules of validation."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controllers.controllers import DEPLOY, check

TEMPLATES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((DEPLOY / "argo").glob("*.yaml"))
    if not path.stem.startswith("rollout-")
}
ROLLOUTS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((DEPLOY / "argo").glob("rollout-*.yaml"))
}
BLOCKING = sorted(set(TEMPLATES) - {"background"})

every_template = pytest.mark.parametrize("name", TEMPLATES)


def metric(name: str) -> dict[str, Any]:
    [only] = TEMPLATES[name]["spec"]["metrics"]
    found: dict[str, Any] = only
    return found


def uses() -> list[tuple[str, dict[str, Any]]]:
    """Each analysis of the Rollouts: where it stands, and what it says."""
    found = []
    for file, rollout in ROLLOUTS.items():
        strategy = rollout["spec"]["strategy"]
        canary, blue_green = strategy.get("canary", {}), strategy.get("blueGreen", {})
        places = [
            canary.get("analysis"),
            *(step.get("analysis") for step in canary.get("steps", [])),
        ]
        places += [blue_green.get("prePromotionAnalysis"), blue_green.get("postPromotionAnalysis")]
        found += [(file, place) for place in places if place]
    return found


@pytest.mark.real
def test_controllers_accept_what_is_shipped() -> None:
    """Fields that their types lack, broken conditions, limits and references are refused."""
    told = check(DEPLOY)
    assert told.returncode == 0, told.stderr
    assert len(told.stdout.splitlines()) == len(TEMPLATES)


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "good", "bad", "words"),
    [
        ("argo/bake.yaml", "count: 60", "count: 50", "inconclusiveLimit"),
        ("argo/bake.yaml", "failureLimit", "failurelimits", "unknown field"),
        ("argo/rollout-canary.yaml", "serinus-bake", "serinus-cake", "serinus-cake"),
        ("argo/rollout-canary.yaml", "setWeight: 20", "setWeight: 200", "setWeight"),
        ("flagger/canary.yaml", "maxWeight:", "maxWait:", "unknown field"),
    ],
)
def test_controllers_refuse_what_is_wrong(
    tmp_path: Path, file: str, good: str, bad: str, words: str
) -> None:
    """The test above can fail."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    place = tmp_path / "deploy" / file
    text = place.read_text(encoding="utf-8")
    assert good in text
    place.write_text(text.replace(good, bad, 1), encoding="utf-8")
    told = check(tmp_path / "deploy")
    assert (told.returncode, words in told.stderr) == (2, True), told.stderr


@every_template
def test_limits_are_those_of_the_contract(name: str) -> None:
    """One fail is final, and serinus may be away for three minutes."""
    told = metric(name)
    assert (told["name"], told["failureLimit"], told["consecutiveErrorLimit"]) == (
        "serinus-verdict",
        0,
        20,
    )
    assert "initialDelay" not in told  # a run that ends before its first answer is Successful


@every_template
def test_both_conditions_name_answers(name: str) -> None:
    """With one alone, an unknown answer would become its opposite."""
    told = metric(name)
    expected = 'result.answer == "pass"'
    if name == "background":
        expected = 'result.answer in ["pass", "inconclusive"]'
    assert (told["successCondition"], told["failureCondition"]) == (
        expected,
        'result.answer == "fail"',
    )


@pytest.mark.parametrize("name", BLOCKING)
def test_undecided_to_the_end_is_no_success(name: str) -> None:
    """Neither limit reaches `count`, and a success must have been reached."""
    told = metric(name)
    assert told["inconclusiveLimit"] == told["count"] - 1
    assert told["consecutiveSuccessLimit"] == (3 if name == "bake" else 1)


def test_background_has_no_end_of_its_own() -> None:
    """It stays beside the rollout as long as that takes."""
    assert not {"count", "consecutiveSuccessLimit", "inconclusiveLimit"} & set(metric("background"))


@every_template
def test_the_question_is_put_alike(name: str) -> None:
    """Whole object, small answer, time for serinus' own limit, token from a Secret."""
    web = metric(name)["provider"]["web"]
    headers = {header["key"]: header["value"] for header in web["headers"]}
    assert (web["method"], web["jsonPath"], web["timeoutSeconds"]) == ("POST", "{$}", 20)
    assert web["url"].endswith("/v1/verdicts?view=brief")
    assert headers == {
        "Authorization": "Bearer {{args.api-token}}",
        "Accept": "application/json",
    }


@every_template
def test_every_argument_is_declared_and_used(name: str) -> None:
    """An argument that nobody declares makes each measurement an Error."""
    spec = TEMPLATES[name]["spec"]
    declared = {arg["name"] for arg in spec["args"]}
    assert set(re.findall(r"\{\{args\.([a-z-]+)\}\}", yaml.safe_dump(spec["metrics"]))) == declared


def test_every_template_stands_in_a_rollout() -> None:
    """Each has an example that is known to work."""
    used = {ref["templateName"] for _, place in uses() for ref in place["templates"]}
    assert used == {template["metadata"]["name"] for template in TEMPLATES.values()}


def test_rollouts_give_what_templates_need() -> None:
    """Hashes from the ReplicaSets, and nothing that counts up with each rollback."""
    needed = {"service", "rollout", "namespace", "canary-hash", "stable-hash"}
    for file, place in uses():
        args = {arg["name"]: arg for arg in place["args"]}
        assert needed <= set(args), file
        assert args["canary-hash"]["valueFrom"] == {"podTemplateHashValue": "Latest"}
        assert args["stable-hash"]["valueFrom"] == {"podTemplateHashValue": "Stable"}
    assert "revision" not in yaml.safe_dump(list(ROLLOUTS.values()))


def test_the_last_step_of_the_canary_asks_for_the_whole() -> None:
    """The background analysis holds no promotion; an inline step must."""
    last = ROLLOUTS["rollout-canary"]["spec"]["strategy"]["canary"]["steps"][-1]
    args = {arg["name"]: arg.get("value") for arg in last["analysis"]["args"]}
    assert args["stage"] == "final"


def test_flagger_is_asked_nothing_that_counts_an_outage() -> None:
    """A `rollout` or `pre-rollout` hook would roll a healthy release back after ten 503s."""
    canary = yaml.safe_load((DEPLOY / "flagger/canary.yaml").read_text(encoding="utf-8"))
    hooks = canary["spec"]["analysis"]["webhooks"]
    assert [hook["type"] for hook in hooks] == [
        "rollback",
        "confirm-traffic-increase",
        "confirm-promotion",
        "event",
    ]
    assert all(hook["url"].endswith(f"/flagger/{hook['type']}") for hook in hooks)
