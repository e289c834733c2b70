"""The app: every door onto one gate."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.auth.access import Access
from api.context import Context
from api.dialects import flagger
from api.document import Documented
from api.edge import BodyLimit, Edge
from api.events import Events
from api.gatekeeper import Gatekeeper
from api.pool import Pool
from api.probe import Probe
from api.problems import install_problems
from api.receiving import PATHS
from api.receiving_logs import LOG_PATHS
from api.routes import (
    alerts,
    anomalies,
    capacity,
    changes,
    delivery,
    digest,
    health,
    hooks,
    incidents,
    ingest,
    ingest_logs,
    ingest_logs_loki,
    ingest_otlp,
    ingest_traces,
    learning,
    modes,
    policies,
    reports,
    rollouts,
    scans,
    services,
    slack,
    slos,
    templates,
    verdicts,
)
from api.settings import Settings
from api.telemetry import Telemetry
from api.ui import (
    anomaly_pages,
    delivery_pages,
    digest_pages,
    incident_pages,
    pages,
    report_pages,
    scan_pages,
    service_pages,
    slo_pages,
)
from api.version import serinus_version
from detector.gate.curve import Curve

__all__ = ["create_app"]

SUMMARY = "Is this change safe to go on?"
DESCRIPTION = (
    "serinus judges canary rollouts. A verdict is `pass`, `fail` or `inconclusive`, with its "
    "evidence; it stays right however often it is asked, and no data never passes. Numbers may "
    "be sent as strings, an empty string means absent, and unknown fields are refused by name."
)
HOOK_BYTES = 2**20
ALERT_BYTES = 2**22
TAGS = [
    {"name": "verdicts", "description": "The question and its answers."},
    {"name": "rollouts", "description": "What was decided when, and what people decided."},
    {"name": "policies", "description": "How strictly rollouts are judged."},
    {"name": "services", "description": "What discovery finds, and what would be judged."},
    {
        "name": "anomalies",
        "description": "What left its expected range, and what was said of it.",
    },
    {
        "name": "incidents",
        "description": "Anomalies of one cause, the changes that may be it, and what was said.",
    },
    {"name": "capacity", "description": "What runs out when, and what a series will be."},
    {"name": "slos", "description": "What is promised, what is left of it, and how it burns."},
    {"name": "changes", "description": "What was changed, and who told it."},
    {"name": "scans", "description": "What security scanners found in a revision."},
    {"name": "logs", "description": "What services write into their logs, by template."},
    {"name": "modes", "description": "Break-glass."},
    {"name": "flagger", "description": "Flagger's webhooks; a yes is exactly 200."},
    {"name": "health", "description": "Probes and metrics."},
]
# In the order in which the API is told.
_ROOMS = (
    verdicts,
    rollouts,
    policies,
    services,
    modes,
    flagger,
    health,
    ingest,
    ingest_otlp,
    ingest_logs,
    ingest_logs_loki,
    ingest_traces,
    anomalies,
    incidents,
    learning,
    alerts,
    digest,
    slack,
    templates,
    hooks,
    changes,
    scans,
    capacity,
    reports,
    delivery,
    slos,
    pages,
    service_pages,
    anomaly_pages,
    incident_pages,
    report_pages,
    delivery_pages,
    scan_pages,
    digest_pages,
    slo_pages,
)


def create_app(
    gate: Gatekeeper,
    settings: Settings | None = None,
    *,
    source: object = None,
    store_probe: Callable[[], Probe] | None = None,
    source_probe: Callable[[], Probe] | None = None,
    chart: Callable[[str], tuple[Curve, ...]] | None = None,
    on_stop: Callable[[], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """The ASGI app over a gate.

    `source` is counted in `/metrics`; the probes answer `/readyz`; `chart` gives what a rollout's
    page draws; `on_stop` runs after the last answer; `clock` is what pages take for now.
    """
    settings = settings or Settings()
    context = _context(gate, settings, store_probe, source_probe, chart, clock)
    if source is not None:
        context.telemetry.watch_source(source)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if on_stop is not None:
            on_stop()

    app = Documented(
        title="serinus",
        summary=SUMMARY,
        description=DESCRIPTION,
        version=serinus_version(),
        openapi_tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.context = context
    for room in _ROOMS:
        app.include_router(room.router)
    install_problems(app)
    app.add_middleware(
        BodyLimit, limit=settings.limits.body_kb * 1024, others=_longer_bodies(settings)
    )
    app.add_middleware(Edge, access=context.access, telemetry=context.telemetry)
    return app


def _longer_bodies(settings: Settings) -> dict[str, int]:
    """Bytes that are taken at paths where senders post what they like, not what we ask for."""
    pushed = dict.fromkeys((*PATHS, *LOG_PATHS), settings.ingest.body_mb * 2**20)
    hooks = (f"/hooks/{name}" for name in settings.changes.senders)
    told = {alerts.ALERTMANAGER: ALERT_BYTES, scans.SCANS: scans.SCAN_BYTES}
    return {**pushed, **dict.fromkeys(hooks, HOOK_BYTES), **told}


def _context(
    gate: Gatekeeper,
    settings: Settings,
    store_probe: Callable[[], Probe] | None,
    source_probe: Callable[[], Probe] | None,
    chart: Callable[[str], tuple[Curve, ...]] | None,
    clock: Callable[[], float],
) -> Context:
    limits = settings.limits
    pool = Pool(concurrent=limits.concurrent, queued=limits.queued, bound_s=limits.request_s)
    telemetry = Telemetry(serinus_version())
    telemetry.watch(
        "serinus_questions_under_way", "Questions that run or wait.", lambda: pool.taken
    )
    return Context(
        gate=gate,
        settings=settings,
        access=_access(settings),
        telemetry=telemetry,
        pool=pool,
        store=store_probe or (lambda: Probe(is_right=True, words="in memory")),
        source=source_probe or (lambda: Probe(is_right=True, words="not probed")),
        chart=chart or (lambda _: ()),
        events=Events(),
        clock=clock,
    )


def _access(settings: Settings) -> Access:
    secret = settings.token.get_secret_value() if settings.token else None
    own = settings.flagger_token.get_secret_value() if settings.flagger_token else None
    return Access(
        token=secret,
        flagger_token=own,
        insecure=settings.insecure,
        allowed_hosts=settings.allowed_hosts,
    )
