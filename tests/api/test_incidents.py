"""Incidents over HTTP: what is wrong, what it may come of, and what people say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from api.app import create_app
from api.bodies.incident import IncidentAnswer, IncidentsAnswer
from api.bodies.numbers import time_text
from api.compose import open_gate
from api.correlating import Correlating, calls_of
from api.settings import Settings
from api.streaming import OpenStream, Streaming
from detector.alerts.brief import Gravity
from detector.alerts.settings import AlertRules, Hours, Quiet
from detector.alerts.settings import Route as Tree
from detector.errors import StoreError
from detector.gate.telling import Route
from detector.spans.names import Node, NodeKind
from detector.spans.topology import Edge, Graph
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from tests.api.doors import problem_of
from tests.api.streaming import MINUTE, T0, message, values_of
from tests.api.test_anomalies import COLUMNS, streamed
from tests.pipelines.ingest.test_alertmanager import alert
from tests.pipelines.ingest.test_alertmanager import told as notification

AT_S = T0 / 1000
CALLED = {"title": "checkout v2", "service": "checkout", "version": "v2", "kind": "deployment"}


@dataclass(slots=True)
class Shop:
    """An app with a stream, whose incidents are made when asked to, by a clock of the test."""

    client: TestClient
    correlating: Correlating
    now: float = AT_S

    def at(self, minute: float) -> None:
        """It is so late, and what is new is looked at."""
        self.now = AT_S + 60 * minute
        while self.correlating.look():
            pass

    def push(self, first: int, last: int) -> None:
        """Minutes of one service that is odd from the 200th on for twenty."""
        body = message(first, values_of(300)[first:last])
        assert self.client.post("/v1/columns", content=body, headers=COLUMNS).status_code == 204

    def deploy(self, minute: float, **other: object) -> str:
        """A change that was made then; its id."""
        told = self.client.post("/v1/changes", json={**CALLED, "at": _moment(minute), **other})
        assert told.status_code == 201, told.text
        return str(told.json()["changed"][0])

    def listed(self, **asked: str) -> list[dict[str, Any]]:
        """Incidents as they are listed."""
        page = self.client.get("/v1/incidents", params=asked).json()
        return list(page["incidents"])

    def say(self, id: str, **said: object) -> Response:
        """A person says something."""
        return self.client.post(f"/v1/incidents/{id}/said", json=said)


def _moment(minute: float) -> str:
    return time_text(T0 + round(MINUTE * minute))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Nothing happened yet."""
    app, streaming, opened = streamed(tmp_path)
    app.state.context.correlating.close()
    made = Shop(TestClient(app, base_url="http://127.0.0.1"), app.state.context.correlating)
    made.correlating = Correlating(streaming, opened.stores, lambda: made.now)
    app.state.context = replace(app.state.context, correlating=made.correlating)
    made.at(0)
    yield made
    streaming.close()
    opened.close()


def broken(shop: Shop, upto: int = 210) -> str:
    """A release after which its service is odd; the id of the change."""
    change = shop.deploy(197)
    shop.push(0, upto)
    assert shop.client.app.state.context.streaming.stream.drain(60)  # type: ignore[attr-defined]
    shop.at(upto)
    return change


def test_an_incident_reads_well(shop: Shop) -> None:
    """Who, since when, whether it lasts, what it comes of, why, and how to take it back."""
    change = broken(shop)
    (one,) = shop.listed()
    assert (one["title"], one["services"], one["state"]) == ("checkout", ["checkout"], "open")
    assert one["text"].startswith("1 anomaly in 1 service since ")
    assert "it lasts. Likely the deployment of checkout to v2 at " in one["text"]
    suspect = one["suspects"][0]
    assert (suspect["change"], suspect["version"]) == (change, "v2")
    assert suspect["probability"] > 0.9
    assert suspect["advice"] == "Roll checkout v2 back."
    assert [reason["ground"] for reason in suspect["reasons"]] == ["timing", "place", "kind"]
    assert suspect["reasons"][1]["text"] == "it changed checkout itself"
    assert one["anomalies"][0]["text"].startswith("checkout: queue rose to ")
    assert [entry["event"] for entry in one["timeline"]] == ["opened"]
    alone = shop.client.get(one["links"]["self"]).json()
    assert alone == one
    assert IncidentAnswer.model_validate(one).id == one["id"]


