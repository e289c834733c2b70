"""The sources that the contract holds for: ours from memory, and two real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.sources.memory import MemorySource
from pipelines.sources.open import Source
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from pipelines.testing import FakeSource, FaultServer
from tests.pipelines.sources.history import openmetrics, remember
from tests.pipelines.sources.owned import halved, remembered_own
from tests.servers import RunningPrometheus, make_blocks, running_prometheus

REAL = ("prometheus2", "prometheus3")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers of these tests live."""
    return tmp_path_factory.mktemp("prometheus")


@pytest.fixture(
    scope="session", params=[pytest.param(name, marks=pytest.mark.real) for name in REAL]
)
def prometheus(request: pytest.FixtureRequest, folder: Path) -> Iterator[RunningPrometheus]:
    """A real Prometheus, of each version, that holds the history."""
    name: str = request.param
    make_blocks(openmetrics(), folder / name / "data")
    with running_prometheus(name, folder / name) as server:
        yield server


@pytest.fixture(
    scope="session",
    params=[
        "memory",
        "fake",
        "own",
        "joined",
        *(pytest.param(name, marks=pytest.mark.real) for name in REAL),
    ],
)
def source(request: pytest.FixtureRequest, folder: Path) -> Iterator[Source]:
    """Every source that we ship, with the same history."""
    name: str = request.param
    if name in {"memory", "fake"}:
        store = remember(MemorySource())
        yield store if name == "memory" else FakeSource(store)
        return
    if name in {"own", "joined"}:
        yield remembered_own(folder / name) if name == "own" else halved(folder / name)
        return
    make_blocks(openmetrics(), folder / f"{name}-contract" / "data")
    with (
        running_prometheus(name, folder / f"{name}-contract") as server,
        PrometheusSource(SourceSettings(url=server.url)) as real,
    ):
        yield real


@pytest.fixture
def fault_server() -> Iterator[FaultServer]:
    """A server that misbehaves as the test tells it."""
    with FaultServer() as server:
        yield server
