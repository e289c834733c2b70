"""A client of a running serinus, against the real app over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from api import client
from api.client.columns import (
    ANOMALIES,
    CHANGES,
    INCIDENTS,
    SIGNALS,
    SUSPECTS,
    VERDICTS,
    Column,
)
from api.client.running import MOST_ROWS, Client
from api.correlating import Correlating
from pipelines.testing import FaultServer
from tests.api.cli.served import serving
from tests.api.doors import CANARY, Door, failing_door, passing_door
from tests.api.test_anomalies import streamed
from tests.api.test_incidents import AT_S, Shop, broken
from tests.pipelines.flows.scripted import T0

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
OPENAPI = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
Made = tuple[Client, Door]


@contextmanager
def asked(door: Door) -> Iterator[Client]:
    """A client of a door's app."""
    with serving(door.app) as url, Client(url, token="not asked for") as made:
        yield made


def dtypes(columns: tuple[Column, ...]) -> dict[str, str]:
    """What a frame of these columns has."""
    return {one.name: one.dtype.value for one in columns}


def of(frame: pd.DataFrame) -> dict[str, str]:
    """What a frame has."""
    return {
        name: "string" if "string" in str(dtype) else str(dtype)
        for name, dtype in frame.dtypes.items()
    }


def test_a_verdict_is_asked_for_and_read() -> None:
    """What a controller hears is what a notebook shows."""
    with asked(failing_door()) as made:
        verdict = made.ask("checkout", CANARY)
        again = made.verdict(verdict.id)
    assert (verdict.outcome, verdict.answer, verdict.final) == ("fail", "fail", True)
    assert verdict.reason == "error_rate_up"
    assert verdict.as_of == pd.Timestamp(T0 + 400, unit="s", tz="UTC")
    assert again.body == verdict.body
    assert verdict.signals["name"].tolist() == ["error_rate"]
    assert of(verdict.signals) == dtypes(tuple(SIGNALS))
    assert str(verdict) == f"fail: {verdict.text}"


def test_a_question_takes_every_field_of_the_interface() -> None:
    """Times come as Python has them, and a policy as its fields."""
    since = datetime.fromtimestamp(T0, UTC)
    with asked(passing_door()) as made:
        verdict = made.ask(
            "checkout",
            CANARY,
            policy={"name": "mine", "mode": "shadow"},
            revision="v7",
            started_at=since,
            weight=20,
            control=None,
        )
    assert (verdict.row["started_at"], verdict.row["revision"]) == (pd.Timestamp(since), "v7")
    assert (verdict.row["policy"][:5], verdict.row["mode"]) == ("mine@", "shadow")


def test_verdicts_are_listed_over_pages() -> None:
    """A thousand rows are five pages, and nobody has to know."""
    door = passing_door()
    with asked(door) as made:
        for second in range(60, 2160, 10):
            door.at(second)
            made.ask("checkout", CANARY, attempt=str(second))
        found, some = made.verdicts(), made.verdicts(limit=201)
        none = made.verdicts(service="cart")
    assert len(found) == 210
    assert found["id"].is_unique
    assert found["as_of"].is_monotonic_decreasing
    assert found.attrs == {"more": False}
    assert of(found) == of(none) == dtypes(tuple(VERDICTS))
    pd.testing.assert_frame_equal(some, found.head(201))
    assert some.attrs == {"more": True}
    assert none.empty


def test_verdicts_are_found_by_what_people_ask() -> None:
    """By their outcome, by the rollout and by time."""
    door = passing_door()
    with asked(door) as made:
        for second, rollout in ((60, "a"), (400, "b")):
            door.at(second)
            made.ask("checkout", CANARY, rollout=rollout)
        passed, first = made.verdicts(outcome="pass"), made.verdicts(rollout="a")
        later = made.verdicts(since=datetime.fromtimestamp(T0 + 300, UTC))
        earlier = made.verdicts(until=T0 + 300)
    assert passed["rollout"].tolist() == later["rollout"].tolist() == ["b"]
    assert first["rollout"].tolist() == earlier["rollout"].tolist() == ["a"]


