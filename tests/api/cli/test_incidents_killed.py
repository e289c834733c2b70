"""`serinus serve` makes incidents of what is pushed, and of each one, whatever kills it."""

from __future__ import annotations

import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.bodies.numbers import time_text
from tests.api.cli.process import Process, served
from tests.api.streaming import MINUTE, T0, message, values_of
from tests.pipelines.notify.receiver import Receiver, receiving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
# Two series of checkout are odd from the 200th minute on; the 210th is now.
LAST = 210
PATIENCE_S = 90


def asked(server: Process, path: str, body: bytes | None = None, kind: str = "json") -> Any:  # noqa: ANN401
    """What it answers."""
    request = urllib.request.Request(
        server.url + path, data=body, headers={"Content-Type": f"application/{kind}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        told = answer.read()
    return json.loads(told) if told else None


def incidents(server: Process) -> list[dict[str, Any]]:
    """As they are listed; none while the stream is not open yet."""
    try:
        return list(asked(server, "/v1/incidents")["incidents"])
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return []


def until(fact: Callable[[], bool]) -> None:
    """Look until it is so; there is no event in another process."""
    ends = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < ends
        time.sleep(0.1)


def is_ready(server: Process) -> bool:
    """Whether its stream takes samples."""
    return str(asked(server, "/readyz")["stream"]).startswith("judges")


CONFIG = """
source: {kind: memory}
ingest: {behind_s: 100000}
stream: {alarms_a_week: 0.01}
notify: {to: {team: {url: "%s", allow_private: true, kinds: [incident]}}}
"""


def are_sent(server: Process, count: int) -> bool:
    """Whether so many notices were acknowledged."""
    request = urllib.request.Request(f"{server.url}/metrics")
    with urllib.request.urlopen(request, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return f'serinus_notices{{notifier="team",state="sent"}} {count:.1f}' in lines


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Who is told."""
    with receiving() as made:
        yield made


def test_an_incident_names_its_change_and_outlives_the_process(
    tmp_path: Path, receiver: Receiver
) -> None:
    """Pushed samples and one change become one incident, told once; after kill -9 it is there."""
    config = tmp_path / "serinus.yaml"
    config.write_text(CONFIG % receiver.url, encoding="utf-8")
    flags = ("--config", str(config), "--data", str(tmp_path / "data"))
    now = round(time.time() * 1000)
    first = (now - T0) // MINUTE - LAST
    with served(*flags) as server:
        until(lambda: is_ready(server))
        change = {"title": "checkout v2", "service": "checkout", "version": "v2"}
        at = time_text(now - 12 * MINUTE)
        asked(server, "/v1/changes", json.dumps({**change, "at": at}).encode())
        asked(server, "/v1/columns", message(first, values_of(300)[:LAST]), "msgpack")
        until(lambda: bool(incidents(server)))
        until(lambda: are_sent(server, 1))
        (before,) = incidents(server)
        server.end(signal.SIGKILL)
    with served(*flags) as server:
        until(lambda: bool(incidents(server)))
        (after,) = incidents(server)
        said = json.dumps({"said": "acknowledged", "person": "ada"}).encode()
        asked(server, f"{after['links']['self']}/said", said)
        until(lambda: are_sent(server, 2))
    assert before["suspects"][0]["title"] == "checkout v2"
    assert "Likely the deployment of checkout to v2" in before["text"]
    assert (before["state"], before["services"]) == ("open", ["checkout"])
    assert (after["id"], after["count"]) == (before["id"], before["count"])
    assert [one["event"] for one in after["timeline"]][:1] == ["opened"]
    told = [json.loads(one.body)["data"]["incident"] for one in receiver.got]
    assert [(one["id"], one["event"]) for one in told] == [
        (before["id"], "opened"),
        (before["id"], "said"),
    ]
