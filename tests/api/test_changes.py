"""Changes over HTTP: told by senders and by hand, refused where they are forged, found again."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.changes_settings import ChangesSection
from api.changing import take_changes
from api.settings import Settings
from detector.errors import ConfigError
from pipelines.stores.memory_changes import MemoryChanges
from tests.api.doors import Door

SECRET, TOKEN = "a long secret", "a-token-of-ours"
PAYLOADS = Path(__file__).parents[1] / "pipelines/changes/payloads"
SENDERS = {
    "github": {"secret": SECRET, "environment": "eu-prod"},
    "deploys": {"mapping": "argo-cd", "tenant": "shop"},
}


def door(**changes: Any) -> Door:  # noqa: ANN401
    """An app with a change log in memory."""
    told = {"senders": SENDERS, "services": {"checkout": "checkout-api"}, **changes}
    settings = Settings(changes=ChangesSection.model_validate(told), token=SecretStr(TOKEN))
    made = Door(settings=settings)
    take_changes(made.app, MemoryChanges(), settings, lambda: 1_795_780_000.0)
    return made


def authorized(made: Door, tenant: str = "default") -> TestClient:
    """A client that has the token."""
    client = made.client
    client.headers |= {"Authorization": f"Bearer {TOKEN}", "X-Scope-OrgID": tenant}
    return client


def payload(name: str) -> tuple[bytes, dict[str, str]]:
    """A golden payload, with its headers and GitHub's signature."""
    case = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    body = json.dumps(case["body"]).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {**case["headers"], "X-Hub-Signature-256": f"sha256={digest}"}


def hooked(made: Door, name: str, sender: str = "github", **headers: str) -> Any:  # noqa: ANN401
    """Post a golden payload without a token of ours."""
    body, own = payload(name)
    return made.client.post(f"/hooks/{sender}", content=body, headers={**own, **headers})


def listed(made: Door, tenant: str = "default", **query: str | int) -> list[dict[str, Any]]:
    """The changes of a tenant."""
    answer = authorized(made, tenant).get("/v1/changes", params=query)
    assert answer.status_code == 200, answer.text
    changes: list[dict[str, Any]] = answer.json()["changes"]
    return changes


def test_what_a_sender_signs_becomes_a_change() -> None:
    """From the start of a deployment to its end, under the name that metrics have."""
    made = door()
    begun, ended = hooked(made, "github-deployment"), hooked(made, "github-status")
    assert (begun.status_code, ended.json()["events"]) == (200, 1)
    (change,) = listed(made)
    assert [change["id"]] == begun.json()["changed"] == ended.json()["changed"]
    assert (change["service"], change["environment"]) == ("checkout-api", "eu-prod")
    assert (change["started_at"], change["ended_at"]) == (
        "2026-11-27T10:00:00.000+00:00",
        "2026-11-27T10:04:00.000+00:00",
    )


def test_a_payload_that_comes_again_changes_nothing() -> None:
    """A delivery is repeated by hand, by time-outs, and by who recorded it."""
    made = door()
    hooked(made, "github-deployment")
    again = hooked(made, "github-deployment")
    assert again.json() == {"events": 1, "changed": []}
    assert len(listed(made)) == 1


def test_what_is_no_news_is_answered_well() -> None:
    """GitHub pings each new webhook, and shows red where that is refused."""
    answer = hooked(door(), "github-ping")
    assert (answer.status_code, answer.json()) == (200, {"events": 0, "changed": []})


@pytest.mark.parametrize(
    "signature", ["", "sha256=" + "0" * 64, "sha1=abc"], ids=["none", "wrong", "old"]
)
def test_a_forged_payload_is_refused_and_counted(signature: str) -> None:
    """Whoever could write changes could put the blame where he likes."""
    made = door()
    answer = hooked(made, "github-deployment", **{"X-Hub-Signature-256": signature})
    assert answer.status_code == 401
    assert "GitHub" in answer.json()["detail"]
    assert listed(made) == []
    metrics = authorized(made).get("/metrics").text
    assert 'serinus_change_events_total{result="forged",sender="github"} 1.0' in metrics


def test_our_token_is_no_signature() -> None:
    """Else each team's token could speak for GitHub."""
    answer = hooked(door(), "github-deployment", Authorization=f"Bearer {TOKEN}", **{
        "X-Hub-Signature-256": "",
    })  # fmt: skip
    assert answer.status_code == 401