def test_metrics_say_how_it_goes(shop: Shop) -> None:
    """How many last, what was told, and that it still looks."""
    registry = CollectorRegistry()
    shop.correlating.show(registry)
    broken(shop)
    assert registry.get_sample_value("serinus_incidents_open") == 1
    assert registry.get_sample_value("serinus_incidents_heard_total") == 2
    assert registry.get_sample_value("serinus_incidents_told_total", {"event": "opened"}) == 1
    assert registry.get_sample_value("serinus_incidents_looked_seconds") == shop.now


def test_it_says_who_was_told_and_why_others_were_not(shop: Shop, tmp_path: Path) -> None:
    """Who asks why nobody called reads it with the incident."""
    tree = Tree(receiver="chat", routes=(Tree(receiver="pager", severity=Gravity.HIGH, quiet="n"),))
    night = Quiet(hours=(Hours(start=0, end=1440),), severity=None)
    rules = AlertRules(route=tree, quiet={"n": night})
    stores = memory_stores()
    routes = [Route(name="chat"), Route(name="pager")]
    context = shop.client.app.state.context  # type: ignore[attr-defined]
    made = Correlating(context.streaming, stores, lambda: shop.now, routes, rules)
    shop.correlating = made
    shop.at(0)
    broken(shop)
    (listed,) = shop.listed()
    one = shop.client.get(listed["links"]["self"]).json()
    assert (listed["told"], one["told"]) == (None, [])
    (held,) = one["held"]
    assert (held["to"], held["reason"]) == ("pager", "quiet")
    assert held["why"]
    assert IncidentAnswer.model_validate(one).held
    assert not stores.outbox.tally()


def test_it_ends_by_itself(shop: Shop) -> None:
    """Five minutes after its last anomaly."""
    broken(shop, 300)
    (over,) = shop.listed()
    assert (over["state"], over["until"] is not None) == ("resolved", True)
    assert [entry["event"] for entry in over["timeline"]] == ["opened", "resolved"]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"service": "checkout"}, 1),
        ({"service": "cart"}, 0),
        ({"severity": "high"}, 1),
        ({"lasting": "true"}, 1),
        ({"lasting": "false"}, 0),
        ({"from": "2026-09-21T12:00:00Z"}, 1),
        ({"to": "2026-09-21T12:00:00Z"}, 0),
    ],
)
def test_incidents_are_found_by_what_people_ask(
    shop: Shop, asked: dict[str, str], count: int
) -> None:
    """By service, by time, by severity, and whether they last."""
    broken(shop)
    assert len(shop.listed(**asked)) == count


def test_another_tenant_sees_nothing_of_it(shop: Shop) -> None:
    """Tenants share a process, not their incidents."""
    broken(shop)
    (one,) = shop.listed()
    other = {"X-Scope-OrgID": "other"}
    page = shop.client.get("/v1/incidents", headers=other).json()
    assert IncidentsAnswer.model_validate(page).incidents == []
    assert shop.client.get(one["links"]["self"], headers=other).status_code == 404
    said = {"said": "acknowledged"}
    path = f"{one['links']['self']}/said"
    assert shop.client.post(path, json=said, headers=other).status_code == 404


def test_what_a_person_says_is_shown_with_it(shop: Shop) -> None:
    """Whoever comes later sees that somebody is at it, and what it was."""
    change = broken(shop)
    id = shop.listed()[0]["id"]
    first = shop.say(id, said="acknowledged", person="ada", note="on it")
    told = shop.say(id, said="caused_by", change=change, person="ada")
    assert (first.status_code, told.status_code) == (201, 201)
    said = told.json()["said"]
    assert [(one["said"], one["person"]) for one in said] == [
        ("acknowledged", "ada"),
        ("caused_by", "ada"),
    ]
    assert said[1]["change"] == change
    assert shop.listed()[0]["said"] == said


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"said": "caused_by"}, "change"),
        ({"said": "acknowledged", "change": "chg_1"}, "change"),
        ({"said": "snoozed"}, "until"),
        ({"said": "snoozed", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"said": "no_incident", "until": "2030-01-01T00:00:00Z"}, "until"),
        ({"said": "maybe"}, "said"),
        ({"said": "acknowledged", "why": "x"}, "why"),
    ],
)
def test_what_is_said_in_part_is_refused_by_its_field(
    shop: Shop, said: dict[str, str], field: str
) -> None:
    """Half a word would be learned from."""
    broken(shop)
    status, _ = problem_of(told := shop.say(shop.listed()[0]["id"], **said))
    assert status in {400, 422}
    assert field in told.text


