"""The OpenAPI document: what it promises is what is sent, and no input makes a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

from api.changes_settings import ChangesSection
from api.changing import take_changes
from api.correlating import Correlating
from api.settings import Settings
from api.streaming import Streaming
from detector.logs.lines import Level
from pipelines.stores.memory_changes import MemoryChanges
from pipelines.stores.sqlite import Database
from tests.api.capable import capable
from tests.api.doors import Door, failing_door, looking_client
from tests.api.streaming import message, values_of
from tests.api.test_anomalies import COLUMNS, streamed
from tests.api.test_reports import door_with
from tests.api.test_slos import door as slo_door
from tests.api.test_slos import looked
from tests.pipelines.flows.logging import lines
from tests.pipelines.flows.test_spans import spans
from tests.pipelines.ingest.test_alertmanager import alert
from tests.pipelines.ingest.test_alertmanager import told as notification
from tests.pipelines.slo.test_burning import World, objective

EXAMPLES = 40
# As Schemathesis calls them.
GOOD, BAD = "positive", "negative"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@lru_cache
def document() -> dict[str, Any]:
    """As it is served."""
    told: dict[str, Any] = Door().get("/openapi.json").json()
    return told


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def walked(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """All objects of a document."""
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from walked(child)
    elif isinstance(node, list):
        for child in node:
            yield from walked(child)


def is_valid(schema: dict[str, Any], value: Any) -> bool:  # noqa: ANN401
    """Whether a value satisfies a schema of the document."""
    whole = {"$schema": DIALECT, **schema, "components": document()["components"]}
    return jsonschema_rs.validator_for(whole).is_valid(value)


def test_every_schema_is_one() -> None:
    """A generator of clients can read it."""
    for name, schema in document()["components"]["schemas"].items():
        jsonschema_rs.validator_for({"$schema": DIALECT, **schema, **components()}), name


def components() -> dict[str, Any]:
    """What references point into."""
    return {"components": document()["components"]}


def test_every_example_satisfies_its_schema() -> None:
    """People copy examples, and tools show them."""
    found = 0
    for schema in walked(document()["components"]["schemas"]):
        if isinstance(schema.get("examples"), list):
            for example in schema["examples"]:
                found += 1
                assert is_valid(schema, example), (schema.get("title"), example)
    assert found > 40


def test_every_operation_is_told() -> None:
    """Summary, tag, and the errors that its callers can meet."""
    for path, method, operation in operations():
        assert operation["summary"], (method, path)
        assert operation["tags"], (method, path)
        if path.startswith("/v1/"):
            assert {"401", "403", "422", "503"} <= set(operation["responses"]), (method, path)


def test_problems_are_told_in_their_own_media_type() -> None:
    """`application/problem+json`, with the schema of a problem."""
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            if status in {"400", "401", "413", "422"}:
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema["$ref"].endswith("/Problem")


def sent(door: Door) -> dict[tuple[str, str], Any]:
    """One good answer of each operation that answers JSON."""
    verdict = door.post().json()
    rollout = f"/v1/rollouts/{verdict['attempt']}"
    decision = {"person": "ada", "reason": "why", "for": "1h"}
    shop = looking_client()
    return {
        ("/v1/verdicts", "post"): verdict,
        ("/v1/verdicts", "get"): door.get("/v1/verdicts").json(),
        ("/v1/verdicts/{id}", "get"): door.get(verdict["links"]["self"]).json(),
        ("/v1/rollouts/{id}/overrides", "post"): door.send(
            f"{rollout}/overrides", {**decision, "outcome": "pass"}
        ).json(),
        ("/v1/rollouts/{id}", "get"): door.get(rollout).json(),
        ("/v1/modes", "post"): door.send(
            "/v1/modes", {**decision, "mode": "shadow", "all": True}
        ).json(),
        ("/v1/modes", "get"): door.get("/v1/modes").json(),
        ("/v1/policies/{name}", "put"): door.client.put("/v1/policies/a", json={}).json(),
        ("/v1/policies/{name}", "get"): door.get("/v1/policies/a").json(),
        ("/v1/policies", "get"): door.get("/v1/policies").json(),
        ("/readyz", "get"): door.get("/readyz").json(),
        ("/v1/services", "get"): shop.get("/v1/services").json(),
        ("/v1/services/{service}/signals", "get"): shop.get(
            "/v1/services/checkout/signals", params={"test": "true"}
        ).json(),
    }


def odd(folder: Path) -> dict[tuple[str, str], Any]:
    """The same of a stream that has found an anomaly."""
    app, streaming, opened = streamed(folder)
    client = TestClient(app, base_url="http://127.0.0.1")
    app.state.context.correlating.close()
    app.state.context.correlating.look()
    client.post("/v1/columns", content=message(0, values_of(300)), headers=COLUMNS)
    streaming.stream.drain(60)
    page = client.get("/v1/anomalies").json()
    path = page["anomalies"][0]["links"]["self"]
    kept = written(streaming, client) | incident(app.state.context.correlating, client)
    answers = kept | {
        ("/v1/anomalies", "get"): page,
        ("/v1/anomalies/{id}/feedback", "post"): client.post(
            f"{path}/feedback", json={"verdict": "real"}
        ).json(),
        ("/v1/anomalies/{id}", "get"): client.get(path).json(),
    }
    streaming.close()
    opened.close()
    return answers


def incident(correlating: Correlating, client: TestClient) -> dict[tuple[str, str], Any]:
    """The same of incidents."""
    while correlating.look():
        pass
    page = client.get("/v1/incidents").json()
    path = page["incidents"][0]["links"]["self"]
    said = client.post(f"{path}/said", json={"said": "acknowledged"}).json()
    learning = learned(path, client)
    told = client.post("/v1/alerts/alertmanager", content=notification(alert())).json()
    return {
        ("/v1/alerts/digest", "get"): client.get("/v1/alerts/digest").json(),
        ("/v1/incidents", "get"): page,
        ("/v1/incidents/{id}", "get"): said,
        ("/v1/alerts/alertmanager", "post"): told,
        ("/v1/incidents/{id}/said", "post"): said,
        **learning,
    }


def learned(path: str, client: TestClient) -> dict[tuple[str, str], Any]:
    """The same of what is learned, once somebody said what an incident was."""
    flag = {"kind": "flag", "service": "cart", "title": "a flag"}
    (change,) = client.post("/v1/changes", json=flag).json()["changed"]
    client.post(f"{path}/said", json={"said": "caused_by", "change": change})
    since = {"from": "2026-01-01T00:00:00Z"}
    by = {"person": "ada", "reason": "flags bite"}
    applied = client.post("/v1/learning", json={**by, **since, "force": True}).json()
    return {
        ("/v1/learning", "post"): applied,
        ("/v1/learning", "get"): client.get("/v1/learning", params=since).json(),
        ("/v1/learning/undo", "post"): client.post("/v1/learning/undo", json=by).json(),
    }


def written(streaming: Streaming, client: TestClient) -> dict[tuple[str, str], Any]:
    """The same of lines and spans."""
    assert streaming.logs.lines.put("default", lines([(Level.ERROR, "disk 7 is full")]))
    assert streaming.logs.spans.put("default", spans(0, 3))
    streaming.stream.drain(60)
    streaming.stream.part.logs.settle(now=True)
    templates = client.get("/v1/templates").json()
    return {
        ("/v1/templates", "get"): templates,
        ("/v1/templates/{id}", "get"): client.get(
            templates["templates"][0]["links"]["self"]
        ).json(),
        ("/v1/services/{service}/graph", "get"): client.get("/v1/services/cart/graph").json(),
        ("/v1/services/{service}/comparison", "get"): client.get(
            "/v1/services/cart/comparison?canary=v2&control=v1"
        ).json(),
    }


def changed(door: Door) -> Any:  # noqa: ANN401
    """The answer of a door to a change that it is told."""
    senders: dict[str, object] = {"senders": {"github": {}}}
    settings = Settings(changes=ChangesSection.model_validate(senders), insecure=True)
    take_changes(door.app, MemoryChanges(), settings)
    return door.send("/v1/changes", {"title": "pool 10 to 40", "service": "cart"}).json()


def scanned(door: Door) -> Any:  # noqa: ANN401
    """The answer of a door to a report."""
    found = [{"VulnerabilityID": "CVE-2026-1", "Severity": "HIGH"}]
    report = {"SchemaVersion": 2, "Results": [{"Vulnerabilities": found}]}
    return door.send("/v1/scans?service=cart&revision=v1", report).json()


def changes() -> dict[tuple[str, str], Any]:
    """An answer of each operation on changes."""
    door = failing_door()
    told = changed(door)
    path = f"/v1/changes/{told['changed'][0]}"
    return {
        ("/v1/changes", "post"): told,
        ("/v1/changes", "get"): door.get("/v1/changes").json(),
        ("/v1/changes/{id}", "get"): door.get(path).json(),
        ("/v1/delivery", "get"): door.get("/v1/delivery").json(),
        ("/v1/scans", "post"): scanned(door),
        ("/v1/scans", "get"): door.get("/v1/scans", service="cart").json(),
        ("/v1/changes/cdevents", "post"): door.send("/v1/changes/cdevents", {}).json(),
        ("/hooks/{sender}", "post"): door.send("/hooks/github", {}).json(),
    }


def foretold() -> dict[tuple[str, str], Any]:
    """An answer of each operation on capacity."""
    client = capable().client
    return {
        ("/v1/capacity", "get"): client.get("/v1/capacity?curves=true").json(),
        ("/v1/forecasts", "get"): client.get("/v1/forecasts?query=memory").json(),
        **reported(),
    }


def promised(folder: Path) -> dict[tuple[str, str], Any]:
    """The same of objectives."""
    database = Database(folder / "burns.db")
    world = World(database, [objective("checkout"), objective("pay")])
    world.serve("checkout", outage=(0.0, 1800.0))
    answer = slo_door(looked(world)).client.get("/v1/slos").json()
    database.close()
    return {("/v1/slos", "get"): answer}


def reported() -> dict[tuple[str, str], Any]:
    """The same of reports."""
    door = door_with()
    page = door.get("/v1/reports").json()
    path = f"/v1/reports/{page['reports'][0]['id']}"
    return {
        ("/v1/reports", "get"): page,
        ("/v1/reports/{id}", "get"): door.get(path).json(),
        ("/v1/reports/{before}/against/{after}", "get"): door.get(
            f"{path}/against/{page['reports'][1]['id']}"
        ).json(),
    }


def test_what_is_sent_is_what_is_documented(tmp_path: Path) -> None:
    """Field by field, against the schema; a field that is not documented is an error too."""
    answers = sent(failing_door()) | odd(tmp_path) | changes() | foretold() | promised(tmp_path)
    for path, method, operation in operations():
        good = next(answer for status, answer in operation["responses"].items() if status < "300")
        if "application/json" in good.get("content", {}):
            schema = good["content"]["application/json"]["schema"]
            assert is_valid(schema, answers[path, method]), (method, path)


# -- whatever is sent --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A door with a failing canary, its document as Schemathesis reads it, ids that exist."""

    door: Door
    schema: Any
    ids: dict[str, str]


