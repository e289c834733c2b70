"""What `serinus fit` and `serinus odd` tell people and programs, and what their options mean."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.cli.fit_run import Fit, shown_as_json
from detector.fitted.model import FittedModel
from detector.fitted.promotion import Promotion, Shown, Why
from detector.gate.aa import Scope
from models.anomaly.multivariate.model import Kind, Recipe
from pipelines.flows.fit_fleet import Unfitted
from tests.api.cli.served import serinus

SCOPE = Scope(tenant="default", cluster=None, namespace="shop", service="checkout")
MODEL = FittedModel(
    scope=SCOPE,
    at=1000.0,
    since=0.0,
    until=900.0,
    step_s=60.0,
    metrics=("requests", "error_rate"),
    artefacts=(),
    promotion=Promotion(
        why=Why.FINDS_LESS,
        rows=600,
        model=Shown(found=0.3, false_share=0.001),
        predecessor=4,
        before=Shown(found=0.5, false_share=0.002),
    ),
    version=5,
)
WANTED = Fit(
    services=(),
    namespace=None,
    cluster=None,
    days=14.0,
    step_s=300.0,
    forest=False,
    components=False,
    seed=7,
    dry_run=False,
    jobs=1,
    dask=None,
    resume=None,
    as_json=False,
)


def test_a_model_for_programs() -> None:
    """Both models' numbers, and a code that a script can branch on beside the sentence."""
    told = json.loads(json.dumps(shown_as_json(MODEL)))
    assert (told["service"], told["namespace"], told["version"]) == ("checkout", "shop", 5)
    assert (told["promoted"], told["why"], told["predecessor"]) == (False, "finds_less", 4)
    assert told["shown"] == {"found": 0.3, "false_share": 0.001}
    assert told["predecessor_shown"] == {"found": 0.5, "false_share": 0.002}
    assert told["text"] == MODEL.promotion.text


def test_a_model_that_was_not_kept_has_no_version() -> None:
    """After a dry run nobody looks for a version 0."""
    assert shown_as_json(replace(MODEL, version=0))["version"] is None


def test_a_service_that_failed_is_told_in_the_same_fields() -> None:
    """A script reads one list, whatever became of each service."""
    told = shown_as_json(Unfitted(scope=SCOPE, why="no pods"))
    assert (told["promoted"], told["why"], told["text"]) == (False, "failed", "no pods")
    assert {"service", "namespace", "version"} <= set(told)


@pytest.mark.parametrize(
    ("forest", "components", "more"),
    [
        (False, False, ()),
        (True, False, (Kind.FOREST,)),
        (False, True, (Kind.PROJECTION,)),
        (True, True, (Kind.PROJECTION, Kind.FOREST)),
    ],
)
def test_options_add_views(forest: bool, components: bool, more: tuple[Kind, ...]) -> None:
    """The default is what was measured best; each option adds to it."""
    fitting = replace(WANTED, forest=forest, components=components).fitting
    assert fitting.recipe.kinds == (*Recipe().kinds, *more)


def test_one_seed_draws_all() -> None:
    """Who repeats a run repeats the forest and the trial."""
    assert (WANTED.fitting.seed, WANTED.fitting.recipe.seed) == (7, 7)


@pytest.mark.parametrize(
    "wrong", [("--days", "0"), ("--step", "1"), ("--jobs", "0"), ("--step", "4000")]
)
def test_what_cannot_be_is_refused_as_usage(wrong: tuple[str, str]) -> None:
    """Before any server is asked."""
    asked = serinus("fit", "--prometheus", "http://127.0.0.1:1", *wrong)
    assert asked.exit_code == 2
    assert wrong[0] in asked.output


def test_a_source_that_is_down_is_told_for_each_service(tmp_path: Path) -> None:
    """One sentence a service, and the code of what could not be done."""
    asked = serinus(
        *("fit", "--service", "checkout", "--format", "json", "--dry-run"),
        *("--prometheus", "http://127.0.0.1:1", "--data", str(tmp_path)),
    )
    assert asked.exit_code == 4
    (told,) = json.loads(asked.stdout)
    assert (told["why"], told["promoted"]) == ("failed", False)
    assert "127.0.0.1:1" in told["text"]


def test_odd_needs_a_model_of_that_very_service(tmp_path: Path) -> None:
    """With and without a namespace are two services: the message tells which was looked for."""
    where = ("--prometheus", "http://127.0.0.1:1", "--data", str(tmp_path))
    asked = serinus("odd", "--service", "cart", "--namespace", "shop", *where)
    assert asked.exit_code == 2
    assert "no model of cart in shop is kept here" in asked.output.replace("\n", " ")
    assert "serinus fit --service cart --namespace shop" in asked.output.replace("\n", " ")
