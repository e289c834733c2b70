"""Flagger's gauge on real servers: the same steps, notes and verdicts as from memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from detector.gate.render import verdict_body
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Verdict
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.sources.open import Source
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.shops import DIALECTS, T0, Faults, fill
from tests.pipelines.flows.test_steering import flagger
from tests.pipelines.flows.test_verdict_real import recorded
from tests.pipelines.sources.history import exposition, openmetrics
from tests.servers import (
    fill_victoriametrics,
    make_blocks,
    running_prometheus,
    running_victoriametrics,
)

pytestmark = [pytest.mark.real, pytest.mark.slow]

CLIENT = DIALECTS[0]
SERVERS = ("prometheus2", "prometheus3", "victoriametrics")


def rollout() -> MemorySource:
    """Three weights of a healthy canary."""
    held = fill(CLIENT, Faults())
    flagger(held, (-600.0, 0.0), (30.0, 10.0), (600.0, 20.0), (1100.0, 50.0))
    return held


@contextmanager
def server(name: str, held: MemorySource, folder: Path) -> Iterator[str]:
    """The URL of a server that holds the same samples."""
    if name == "victoriametrics":
        with running_victoriametrics(folder) as victoria:
            fill_victoriametrics(victoria, exposition(recorded(held)))
            yield victoria.url
        return
    make_blocks(openmetrics(list(recorded(held))), folder / "data")
    with running_prometheus(name, folder) as prometheus:
        yield prometheus.url


def asked(source: Source) -> tuple[Gate, list[Verdict]]:
    """The answers of a rollout that sends no weight."""
    now = [T0]
    gate = Gate(
        source=source,
        catalog=source,
        stores=memory_stores(),
        clock=lambda: now[-1],
        discover=Discovery(load_packs(), source),
        session_factory=Session,
    )
    given: list[Verdict] = []
    for second in range(60, 1740, 120):
        now.append(T0 + second)
        given.append(gate.judge(VerdictRequest(service="checkout", canary=CLIENT.canary)))
    return gate, given


@cache
def from_memory() -> tuple[Gate, list[Verdict]]:
    """The same, asked once for all servers."""
    return asked(rollout())


def weights(gate: Gate, given: list[Verdict]) -> list[tuple[float, float]]:
    """What was stored, after T0."""
    stored = gate.stores.attempts.get(given[-1].attempt).weights
    return [(round(w.at - T0, 3), w.weight) for w in stored]


def told(given: list[Verdict]) -> list[tuple[object, ...]]:
    """What a person reads."""
    return [(v.outcome, v.reason.text, v.notes) for v in given]


@pytest.mark.parametrize("name", SERVERS)
def test_a_real_server_shows_the_steps_of_memory(tmp_path: Path, name: str) -> None:
    """Nothing is configured but the URL; where the weight came from is said the same."""
    with (
        server(name, rollout(), tmp_path) as url,
        PrometheusSource(SourceSettings(url=url)) as source,
    ):
        gate, given = asked(source)
        replays = [gate.records.replay(verdict.id) for verdict in given]
    memory, wanted = from_memory()
    assert [weight for _, weight in weights(memory, wanted)] == [0.0, 10.0, 20.0, 50.0]
    assert weights(gate, given) == weights(memory, wanted)
    assert told(given) == told(wanted)
    assert [verdict_body(v, brief=False) for v in replays] == [
        verdict_body(v, brief=False) for v in given
    ]