def test_what_somebody_calls_normal_takes_it_away(shop: Shop) -> None:
    """Feedback on its only anomaly ends an incident."""
    broken(shop)
    id = shop.listed()[0]["anomalies"][0]["anomaly"]
    told = shop.client.post(f"/v1/anomalies/{id}/feedback", json={"verdict": "normal"})
    assert told.status_code == 201
    shop.at(211)
    assert [one["state"] for one in shop.listed()] == ["resolved"]


def test_a_page_follows_the_other(shop: Shop) -> None:
    """And a cursor that is none is refused."""
    broken(shop)
    page = shop.client.get("/v1/incidents", params={"limit": 1}).json()
    assert page["next"] is None
    told = shop.client.get("/v1/incidents", params={"cursor": "x"})
    assert problem_of(told)[0] == 400


def test_before_the_stream_is_open_it_is_said_why(tmp_path: Path) -> None:
    """And without a stream that there are none."""

    def opening() -> OpenStream:
        raise StoreError("the disk is away")

    opened = open_gate(Settings(data=tmp_path), source=MemorySource(), in_memory=True)
    app = create_app(opened.gate, Settings(data=tmp_path))
    client = TestClient(app, base_url="http://127.0.0.1")
    without = client.get("/v1/incidents")
    streaming = Streaming(opening)
    correlating = Correlating(streaming, opened.stores)
    app.state.context = replace(app.state.context, correlating=correlating)
    early = client.get("/v1/incidents")
    assert not correlating.look()
    streaming.close()
    assert (without.status_code, early.status_code) == (404, 503)
    assert "the stream is not open" in early.json()["detail"]


def test_databases_are_no_neighbours() -> None:
    """All that read one database would be close to each other."""
    web, checkout = (Node(kind=NodeKind.SERVICE, name=name) for name in ("web", "checkout"))
    orders = Node(kind=NodeKind.DATABASE, name="orders")
    edges = (called(web, checkout), called(checkout, orders), called(web, orders))
    graph = Graph(nodes=(web, checkout, orders), edges=edges, since=0, until=1)
    assert dict(calls_of(graph).callees) == {"web": frozenset({"checkout"})}
    assert not calls_of(None).is_known


def called(caller: Node, callee: Node) -> Edge:
    """One call."""
    return Edge(
        caller=caller, callee=callee, total_calls=1, total_failed=0, calls=1, failed=0, rate=1.0,
        error_ratio=0.0, mean_s=0.1, median_s=0.1, tail95_s=0.1, tail99_s=0.1,
    )  # fmt: skip


def test_alerts_of_an_alertmanager_are_a_part_of_incidents(shop: Shop) -> None:
    """A rule that somebody wrote, and what serinus found, are one outage."""
    shop.push(0, 210)
    assert shop.client.app.state.context.streaming.stream.drain(60)  # type: ignore[attr-defined]
    shop.at(205)
    firing = alert(startsAt=_moment(203), labels={"alertname": "Slow", "service": "checkout"})
    for _ in range(2):
        answer = shop.client.post("/v1/alerts/alertmanager", content=notification(firing))
        assert (answer.status_code, answer.json()) == (200, {"taken": 1, "skipped": 0})
    shop.at(206)
    (one,) = shop.listed()
    assert [symptom["metric"] for symptom in one["anomalies"]] == ["queue", "Slow"]
    assert one["anomalies"][1]["text"] == "Slow: 12 % of requests fail"
    assert one["anomalies"][1]["until"] is None


def test_what_is_no_notification_is_refused(shop: Shop) -> None:
    """By what is wrong with it."""
    told = shop.client.post("/v1/alerts/alertmanager", content=b"{}")
    assert problem_of(told)[0] == 400
    huge = shop.client.post("/v1/alerts/alertmanager", content=b" " * (2**22 + 1))
    assert huge.status_code == 413