def test_a_timeline_goes_forward_in_time() -> None:
    """As it is drawn."""
    door = passing_door()
    with asked(door) as made:
        given = []
        for second in (70, 160, 400):
            door.at(second)
            given.append(made.ask("checkout", CANARY))
        line = made.timeline(given[0].attempt)
    assert line["id"].tolist() == [one.id for one in given]
    assert line["outcome"].tolist() == ["inconclusive", "pass", "pass"]
    assert of(line) == dtypes(tuple(VERDICTS))


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service that is odd since a release that was told of."""
    app, streaming, opened = streamed(tmp_path_factory.mktemp("outage"))
    app.state.context.correlating.close()
    shop = Shop(TestClient(app, base_url="http://127.0.0.1"), app.state.context.correlating)
    shop.correlating = Correlating(streaming, opened.stores, lambda: shop.now)
    app.state.context = replace(app.state.context, correlating=shop.correlating)
    shop.at(0)
    broken(shop)
    with serving(app) as url, Client(url) as made:
        yield made
    streaming.close()
    opened.close()


def test_anomalies_come_as_rows(outage: Client) -> None:
    """Whose, what, how far and since when."""
    found = outage.anomalies(service="checkout", severity="medium", lasting=True)
    (one,) = found.to_dict("records")
    assert (one["metric"], one["side"], one["state"]) == ("queue", "above", "open")
    assert (one["series"], one["of"]) == (2, 4)
    assert one["low"] < one["expected"] < one["high"] < one["value"]
    begun = pd.Timestamp(AT_S + 200 * 60, unit="s", tz="UTC")
    assert begun <= one["since"] <= begun + pd.Timedelta("2min")
    assert found["until"].isna().all()
    assert of(found) == of(outage.anomalies(metric="none")) == dtypes(tuple(ANOMALIES))


def test_incidents_come_with_their_likeliest_suspect(outage: Client) -> None:
    """And all suspects of one of them are a frame of their own."""
    found = outage.incidents(service="checkout", severity="low", lasting=True, merged=True)
    (one,) = found.to_dict("records")
    assert (one["title"], one["services"], one["count"]) == ("checkout", "checkout", 1)
    assert (one["suspect"], one["probability"] > 0.9) == ("checkout v2", True)
    assert of(found) == of(outage.incidents(lasting=False)) == dtypes(tuple(INCIDENTS))
    suspects = outage.suspects(one["id"])
    assert suspects["advice"].tolist() == ["Roll checkout v2 back."]
    assert suspects.loc[0, "probability"] == one["probability"]
    assert of(suspects) == dtypes(tuple(SUSPECTS))


def test_changes_come_as_rows(outage: Client) -> None:
    """What was done, to what, and when."""
    since = datetime.fromtimestamp(AT_S, UTC)
    found = outage.changes(service="checkout", anywhere=True, kind="deployment", since=since)
    (one,) = found.to_dict("records")
    assert (one["title"], one["version"], one["inferred"]) == ("checkout v2", "v2", False)
    assert one["started_at"] == pd.Timestamp(AT_S + 197 * 60, unit="s", tz="UTC")
    assert of(found) == of(outage.changes(until=since)) == dtypes(tuple(CHANGES))


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda made: made.ask("checkout", CANARY, weight="much"), "weight"),
        (lambda made: made.ask("checkout", CANARY, colour="red"), "colour"),
        (lambda made: made.ask("", CANARY), "service"),
        (lambda made: made.ask("checkout", CANARY, policy={"alpha": 2}), "policy.alpha"),
        (lambda made: made.verdicts(outcome="maybe"), "outcome"),
        (lambda made: made.verdicts(since="yesterday"), "from"),
        (lambda made: made.verdicts(limit=0), "limit"),
        (lambda made: made.verdicts(limit=MOST_ROWS + 1), "limit"),
        (lambda made: made.verdicts(until=datetime(2026, 1, 1)), "until"),  # noqa: DTZ001
        (lambda made: made.ask("a", CANARY, as_of=datetime(2026, 1, 1)), "as_of"),  # noqa: DTZ001
        (lambda made: made.verdict(""), "id"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(
    call: Callable[[Client], object], field: str
) -> None:
    """The exception names the argument, whoever found out."""
    with asked(passing_door()) as made, pytest.raises(client.InputError) as refused:
        call(made)
    assert refused.value.field == field


def test_what_is_not_there_is_its_own_exception() -> None:
    """A notebook can tell a mistyped id from an outage."""
    with asked(passing_door()) as made:
        with pytest.raises(client.NotFoundError, match="nope"):
            made.verdict("nope")
        with pytest.raises(client.NotFoundError):
            made.timeline("no/such/../attempt")
        with pytest.raises(client.NotFoundError):
            made.anomalies()


def test_a_wrong_token_is_said_and_not_shown() -> None:
    """Notebooks are shared with their outputs."""
    from pydantic import SecretStr

    from api.settings import Settings

    door = passing_door(Door(settings=Settings(token=SecretStr("right"))))
    with serving(door.app) as url, Client(url, token="correct-horse") as made:
        with pytest.raises(client.ConfigError, match="401") as refused:
            made.verdicts()
        assert "horse" not in f"{refused.value}{made!r}"
    with serving(door.app) as url, Client(url, token="right") as made:
        assert made.verdicts().empty


def test_nobody_there_is_told_in_time() -> None:
    """With what to look at."""
    words = "Is `serinus serve` running"
    with (
        Client("http://127.0.0.1:9", timeout_s=1) as made,
        pytest.raises(client.CouldNotAskError, match=words),
    ):
        made.verdicts()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"url": "http://a:b@x"}, "url"),
        ({"url": "http://x", "timeout_s": 0}, "timeout_s"),
        ({"url": "http://x", "timeout_s": 1e9}, "timeout_s"),
    ],
)
def test_a_client_that_could_never_ask_is_none(given: dict[str, Any], field: str) -> None:
    """Before anything is sent."""
    with pytest.raises(client.InputError) as refused:
        Client(**given)
    assert refused.value.field == field
    assert "--server" not in str(refused.value)


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that is shared has no address in it."""
    monkeypatch.setenv("SERINUS_SERVER", "http://serinus.example")
    assert Client().url == "http://serinus.example"
    monkeypatch.delenv("SERINUS_SERVER")
    assert Client().url == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"<html>",
        b"{}",
        b'{"verdicts": [1]}',
        b'{"verdicts": [{"as_of": "x"}]}',
        b'{"verdicts": [{"final": "yes"}]}',
    ],
)
def test_what_is_no_answer_of_serinus_is_no_empty_frame(body: bytes) -> None:
    """A proxy's page, and another service at that address, are told apart from *nothing there*."""
    with FaultServer() as server:
        server.behave(body)
        with Client(server.url) as made, pytest.raises(client.CouldNotAskError):
            made.verdicts()


