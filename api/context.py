"""What every route takes its parts from: one frozen value per app."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.auth.access import Access
from api.burning import BurnWatch
from api.capacity import Capacity
from api.changing import Changing
from api.correlating import Correlating
from api.events import Events
from api.gatekeeper import Gatekeeper
from api.pool import Pool
from api.probe import Probe
from api.receiving import MetricReceiver
from api.receiving_logs import LogReceiver
from api.reporting import Reporting
from api.settings import Settings
from api.streaming import Streaming
from api.telemetry import Telemetry, account_of
from api.tracing import TraceReceiver
from api.weekly import Weekly
from detector.gate.curve import Curve
from detector.gate.request import VerdictRequest
from detector.gate.spoken import Spoken
from detector.gate.verdict import Verdict
from pipelines.flows.services import Services
from pipelines.sources.metered import charged_to

__all__ = ["Context", "In"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The parts of one app. `store` and `source` probe them; they may block for a second.

    `spoken` gives what a rollout's page tells of log templates, by the ids of both; `clock` tells
    pages how long ago a moment was; `services` is None without a metric source,
    `receiver`, `tracing`, `streaming` and `correlating` without a stream, `capacity` and `burns`
    unless the configuration asks for them.
    """

    gate: Gatekeeper
    settings: Settings
    access: Access
    telemetry: Telemetry
    pool: Pool
    store: Callable[[], Probe]
    source: Callable[[], Probe]
    chart: Callable[[str], tuple[Curve, ...]]
    events: Events
    clock: Callable[[], float] = time.time
    spoken: Callable[[str, Sequence[str]], Spoken] = lambda *_: Spoken()
    services: Services | None = None
    receiver: MetricReceiver | None = None
    log_receiver: LogReceiver | None = None
    tracing: TraceReceiver | None = None
    streaming: Streaming | None = None
    changing: Changing | None = None
    correlating: Correlating | None = None
    weekly: Weekly | None = None
    capacity: Capacity | None = None
    reporting: Reporting | None = None
    burns: BurnWatch | None = None

    async def ask(
        self, question: Callable[[VerdictRequest], Verdict], request: VerdictRequest
    ) -> Verdict:
        """Ask the gate in the bounded room, and count the answer."""
        began = time.perf_counter()
        verdict = await self.pool.run(self._charged, question, request)
        self.telemetry.judged(verdict, time.perf_counter() - began)
        return verdict

    def _charged(
        self, question: Callable[[VerdictRequest], Verdict], request: VerdictRequest
    ) -> Verdict:
        with charged_to(account_of(request.service, request.rollout)):
            return question(request)


async def _context(request: Request) -> Context:
    # FastAPI sends what is no coroutine through a thread of its pool, at each request.
    context: Context = request.app.state.context
    return context


In = Annotated[Context, Depends(_context)]
