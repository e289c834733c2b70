"""What was learned, over HTTP: asking changes nothing, applying is signed, undoing goes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.bodies.learning import LearnedAnswer, LessonAnswer
from api.correlating import Correlating
from api.settings import Settings
from detector.alerts.brief import Gravity
from detector.alerts.history import History, WordKind
from detector.changes.change import ChangeKind
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.api.doors import Door, problem_of
from tests.api.test_digest import Open
from tests.detector.alerts.test_learning import case
from tests.detector.incidents.making import T0
from tests.detector.incidents.saying import DEFAULTS
from tests.pipelines.flows.test_learning import live_in, risky

PATH = "/v1/learning"
SINCE = {"from": "2026-09-20T00:00:00Z"}
ADA = {"person": "ada", "reason": "flags bite"}


@dataclass(slots=True)
class Place:
    """An app that knows sixty days."""

    app: FastAPI
    correlating: Correlating

    def send(self, body: dict[str, Any], path: str = PATH) -> Response:
        """For the default tenant."""
        return self._client.post(path, json=body)

    def ask(self, tenant: str = "default") -> Response:
        """What a tenant could learn."""
        return self._client.get(PATH, params=SINCE, headers={"X-Scope-OrgID": tenant})

    @property
    def _client(self) -> TestClient:
        return TestClient(self.app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)

    def lesson(self) -> dict[str, Any]:
        """The answer, as it is documented."""
        answer: dict[str, Any] = self.ask().json()
        LessonAnswer.model_validate(answer)
        return answer

    def flag(self) -> float:
        """The chance of a flag in force."""
        return self.correlating.learning.suspicion("default").bad[ChangeKind.FLAG]


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """Made once, for its doors."""
    return Door(settings=Settings()).app


@pytest.fixture
def place(tmp_path: Path, app: FastAPI) -> Iterator[Place]:
    """Flags are five times as dangerous there as is thought."""
    stores, database = memory_stores(), Database(tmp_path / "stream.db")
    live_in(database, stores, risky())
    correlating = Correlating(Open((database,)), stores)
    app.state.context = replace(app.state.context, correlating=correlating)
    yield Place(app, correlating)
    database.close()


def test_what_could_be_learned_is_shown(place: Place) -> None:
    """With the numbers behind it, in words, and as settings."""
    lesson = place.lesson()
    (flag,) = [one for one in lesson["kinds"] if one["kind"] == "flag"]
    assert flag["default"] == flag["before"] == DEFAULTS[ChangeKind.FLAG]
    assert flag["low"] < flag["after"] < flag["high"]
    assert flag["bad"] > 20
    assert lesson["after"]["first"] > lesson["before"]["first"]
    assert lesson["better"] is True
    settings = yaml.safe_load(lesson["settings"])
    assert Settings.model_validate(settings).incidents.bad[ChangeKind.FLAG] == pytest.approx(
        flag["after"], abs=1e-5
    )
    assert (place.flag(), lesson["versions"]) == (DEFAULTS[ChangeKind.FLAG], [])


def test_it_is_applied_and_undone_by_name(place: Place) -> None:
    """Each is a version, the newest first."""
    applied = place.send({**ADA, **SINCE})
    assert applied.status_code == 201, applied.text
    LearnedAnswer.model_validate(applied.json())
    assert place.flag() == applied.json()["bad"]["flag"]
    undone = place.send({"person": "bob", "reason": "no"}, f"{PATH}/undo")
    assert undone.status_code == 201
    assert place.flag() == DEFAULTS[ChangeKind.FLAG]
    versions = [
        (one["version"], one["person"], one["undoes"]) for one in place.lesson()["versions"]
    ]
    assert versions == [(2, "bob", 1), (1, "ada", None)]


def test_nothing_is_undone_twice(place: Place) -> None:
    """What is configured is never taken back."""
    assert problem_of(place.send(ADA, f"{PATH}/undo")) == (400, "undo")


@pytest.mark.parametrize("missing", ["person", "reason"])
def test_nobody_applies_without_a_name_and_a_reason(place: Place, missing: str) -> None:
    """The audit log has both."""
    body = {name: word for name, word in ADA.items() if name != missing}
    told = place.send(body)
    assert told.status_code in {400, 422}
    assert missing in told.text
    assert place.flag() == DEFAULTS[ChangeKind.FLAG]


def test_what_is_not_better_is_refused_by_name(place: Place) -> None:
    """A span in which nobody spoke, and an unknown word."""
    later = {"from": "2027-09-20T00:00:00Z"}
    assert "nobody said anything" in place.send({**ADA, **later}).text
    assert "bad" in place.send({**ADA, "bad": {"flag": 0.5}}).text
    assert place.flag() == DEFAULTS[ChangeKind.FLAG]


def test_another_tenant_knows_nothing_of_it(place: Place) -> None:
    """Neither of the words nor of what was applied."""
    place.send({**ADA, **SINCE})
    other = place.ask("other").json()
    assert (other["spoken"], other["versions"]) == (0, [])
    assert "nothing to learn from" in other["advice"]


def noisy(place: Place) -> None:
    """A rule told 45 slight ones, and people called each no incident."""
    told = [case(T0 + n, Gravity.LOW, WordKind.NO_INCIDENT) for n in range(45)]
    history = History(cases={one.id: one for one in told})
    place.correlating.kept[0].keep_told(1, {"default": history})


def test_rules_are_applied_and_undone_by_name_too(place: Place) -> None:
    """They are named with what is in force, beside the kinds."""
    noisy(place)
    (rule,) = place.lesson()["rules"]
    assert (rule["better"], rule["severity"]) == (True, "medium")
    applied = place.send({**ADA, **SINCE}).json()
    LearnedAnswer.model_validate(applied)
    assert applied["rules"] == [{"route": "service=cart", "to": "chat", "severity": "medium"}]
    assert (applied["needs"], place.lesson()["gates"]) == ([], [])
    assert place.correlating.learning.rules("default") == {("service=cart", "chat"): Gravity.MEDIUM}
    undone = place.send({"person": "bob", "reason": "no"}, f"{PATH}/undo").json()
    assert (undone["rules"], undone["undoes"]) == ([], 1)
