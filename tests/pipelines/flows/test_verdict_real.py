"""Whole verdicts over VictoriaMetrics and Thanos, beside those over the same samples in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.series import Query
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.sources.open import Source
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.shops import DIALECTS, T0, Dialect, Faults, fill
from tests.pipelines.sources.history import Recorded, exposition, openmetrics
from tests.servers import fill_victoriametrics, running_victoriametrics
from tests.thanos import Replica, running_thanos

pytestmark = [pytest.mark.real, pytest.mark.slow]

PACKS = load_packs()
CLIENT = DIALECTS[0]


def recorded(held: MemorySource) -> Iterator[Recorded]:
    """Every sample that is remembered."""
    queries = [Query(name) for name in sorted(held.metrics())]
    for answer in held.read(queries, T0 - 1e6, T0 + 1e6, timeout_s=10):
        for series in answer.series:
            yield Recorded(dict(series.labels), series.times, series.values)


def asked(
    source: Source, dialect: Dialect, *, at_second: Callable[[int], None] = lambda _: None
) -> list[Verdict]:
    """The answers of a rollout that is asked each minute, up to the first fail."""
    now = [T0]
    gate = Gate(
        source=source,
        catalog=source,
        stores=memory_stores(),
        clock=lambda: now[-1],
        discover=Discovery(PACKS, source),
        session_factory=Session,
    )
    given: list[Verdict] = []
    for second in range(60, 1740, 60):
        now.append(T0 + second)
        at_second(second)
        given.append(gate.judge(VerdictRequest(service="checkout", canary=dialect.canary)))
        if given[-1].outcome is Outcome.FAIL:
            break
    return given


def told(verdicts: list[Verdict]) -> list[tuple[object, ...]]:
    """What a controller, and a person who reads on, is told at each question."""
    return [(v.outcome, v.reason.code, v.reason.text, len(v.signals)) for v in verdicts]


@pytest.mark.parametrize(
    ("faults", "outcome", "code"),
    [
        pytest.param(Faults(), Outcome.PASS, "healthy", id="healthy"),
        pytest.param(Faults(errors=0.03), Outcome.FAIL, "error_rate_up", id="errors"),
        pytest.param(Faults(slower=1.8), Outcome.FAIL, "latency_up", id="slow"),
    ],
)
def test_victoriametrics_gives_the_verdicts_of_memory(
    tmp_path: Path, faults: Faults, outcome: Outcome, code: str
) -> None:
    """Nothing is configured but the URL; every answer on the way is the same to the word."""
    held = fill(CLIENT, faults)
    with running_victoriametrics(tmp_path) as server:
        fill_victoriametrics(server, exposition(recorded(held)))
        with PrometheusSource(SourceSettings(url=server.url)) as source:
            given = asked(source, CLIENT)
    assert (given[-1].outcome, given[-1].reason.code) == (outcome, code)
    assert told(given) == told(asked(held, CLIENT))


def by_turns(held: MemorySource) -> list[Replica]:
    """Two that scrape every 30 seconds, the second 15 seconds after the first."""
    every = list(recorded(held))
    return [
        Replica(
            name=name,
            history=openmetrics(
                [
                    Recorded(s.labels, s.times[at::2], s.values[at::2])
                    for s in every
                    if s.times[at:].size
                ]
            ),
        )
        for at, name in enumerate(("one", "two"))
    ]


@pytest.mark.e2e
@pytest.mark.parametrize("dedup", ["true", "false"])
@pytest.mark.parametrize(
    ("faults", "outcome", "code"),
    [
        pytest.param(Faults(), Outcome.PASS, "healthy", id="healthy"),
        pytest.param(Faults(errors=0.03), Outcome.FAIL, "error_rate_up", id="errors"),
    ],
)
def test_replicas_under_a_thanos_give_one_verdict(
    tmp_path: Path, dedup: str, faults: Faults, outcome: Outcome, code: str
) -> None:
    """Merged by the querier or told apart by the engine: no request is counted twice."""
    with (
        running_thanos(tmp_path, by_turns(fill(CLIENT, faults))) as thanos,
        PrometheusSource(SourceSettings(url=thanos.url, params={"dedup": dedup})) as source,
    ):
        given = asked(source, CLIENT)
    assert (given[-1].outcome, given[-1].reason.code) == (outcome, code)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("partial_response", "code"), [("true", "partial_data"), ("false", "source_unavailable")]
)
def test_a_canary_does_not_pass_while_a_store_is_away(
    tmp_path: Path, partial_response: str, code: str
) -> None:
    """The healthy canary that would have passed waits, and its reason names the cause."""
    told_by = {"dedup": "true", "partial_response": partial_response}
    with (
        running_thanos(tmp_path, by_turns(fill(CLIENT, Faults())), strict=True) as thanos,
        PrometheusSource(SourceSettings(url=thanos.url, params=told_by)) as source,
    ):

        def stop(second: int) -> None:
            if second == 300:
                thanos.sidecars[0].close()

        given = asked(source, CLIENT, at_second=stop)
    assert {verdict.outcome for verdict in given} == {Outcome.INCONCLUSIVE}
    assert {verdict.reason.code for verdict in given[-10:]} == {code}
    assert "Unavailable" in given[-1].reason.text