@pytest.mark.parametrize("body", [b"{}", b'{"id": "x"}', b"null"])
def test_what_is_no_verdict_is_none(body: bytes) -> None:
    """Never a pass."""
    with FaultServer() as server:
        server.behave(body)
        with Client(server.url) as made, pytest.raises(client.CouldNotAskError):
            made.ask("checkout", CANARY)


def test_pages_that_do_not_end_are_left() -> None:
    """A cursor that leads to itself would be followed for ever."""
    with FaultServer() as server:
        server.behave(b'{"verdicts": [{"id": "a"}], "next": "again"}')
        with Client(server.url) as made:
            assert len(made.verdicts()) == 2
    assert len(server.requests) == 2


ENDPOINTS = {
    "/v1/verdicts": ("VerdictsAnswer", "verdicts", VERDICTS),
    "/v1/rollouts/{id}": ("RolloutAnswer", "timeline", VERDICTS),
    "/v1/anomalies": ("AnomaliesAnswer", "anomalies", ANOMALIES),
    "/v1/incidents": ("IncidentsAnswer", "incidents", INCIDENTS),
    "/v1/incidents/{id}": ("IncidentAnswer", "suspects", SUSPECTS),
    "/v1/changes": ("ChangesAnswer", "changes", CHANGES),
    "/v1/verdicts/{id}": ("VerdictAnswer", "signals", SIGNALS),
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references; of several the one that is not null."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return resolved(OPENAPI["components"]["schemas"][name])
    if "anyOf" in schema:
        return resolved(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    return schema


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_column_is_documented_by_the_interface(path: str) -> None:
    """A key that is renamed breaks this test, and not a notebook."""
    answer, key, columns = ENDPOINTS[path]
    content = OPENAPI["paths"][path]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"]["$ref"].endswith(f"/{answer}")
    rows = resolved(resolved(OPENAPI["components"]["schemas"][answer])["properties"][key])
    for column in columns:
        schema = resolved(rows["items"])
        for step in column.path:
            inside = schema["items"] if isinstance(step, int) else schema["properties"][step]
            schema = resolved(inside)
        assert schema.get("type") in {"string", "number", "integer", "boolean", "array"}


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/v1/verdicts", lambda c: c.verdicts(service="a", rollout="b", outcome="pass")),
        ("/v1/verdicts", lambda c: c.verdicts(since="0", until="1")),
        ("/v1/anomalies", lambda c: c.anomalies(service="a", metric="b", severity="low")),
        ("/v1/anomalies", lambda c: c.anomalies(lasting=False, since="0", until="1")),
        ("/v1/incidents", lambda c: c.incidents(service="a", severity="low", merged=True)),
        ("/v1/incidents", lambda c: c.incidents(lasting=True, since="0", until="1")),
        ("/v1/changes", lambda c: c.changes(service="a", anywhere=True, kind="deployment")),
        ("/v1/changes", lambda c: c.changes(since="0", until="1")),
        ("/v1/rollouts/{id}", lambda c: c.timeline("a")),
    ],
)
def test_every_word_of_a_query_is_known_to_the_interface(
    path: str, call: Callable[[Client], object]
) -> None:
    """A filter that is not known is refused, or worse, passed over."""
    with FaultServer() as server:
        server.behave(b"{}")
        with Client(server.url) as made, pytest.raises(client.CouldNotAskError):
            call(made)
    sent = {word.split("=")[0] for word in server.requests[0].path.partition("?")[2].split("&")}
    parameters = OPENAPI["paths"][path]["get"]["parameters"]
    assert sent - {""} <= {one["name"] for one in parameters}
    assert server.requests[0].path.partition("?")[0] == path.replace("{id}", "a")