def test_a_sender_that_cannot_sign_sends_our_token() -> None:
    """Argo CD signs nothing, and can send any header."""
    made = door()
    assert hooked(made, "argo-cd", "deploys").status_code == 401
    answer = hooked(made, "argo-cd", "deploys", Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert [change["kind"] for change in listed(made, "shop")] == ["deployment"]
    assert listed(made) == []


def test_a_sender_that_nobody_named_is_not_there() -> None:
    """And the answer says where it would be named."""
    answer = hooked(door(), "github-deployment", "gitlab")
    assert answer.status_code == 404
    assert "changes.senders" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[" * 50_000, 400), (b"null", 200), (b'"x"', 200)],
    ids=["nothing", "half", "nested", "null", "a word"],
)
def test_a_body_that_is_none_makes_no_error_of_ours(body: bytes, status: int) -> None:
    """It is refused as the sender's, or is no news."""
    made = door()
    answer = authorized(made).post("/hooks/deploys", content=body)
    assert answer.status_code == status, answer.text


def test_a_body_of_a_hook_may_be_longer_than_a_question_but_not_endless() -> None:
    """GitHub's have tens of kilobytes."""
    made = door()
    assert (
        authorized(made).post("/hooks/deploys", content=b" " * 200_000 + b"{}").status_code == 200
    )
    assert authorized(made).post("/hooks/deploys", content=b" " * 2**21).status_code == 413


def test_a_person_tells_of_a_change_once() -> None:
    """A script that runs twice with one id has changed one thing."""
    made = door()
    told = {"title": "pool 10 to 40", "service": "cart", "kind": "config", "id": "pool-40"}
    first = authorized(made).post("/v1/changes", json=told)
    assert (first.status_code, first.json()["events"]) == (201, 1)
    assert authorized(made).post("/v1/changes", json=told).json()["changed"] == []
    (change,) = listed(made, service="cart")
    assert (change["title"], change["kind"], change["phase"]) == (
        "pool 10 to 40",
        "config",
        "succeeded",
    )
    one = authorized(made).get(f"/v1/changes/{change['id']}")
    assert one.json() == change


def test_secrets_in_what_is_told_are_not_kept() -> None:
    """A title is often a command line."""
    made = door()
    authorized(made).post("/v1/changes", json={"title": "helm --set password=hunter2 upgrade"})
    assert "hunter2" not in json.dumps(listed(made))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"service": "cart"}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x", "kind": "magic"}, "kind"),
        ({"title": "x", "colour": "red"}, "colour"),
        ({"title": "x", "at": "yesterday"}, "at"),
    ],
)
def test_a_change_that_cannot_be_kept_is_refused_by_its_field(
    body: dict[str, Any], field: str
) -> None:
    """The script says which of its words is wrong."""
    answer = authorized(door()).post("/v1/changes", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_cdevents_come_in_and_go_out() -> None:
    """One serinus tells another, or any tool that knows them."""
    made = door()
    case = json.loads((PAYLOADS / "cdevents-structured.json").read_text(encoding="utf-8"))
    answer = authorized(made).post("/v1/changes/cdevents", json=case["body"])
    assert answer.json()["events"] == 1
    (id,) = answer.json()["changed"]
    told = authorized(made).get(f"/v1/changes/{id}/events")
    assert told.headers["content-type"] == "application/cloudevents-batch+json"
    assert told.json()[0]["type"] == "dev.cdevents.service.deployed.0.3.0"
    assert (
        authorized(made).post("/v1/changes/cdevents", json=told.json()[0]).json()["changed"] == []
    )


def test_what_flagger_tells_its_event_door_is_a_change() -> None:
    """Nothing more is to be set up where Flagger asks serinus already."""
    made = door()
    case = json.loads((PAYLOADS / "flagger.json").read_text(encoding="utf-8"))
    body = {**case["body"], "metadata": {**case["body"]["metadata"], "token": TOKEN}}
    assert made.client.post("/flagger/event", json=body).status_code == 200
    (change,) = listed(made)
    assert (change["kind"], change["service"], change["source"]) == (
        "rollback",
        "checkout-api",
        "/flagger/shop/checkout",
    )
    assert TOKEN not in json.dumps(change)


def test_whoever_has_no_token_reads_and_tells_nothing() -> None:
    """Only signed hooks are open."""
    client = door().client
    assert client.get("/v1/changes").status_code == 401
    assert client.post("/v1/changes", json={"title": "x"}).status_code == 401
    assert client.post("/v1/changes/cdevents", json={}).status_code == 401


@pytest.mark.parametrize(
    ("senders", "words"),
    [
        ({"x": {}}, "no mapping 'x'"),
        ({"a": {"mapping": "argo-cd", "secret": "s"}}, "does not sign"),
        ({"a": {"mapping": "github", "secret": "s", "secret_file": "f"}}, "not both"),
    ],
)
def test_a_sender_that_could_never_be_heard_stops_the_start(
    senders: dict[str, Any], words: str
) -> None:
    """Rather than losing its changes silently."""
    with pytest.raises(ConfigError, match=words):
        ChangesSection.model_validate({"senders": senders}).native()


def test_a_secret_is_read_anew_from_its_file(tmp_path: Path) -> None:
    """It is rotated under a running process; an empty file lets nobody in."""
    file = tmp_path / "secret"
    file.write_text("old\n", encoding="utf-8")
    made = door(senders={"github": {"secret_file": file}})
    assert hooked(made, "github-ping").status_code == 401
    file.write_text(SECRET + "\n", encoding="utf-8")
    assert hooked(made, "github-ping").status_code == 200
    file.write_text("", encoding="utf-8")
    assert hooked(made, "github-ping").status_code >= 500
