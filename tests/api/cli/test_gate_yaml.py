"""The YAML that `serinus init gate` writes: the shipped templates, for one service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.cli.gate_yaml import Controller, Gate, gate_yaml
from detector.discovery.matching import Labels
from detector.discovery.rehearsal import rehearsal
from detector.discovery.splits import splits
from detector.errors import InputError

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
NAMED = [{"pod": "web-5c4b8d-bbbbb"}, {"pod": "web-6d9f7c-bbbbb"}]


def gate(series: Sequence[Labels], pod_label: str = "pod") -> Gate:
    """A service with these series."""
    found = splits(series, pod_label)
    usable = [split for split in found if not split.against]
    return Gate(
        service="web",
        namespace="shop",
        rollout="web",
        server="http://serinus.example",
        split=usable[0] if usable else None,
        arms=rehearsal(found, series, pod_label),
    )


def made(controller: Controller, series: Sequence[Labels] | None = None, pod: str = "pod") -> Any:  # noqa: ANN401
    """The document."""
    return yaml.safe_load(gate_yaml(controller, gate(series or list(NAMED), pod)))


def shipped(path: str) -> Any:  # noqa: ANN401
    """A template of the folder `deploy`."""
    return yaml.safe_load((DEPLOY / path).read_text(encoding="utf-8"))


def body_of(template: dict[str, Any]) -> dict[str, str]:
    """What Argo will post."""
    told: dict[str, str] = template["spec"]["metrics"][0]["provider"]["web"]["jsonBody"]
    return told


def test_argos_is_the_shipped_template_with_the_services_names() -> None:
    """What was tested with the controller's own code is what people get."""
    ours, theirs = made(Controller.ARGO), shipped("argo/wait-until-pass.yaml")
    assert ours["spec"]["metrics"] == theirs["spec"]["metrics"]
    values = {arg["name"]: arg.get("value") for arg in ours["spec"]["args"]}
    assert set(values) == {arg["name"] for arg in theirs["spec"]["args"]}
    assert (values["service"], values["namespace"], values["serinus-url"]) == (
        "web",
        "shop",
        "http://serinus.example",
    )
    assert ours["metadata"]["name"] == "serinus-web"


def test_flaggers_is_the_shipped_canary_with_the_services_names() -> None:
    """The hooks, their types and their times are not ours to choose twice."""
    ours, theirs = made(Controller.FLAGGER), shipped("flagger/canary.yaml")
    assert (ours["metadata"], ours["spec"]["targetRef"]["name"]) == (
        {"name": "web", "namespace": "shop"},
        "web",
    )
    hooks = [hook["url"] for hook in ours["spec"]["analysis"]["webhooks"]]
    assert all(url.startswith("http://serinus.example/flagger/") for url in hooks)
    for one in (ours, theirs):
        one["metadata"] = one["spec"]["targetRef"]["name"] = None
        for hook in one["spec"]["analysis"]["webhooks"]:
            hook["url"] = hook["url"].rpartition("/")[2]
    assert ours == theirs


def test_a_pipelines_step_asks_with_both_arms() -> None:
    """A shell fills in the hashes."""
    (step,) = made(Controller.CI)
    assert set(step["env"]) == {"SERINUS_SERVER", "SERINUS_TOKEN", "CANARY_HASH", "STABLE_HASH"}
    assert "web-${CANARY_HASH}-.+" in step["run"]
    assert step["env"]["SERINUS_TOKEN"] == "${{ secrets.SERINUS_TOKEN }}"


def test_a_hash_label_is_asked_for_by_its_value() -> None:
    """Where the pods' labels reach the series."""
    series = [{**labels, "pod_template_hash": labels["pod"][4:10]} for labels in NAMED]
    body = body_of(made(Controller.ARGO, series))
    assert body["canary"] == '{pod_template_hash="{{args.canary-hash}}"}'


def test_a_version_label_has_its_own_arguments() -> None:
    """Argo knows no versions, so that the step has to tell them."""
    series = [{"instance": "a", "version": "1"}, {"instance": "b", "version": "2"}]
    template = made(Controller.ARGO, series, "instance")
    names = {arg["name"] for arg in template["spec"]["args"]}
    assert {"canary-version", "stable-version"} <= names
    assert body_of(template)["control"] == '{version="{{args.stable-version}}"}'


def test_a_track_is_the_same_in_each_rollout() -> None:
    """Nothing to fill in."""
    series = [{"instance": "a", "track": "stable"}, {"instance": "b", "track": "canary"}]
    body = body_of(made(Controller.ARGO, series, "instance"))
    assert (body["canary"], body["control"]) == ('{track="canary"}', '{track="stable"}')
    (step,) = made(Controller.CI, series, "instance")
    assert set(step["env"]) == {"SERINUS_SERVER", "SERINUS_TOKEN"}


def test_a_track_of_which_one_value_is_there_is_not_guessed() -> None:
    """What the canary will be called is seen in a rollout only."""
    series = [{"instance": "a", "track": "stable"}, {"instance": "b", "track": "stable"}]
    with pytest.raises(InputError, match="ask again during a rollout"):
        made(Controller.ARGO, series, "instance")


@pytest.mark.parametrize("controller", [Controller.ARGO, Controller.CI])
def test_a_service_whose_versions_nothing_tells_is_refused(controller: Controller) -> None:
    """A gate that compares a canary with itself."""
    with pytest.raises(InputError, match="nothing that is known here tells"):
        made(controller, [{"instance": "a"}, {"instance": "b"}], "instance")


def test_names_that_need_quotes_stay_what_they_are() -> None:
    """YAML and shells have quotes of their own."""
    series = [{"instance": "a", "track": "it's"}, {"instance": "b", "track": 'say "x"'}]
    body = body_of(made(Controller.ARGO, series, "instance"))
    assert {body["canary"], body["control"]} == {'{track="it\'s"}', '{track="say \\"x\\""}'}
