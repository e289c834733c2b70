"""From lines that a door took to the verdict that names them: stream, own counters, gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from detector.errors import StoreError
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.logs.counted import Template
from detector.logs.lines import Level, LogLines, Origin
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate, GateSettings
from pipelines.packs import load_packs
from pipelines.sources.own import OwnSource
from pipelines.sources.own_joined import joined
from pipelines.stores.memory import memory_stores
from pipelines.stores.own import SqlOwn
from pipelines.stores.templates import SqlTemplates
from tests.pipelines.flows.logging import Clock, Life, lines, opened
from tests.pipelines.flows.shops import CANARY, DIALECTS, LENGTH_S, STABLE, T0, Faults, fill

CLIENT = DIALECTS[0]
PACKS = load_packs()
STEP_S, BEFORE_S = 15.0, 600.0
ASKED_S = 20.0


class Release:
    """A shop whose requests are in a source, and whose pods write their lines to us."""

    def __init__(self, folder: Path, *, share: float, awaited: str = "") -> None:
        self.life: Life = opened(folder, Clock(T0 - BEFORE_S))
        self.share, self._draw = share, np.random.default_rng(7)
        self.awaited = awaited
        self.source = joined(fill(CLIENT, Faults()), OwnSource(self._own))
        self.gate = Gate(
            source=self.source,
            catalog=self.source,
            stores=memory_stores(),
            clock=self.life.clock,
            discover=Discovery(PACKS, self.source, lambda: self.awaited),
            session_factory=Session,
            settings=GateSettings(bound_s=120.0, texts=self._texts),
        )

    def _own(self) -> SqlOwn:
        if self.awaited:
            raise StoreError(self.awaited)
        return SqlOwn(self.life.database)

    def _texts(self, tenant: str, ids: Sequence[str]) -> Mapping[str, Template]:
        return SqlTemplates(self.life.database).texts(tenant, ids)

    def until(self, at: float) -> None:
        """The pods write until then."""
        while self.life.clock.now < at:
            self.life.clock.now += STEP_S
            now = self.life.clock.now
            for pod in (*STABLE, *(CANARY if now > T0 else ())):
                assert self.life.flow.put("default", self._written(pod, now))
            self.life.taking.tick()
        assert self.life.stream.drain(60)
        self.life.stream.part.logs.settle(now=True)

    def _written(self, pod: str, now: float) -> LogLines:
        count = int(self._draw.poisson(ASKED_S * STEP_S))
        said = [(Level.INFO, f"GET /cart took {n} ms") for n in range(count)]
        said += [(Level.ERROR, "cannot reach the cache")] * int(self._draw.binomial(count, 0.002))
        new = int(self._draw.binomial(count, self.share)) if pod in CANARY else 0
        said += [(Level.ERROR, f"charge of order {n} failed: no route to bank") for n in range(new)]
        origin = Origin(service="checkout", namespace="shop", pod=pod)
        return lines(said, at=now - 1, origins=(origin,))

    def ask(self, second: float) -> Verdict:
        """The answer at a second from the start."""
        self.until(T0 + second)
        return self.gate.judge(VerdictRequest(service="checkout", canary=CLIENT.canary))


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[list[Release]]:
    """Closed at the end."""
    made: list[Release] = []
    yield made
    for one in made:
        one.life.close()


@pytest.mark.slow
def test_a_new_error_line_on_one_request_in_a_hundred_is_a_fail_that_names_it(
    tmp_path: Path, releases: list[Release]
) -> None:
    """All answers are 200: only the log tells that nobody can pay."""
    release = Release(tmp_path, share=0.01)
    releases.append(release)
    asked = (release.ask(second) for second in range(60, 301, 60))
    verdict = next(one for one in asked if one.outcome is Outcome.FAIL)
    assert (verdict.outcome, verdict.reason.code) == (Outcome.FAIL, "log_templates_up")
    assert "charge of order <num> failed: no route to bank" in verdict.reason.text
    signal = next(one for one in verdict.signals if one.name == "log_templates")
    first = signal.templates[0]
    assert first.sample.startswith("charge of order 0 failed")
    assert first.lines.control == 0
    assert first.lines.canary > 5


@pytest.mark.slow
def test_a_release_that_writes_what_the_others_write_is_not_failed(
    tmp_path: Path, releases: list[Release]
) -> None:
    """Errors of every day are no release's."""
    release = Release(tmp_path, share=0.0)
    releases.append(release)
    found = {release.ask(second).outcome for second in range(120, int(LENGTH_S), 240)}
    assert Outcome.FAIL not in found


@pytest.mark.slow
def test_what_was_asked_while_the_stream_was_opening_is_judged_by_its_lines_too(
    tmp_path: Path, releases: list[Release]
) -> None:
    """The plan of the first question is the attempt's for good, and without lines all is well."""
    release = Release(tmp_path, share=0.01, awaited="the stream is not open yet")
    releases.append(release)
    early = release.ask(30)
    release.awaited = ""
    asked = (release.ask(second) for second in range(60, 301, 60))
    verdict = next(one for one in asked if one.outcome is Outcome.FAIL)
    assert (early.outcome, early.reason.code) == (Outcome.INCONCLUSIVE, "source_unavailable")
    assert "the stream is not open yet" in early.reason.text
    assert verdict.reason.code == "log_templates_up"
    assert verdict.attempt == early.attempt
