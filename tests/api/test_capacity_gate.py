"""Capacity in policies over HTTP, in verdicts of the composed gate, and in the app as served."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.compose import open_gate
from api.serving import serving_app
from api.settings import Settings
from detector.errors import ConfigError
from pipelines.sources.memory import MemorySource
from tests.api.doors import Door, quiet_logs
from tests.servers import free_port

RULE = {"within_s": "86400", "kinds": ["memory"], "hold_unknown": "true"}


def test_a_policy_keeps_what_it_asks_of_capacity() -> None:
    """Numbers may be text; what is absent has its default."""
    door = Door()
    saved = door.client.put("/v1/policies/roomy", json={"capacity": RULE})
    assert saved.status_code == 200, saved.text
    assert door.get("/v1/policies/roomy").json()["policy"]["capacity"] == {
        "within_s": 86400.0,
        "kinds": ["memory"],
        "hold_unknown": True,
        "max_age_s": 172800.0,
    }
    door.client.put("/v1/policies/plain", json={})
    assert door.get("/v1/policies/plain").json()["policy"]["capacity"] is None


@pytest.mark.parametrize(
    "rule",
    [{"within_s": 0}, {"kinds": []}, {"kinds": ["wishes"]}, {"max_age_s": "inf"}, {"days": 7}],
    ids=str,
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, object]) -> None:
    """By its key, below `capacity`."""
    answer = Door().client.put("/v1/policies/roomy", json={"capacity": rule})
    assert answer.status_code == 422
    assert "capacity" in answer.text


def settings(folder: Path, **changes: object) -> Settings:
    """A source that is down, and one resource that a person set."""
    source = {"url": f"http://127.0.0.1:{free_port()}", "budget": {"retries": 0}}
    capacity = {"enabled": True, "resources": {"seats": {"usage": "sum(seats)", "limit": 5}}}
    return Settings.model_validate(
        {"data": folder, "source": source, "capacity": capacity, **changes}
    )


def test_the_app_as_served_assesses_and_says_what_is_wrong(tmp_path: Path) -> None:
    """A source that is down is told at the door and in metrics; nobody waits for it."""
    quiet_logs()
    told = settings(tmp_path)
    opened = open_gate(told, source=MemorySource())
    app = serving_app(opened, told, on_stop=opened.close)
    capacity = app.state.context.capacity
    capacity.loop.close()
    if not capacity.refreshing.failures:
        capacity.refreshing.look()
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.get("/v1/capacity").json()
        assert answer["resources"] == []
        assert "cannot connect to Prometheus" in answer["problem"]
        metrics = client.get("/metrics").text
        assert "serinus_capacity_failures_total 1.0" in metrics
        assert "serinus_capacity_exhaustion_seconds{" not in metrics
        failed = client.get("/v1/forecasts", params={"query": "sum(seats)"})
        assert failed.status_code == 503


def test_a_source_that_knows_no_promql_is_refused_at_the_start(tmp_path: Path) -> None:
    """Before anybody waits for a first assessment."""
    told = settings(tmp_path, source={"kind": "memory"})
    opened = open_gate(told, source=MemorySource())
    with pytest.raises(ConfigError, match="speaks PromQL"):
        serving_app(opened, told, on_stop=opened.close)
    opened.close()
