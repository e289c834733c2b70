"""Clicks in Slack are heard where Slack signed them, and told to everybody else in the thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.notify import NotifySettings
from api.settings import Settings
from detector.incidents.record import SaidKind
from pipelines.notify.slack_interactions import action_of, block_id_of
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.sqlite import Database
from tests.api.doors import quiet_logs
from tests.api.ui.test_incident_pages import Site
from tests.pipelines.flows.happening import T0, Wire, anomaly
from tests.pipelines.flows.scripted import World
from tests.pipelines.notify.test_slack_interactions import SECRET, clicked, signature

TOLD = {"kind": "slack-app", "token": "xoxb-1", "channel": "C0123456789", "secret": SECRET}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class Chat:
    """A server with an incident that lasts, and Slack before it."""

    site: Site
    client: TestClient

    @property
    def incident(self) -> str:
        """Its id."""
        return SqlIncidents(self.site.database).events(0, 1)[0].event.incident.id

    def click(self, action: str, **headers: str) -> Response:
        """Slack posts a click on a button of the message."""
        body = clicked(action, block=block_id_of("default", self.incident))
        now = round(self.site.now)
        signed = {
            "X-Slack-Request-Timestamp": str(now),
            "X-Slack-Signature": signature(body, now),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.client.post("/slack/interactions", content=body, headers={**FORM, **signed})

    def said(self) -> list[SaidKind]:
        """What is kept of it."""
        kept = SqlIncidents(self.site.database).get("default", self.incident)
        return [one.kind for one in kept.said]


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    """With a token for everybody but Slack."""
    quiet_logs()
    database = Database(tmp_path / "stream.db")
    site = Site(database)
    site.at(0)
    Wire(database).tell(anomaly("db"))
    site.at(1)
    notify = NotifySettings.model_validate({"to": {"chat": TOLD}})
    settings = Settings.model_validate({"notify": notify.model_dump(), "token": "t0ken"})
    app = create_app(World().gate, settings, clock=lambda: site.now)
    app.state.context = replace(app.state.context, correlating=site.correlating)
    yield Chat(site, TestClient(app, base_url="http://127.0.0.1:8080"))
    database.close()


def test_a_click_is_what_a_person_says(chat: Chat) -> None:
    """Kept with the incident under the person's name, and told to the others."""
    told = chat.click(action_of(SaidKind.ACKNOWLEDGED))
    assert (told.status_code, told.content) == (200, b"")
    assert chat.said() == [SaidKind.ACKNOWLEDGED]
    event = SqlIncidents(chat.site.database).events(0, 10)[-1].event
    assert (event.kind.value, event.note) == ("said", "ada (Slack) is at it")


def test_a_click_that_somebody_else_signed_is_refused(chat: Chat) -> None:
    """Whoever finds the address could silence an outage."""
    body = clicked(action_of(SaidKind.NO_INCIDENT), block=block_id_of("default", chat.incident))
    forged = signature(body, round(chat.site.now), "another")
    for headers in ({"X_Slack_Signature": forged}, {"X_Slack_Request_Timestamp": "12"}):
        told = chat.click(action_of(SaidKind.NO_INCIDENT), **headers)
        assert told.status_code == 401
    assert chat.said() == []


def test_a_click_that_is_sent_again_much_later_is_refused(chat: Chat) -> None:
    """A recorded one would be heard for ever."""
    body = clicked(action_of(SaidKind.ACKNOWLEDGED), block=block_id_of("default", chat.incident))
    was = round(chat.site.now) - 400
    told = chat.click(
        action_of(SaidKind.ACKNOWLEDGED),
        X_Slack_Request_Timestamp=str(was),
        X_Slack_Signature=signature(body, was),
    )
    assert told.status_code == 401


def test_a_button_that_is_none_of_ours_is_refused(chat: Chat) -> None:
    """And nothing is kept."""
    told = chat.click("serinus.deploy")
    assert told.status_code == 400
    assert chat.said() == []


def test_without_an_app_nobody_can_sign(chat: Chat) -> None:
    """The address is there, and closed."""
    app = create_app(World().gate, Settings(), clock=lambda: T0 / 1000)
    client = TestClient(app, base_url="http://127.0.0.1:8080")
    body = clicked(action_of(SaidKind.ACKNOWLEDGED))
    headers = {
        "X-Slack-Request-Timestamp": str(T0 // 1000),
        "X-Slack-Signature": signature(body, T0 // 1000, ""),
    }
    answer = client.post("/slack/interactions", content=body, headers={**FORM, **headers})
    assert answer.status_code == 401
