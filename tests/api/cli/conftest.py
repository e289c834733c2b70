"""A verdict that the real engine gave, the server that knows it, and its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from detector.gate.verdict import Outcome
from tests.api.cli.served import serving
from tests.api.doors import quiet_logs
from tests.pipelines.flows.scripted import World
from tests.pipelines.flows.test_engine import poll, shop


@pytest.fixture(scope="module")
def judged() -> tuple[World, str]:
    """A rollout that the real engine failed, and the id of that verdict."""
    world = shop(0.04)
    for second in range(30, 500, 60):
        poll(world, second)
    verdict = poll(world, 600)
    assert verdict.outcome is Outcome.FAIL
    return world, verdict.id


@pytest.fixture
def url(judged: tuple[World, str]) -> Iterator[str]:
    quiet_logs()
    with serving(create_app(judged[0].gate)) as address:
        yield address


@pytest.fixture
def file(judged: tuple[World, str], tmp_path: Path) -> Path:
    """The evidence of that verdict."""
    path = tmp_path / "evidence.serinus"
    path.write_bytes(judged[0].gate.records.export(judged[1]))
    return path
