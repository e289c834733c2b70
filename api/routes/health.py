"""Probes and metrics: does it live, are its answers right, what has it done."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.to_thread
from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from api.bodies.answer import ReadyAnswer
from api.context import In
from api.probe import Probe
from api.routes.verdicts import PROBLEMS
from api.strict import json_response
from api.telemetry import rendered

__all__ = ["router"]

router = APIRouter(tags=["health"])
# Below the second that Kubernetes gives a probe by default.
PROBE_S = 0.8
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/healthz",
    summary="Does the process answer?",
    response_model=None,
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {}}, "description": "It lives."}},
)
async def healthz() -> Response:
    """Says nothing of the store or the source: a restart would mend neither."""
    return PlainTextResponse("ok\n")


@router.get(
    "/readyz",
    summary="Are answers right?",
    response_model=None,
    responses={
        200: {"model": ReadyAnswer, "description": "Send requests here."},
        503: {"model": ReadyAnswer, "description": "Not yet, or not any more."},
    },
)
async def readyz(context: In) -> Response:
    """Ready while the store is open; a source that is known to be down is told, not hidden.

    So is a stream that stopped or waits: verdicts need none, and must not be taken away for it.
    It does not queue with the questions: being busy is no reason to be taken out of service.
    """
    store, source = await _probed(context.store), await _probed(context.source)
    streaming = context.streaming
    body = {
        "ready": store.is_right,
        "store": store.words,
        "source": source.words,
        "stream": None if streaming is None else streaming.words,
        "pull": None if streaming is None or streaming.pulling is None else streaming.pulling.words,
        "loki": None if streaming is None else streaming.loki_words,
    }
    return json_response(body, 200 if store.is_right else 503)


async def _probed(probe: Callable[[], Probe]) -> Probe:
    try:
        with anyio.fail_after(PROBE_S):
            return await anyio.to_thread.run_sync(probe, abandon_on_cancel=True)
    except TimeoutError:
        return Probe(is_right=False, words=f"did not answer within {PROBE_S:g} s")


@router.get(
    "/metrics",
    summary="What serinus says of itself",
    response_model=None,
    response_class=PlainTextResponse,
    responses={
        200: {"content": {"text/plain": {}}, "description": "The Prometheus text format."},
        401: PROBLEMS[401],
        403: PROBLEMS[403],
    },
)
async def metrics(context: In) -> Response:
    """Verdicts by outcome and reason, latency, and what each rollout costs the source."""
    return Response(rendered(context.telemetry), media_type=METRICS_TYPE)
