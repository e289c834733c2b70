"""The bodies of the shipped Argo templates, with their arguments filled in as Argo does it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.doors import Door, passing_door
from tests.pipelines.flows.scripted import T0

FOLDER = Path(__file__).resolve().parents[2] / "deploy/argo"
ARGS = {
    "service": "checkout",
    "rollout": "web",
    "namespace": "shop",
    "canary-hash": "bbbbb",
    "stable-hash": "zzzzz",
}


def templates() -> dict[str, dict[str, Any]]:
    """Each AnalysisTemplate by its file."""
    found = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if document["kind"] == "AnalysisTemplate":
                found[path.stem] = document
    return found


TEMPLATES = templates()


def filled(template: dict[str, Any], given: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Path and body of the request, as Argo substitutes `{{args.x}}`: text into text."""
    args = {a["name"]: a.get("value") for a in template["spec"]["args"]} | given
    args |= {"serinus-url": "", "api-token": "token"}
    web = template["spec"]["metrics"][0]["provider"]["web"]

    def value(match: re.Match[str]) -> str:
        found = args[match[1]]
        assert found is not None, f"argument {match[1]} has no value"
        return json.dumps(found)[1:-1]

    text = re.sub(r"\{\{args\.([a-z-]+)\}\}", value, json.dumps([web["url"], web["jsonBody"]]))
    url, body = json.loads(text)
    return url, body


def ask(door: Door, name: str, **given: str) -> Any:  # noqa: ANN401
    """Post a template's body; the answer's JSON."""
    url, body = filled(TEMPLATES[name], ARGS | {k.replace("_", "-"): v for k, v in given.items()})
    told = door.client.post(url, json=body)
    assert told.status_code == 200, told.text
    return told.json()


def test_there_are_templates() -> None:
    """The tests below speak of the files that are shipped."""
    assert {"wait-until-pass", "bake", "background"} <= set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_gets_a_verdict(name: str) -> None:
    """With the arguments that a Rollout gives, and its own defaults for the rest."""
    told = ask(passing_door(), name)
    assert told["answer"] == "pass"
    assert "signals" not in told


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("weight", ["", "20", "100"])
def test_a_weight_is_text_and_may_be_empty(name: str, weight: str) -> None:
    """An empty argument must not make an Error of each measurement."""
    assert ask(passing_door(), name, weight=weight)["answer"] == "pass"


@pytest.mark.parametrize("name", TEMPLATES)
def test_an_unknown_hash_is_no_pass(name: str) -> None:
    """An annotation that is missing resolves to nothing: the canary is then unknown."""
    assert ask(passing_door(), name, canary_hash="")["answer"] == "inconclusive"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_fail_is_told_to_every_template(name: str) -> None:
    """Each has its failure condition on `answer`."""
    door = passing_door()
    errors = {T0 + 100: 20.0}
    door.world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors=errors)
    assert ask(door, name)["answer"] == "fail"


@pytest.mark.parametrize("name", TEMPLATES)
def test_conditions_speak_of_words_that_are_sent(name: str) -> None:
    """`result.answer == "pass"` with a word that serinus never says would never be true."""
    metric = TEMPLATES[name]["spec"]["metrics"][0]
    words = re.findall(r'"([a-z]+)"', metric["successCondition"] + metric["failureCondition"])
    assert set(words) <= {"pass", "fail", "inconclusive"}
    assert "result.answer" in metric["successCondition"]
    assert metric["failureCondition"] == 'result.answer == "fail"'
