"""`serinus serve` makes incidents of what is pushed, and of each one, whatever kills it."""

from __future__ import annotations

import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.bodies.numbers import time_text
from tests.api.cli.process import Process, served
from tests.api.streaming import MINUTE, T0, message, values_of

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


def test_an_incident_names_its_change_and_outlives_the_process(tmp_path: Path) -> None:
    """Pushed samples and one change become one incident; after kill -9 it is there once."""
    config = tmp_path / "serinus.yaml"
    config.write_text(
        "source: {kind: memory}\ningest: {behind_s: 100000}\nstream: {alarms_a_week: 0.01}\n",
        encoding="utf-8",
    )
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
        (before,) = incidents(server)
        server.end(signal.SIGKILL)
    with served(*flags) as server:
        until(lambda: bool(incidents(server)))
        (after,) = incidents(server)
    assert before["suspects"][0]["title"] == "checkout v2"
    assert "Likely the deployment of checkout to v2" in before["text"]
    assert (before["state"], before["services"]) == ("open", ["checkout"])
    assert (after["id"], after["count"]) == (before["id"], before["count"])
    assert [one["event"] for one in after["timeline"]][:1] == ["opened"]
