"""`serinus serve` tells of burns: from a real Prometheus to a receiver, once, whatever kills it."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.cli.process import Process, served
from tests.api.cli.test_incidents_killed import asked, is_ready, until
from tests.api.cli.test_slo_real import document, history
from tests.pipelines.notify.receiver import Receiver, receiving
from tests.servers import make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(180)]
CONFIG = """
source: {url: "%s"}
objectives: [%s]
notify:
  to:
    others: {url: "http://127.0.0.1:9/", allow_private: true, kinds: [incident]}
    team: {url: "%s", allow_private: true, kinds: [incident]}
alerts:
  route: {to: others, routes: [{match: 'kind="burn",slo!=""', to: team}]}
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Four weeks: one service is calm, one has spent its budget slowly, one burns."""
    folder = tmp_path_factory.mktemp("prometheus")
    make_blocks(history(time.time()), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Who is told."""
    with receiving() as made:
        yield made


def metric(server: Process, name: str, **labels: str) -> float:
    """What `/metrics` says."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    found = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) == 1
    return float(found[0])


def standings(server: Process) -> dict[str, Any]:
    """Objectives by name, as they stand."""
    return {one["name"]: one for one in asked(server, "/v1/slos")["slos"]}


def incidents_told(receiver: Receiver) -> list[dict[str, Any]]:
    """What the receiver got, in order."""
    return [json.loads(one.body)["data"]["incident"] for one in receiver.got]


def test_burns_are_told_as_incidents_once(source: str, tmp_path: Path, receiver: Receiver) -> None:
    """With the objective, how fast, what is left, and the incident; a kill tells nothing anew."""
    slo, config = tmp_path / "slo.yaml", tmp_path / "serinus.yaml"
    slo.write_text("---".join(map(document, ("calm", "gone", "burning", "nobody"))), "utf-8")
    config.write_text(CONFIG % (source, slo, receiver.url), "utf-8")
    flags = ("--config", str(config), "--data", str(tmp_path / "data"))
    with served(*flags) as server:
        until(lambda: is_ready(server))
        until(lambda: len(receiver.got) == 2)
        until(lambda: len(standings(server)) == 4)
        found = standings(server)
        assert metric(server, "serinus_slo_alert", slo="burning", level="page") == 1
        rate = metric(server, "serinus_slo_burn_rate", slo="burning", window="3600")
        assert rate == pytest.approx(50, rel=0.15)
        left = metric(server, "serinus_slo_budget_left", slo="calm")
        assert left == pytest.approx(0.7, abs=0.01)
        assert metric(server, "serinus_slo_unknown") == 1
        server.end(signal.SIGKILL)
    told = {one["labels"]["slo"]: one for one in incidents_told(receiver)}
    page = told["burning"]
    assert (page["event"], page["severity"], page["services"]) == ("opened", "high", ["burning"])
    assert (page["labels"]["kind"], told["gone"]["severity"]) == ("burn", "medium")
    assert re.search(r"budget (4\d|50) times too fast over 1 h \(", page["signs"][0]["text"])
    assert "of the budget of 28d is left, gone in" in page["signs"][0]["text"]
    states = {name: one["state"] for name, one in found.items()}
    assert states == {"calm": "quiet", "gone": "ticket", "burning": "page", "nobody": "unknown"}
    assert (found["nobody"]["flaw"], found["nobody"]["budget"]["left"]) == ("no_data", None)
    assert found["burning"]["alert"]["incident"] == page["id"]
    assert found["burning"]["alert"]["id"] == page["signs"][0]["anomaly"]
    assert found["calm"]["budget"]["left"] == pytest.approx(0.7, abs=0.01)
    assert found["burning"]["burn"][0]["long"] == pytest.approx(50, rel=0.15)
    assert found["calm"]["alert"] is None
    with served(*flags) as server:
        until(lambda: is_ready(server))
        until(lambda: len(standings(server)) == 4)
        again = standings(server)
        assert server.end() == 0
    assert again["burning"]["alert"]["id"] == found["burning"]["alert"]["id"]
    assert len(receiver.got) == 2