@lru_cache
def fuzzed() -> Fuzzed:
    """Made once; what is sent to it stays in it, as it does in life."""
    # Late: whoever only collects these tests does not wait for Schemathesis.
    import schemathesis

    door = failing_door(Door(settings=Settings(insecure=True)))
    verdict = door.post().json()
    told = changed(door)
    schema = schemathesis.openapi.from_asgi("/openapi.json", door.app)
    ids = {
        "/v1/rollouts": verdict["attempt"],
        "/v1/verdicts": verdict["id"],
        "/v1/changes": told["changed"][0],
        # This app has no stream.
        "/v1/anomalies": "an_0",
        "/v1/incidents": "inc_0",
        "/v1/templates": "lt_0",
        # Nor does it keep reports.
        "/v1/reports": "report-20261125-070000",
    }
    return Fuzzed(door, schema, ids)


def call(path: str, case: Any) -> None:  # noqa: ANN401
    """Send a case through ASGI: a good one to something that exists, a bad one as it is."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    if "id" in case.path_parameters and case.meta.generation.mode.value == GOOD:
        case.path_parameters["id"] = fuzzed().ids[path[: path.index("/{id}")]]
    promises = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    case.call_and_validate(checks=promises)


def _cases() -> Iterator[tuple[str, str, str]]:
    """Good values for each operation, bad ones where it takes any."""
    for path, method, operation in operations():
        yield GOOD, path, method
        takes = "parameters" in operation or "requestBody" in operation
        # Its only parameter is a header that may be anything.
        if takes and path != "/v1/anomalies/stream":
            yield BAD, path, method


CASES = list(_cases())


def _named(part: object) -> str:
    return str(part).strip("/")


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "path", "method"), CASES, ids=_named)
def test_no_input_makes_a_server_error(mode: str, path: str, method: str) -> None:
    """Good and bad values of every parameter and body, as Schemathesis makes them."""
    from schemathesis import GenerationMode

    operation = fuzzed().schema[path][method.upper()]

    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    def holds(case: Any) -> None:  # noqa: ANN401
        call(path, case)

    holds()
