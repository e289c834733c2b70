"""The past of a service as rows: its plan, then the newest sample of each series at each step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from detector.errors import InputError
from detector.fitted.panel import Panel, columns_of, panel_of, queries_of
from detector.gate.request import VerdictRequest
from detector.ports import MetricOutline
from detector.series import Answer, Query, Series
from pipelines.flows.backtest import Past

__all__ = ["MOST_STEPS", "SETTLED_S", "outlined", "read_panel"]

_TIMEOUT_S = 120.0
_LATELY_S = 600.0
# Younger samples may still be on their way: a counter would seem to stand still.
SETTLED_S = 120.0
_NOBODY = '{__none__="nothing"}'
# Prometheus refuses more than 11,000 points of a series at once.
MOST_STEPS = 10_000


def read_panel(
    request: VerdictRequest, past: Past, *, since: float, until: float, step_s: float
) -> Panel:
    """Rows of the metrics that are bound for a service, from `since` to `until` (unix seconds).

    The last two minutes are left out.
    `InputError` where the source has no outline or nothing is bound.
    """
    source = past.source
    if not isinstance(source, MetricOutline):
        text = "this metric source has no outline of the past: models cannot be fitted on it"
        raise InputError(text, field="source")
    asked = VerdictRequest(
        tenant=request.tenant,
        service=request.service,
        namespace=request.namespace,
        cluster=request.cluster,
        canary=request.canary or _NOBODY,
    )
    plan = past.discover(
        past.catalog, asked, start=until - _LATELY_S, end=until, timeout_s=_TIMEOUT_S
    )
    columns = columns_of(plan)
    first, last = math.floor(since / step_s) + 1, math.floor((until - SETTLED_S) / step_s)
    queries = queries_of(columns)
    answers = outlined(source, queries, (first - 1) * step_s, last * step_s, step_s)
    return panel_of(columns, answers, first=first, rows=last - first + 1, step_s=step_s)


def outlined(
    source: MetricOutline,
    queries: Sequence[Query],
    begin: float,
    end: float,
    step_s: float,
    most: int = MOST_STEPS,
) -> dict[Query, Answer]:
    """Newest samples at each step from `begin` to `end`, in parts of at most `most` steps."""
    parts: list[Sequence[Answer]] = []
    at = begin - step_s
    while at < end:
        until = min(at + most * step_s, end)
        parts.append(source.outline(queries, at, until, step_s=step_s, timeout_s=_TIMEOUT_S))
        at = until
    return {
        query: _joined([part[number] for part in parts]) for number, query in enumerate(queries)
    }


def _joined(answers: Sequence[Answer]) -> Answer:
    """The same series of several spans, each once."""
    if len(answers) == 1:
        return answers[0]
    kept: dict[frozenset[tuple[str, str]], list[Series]] = {}
    for answer in answers:
        for one in answer.series:
            kept.setdefault(frozenset(one.labels.items()), []).append(one)
    series = [
        Series(
            labels=parts[0].labels,
            times=np.concatenate([one.times for one in parts]),
            values=np.concatenate([one.values for one in parts]),
        )
        for parts in kept.values()
    ]
    return Answer(series=series, warnings=tuple(w for one in answers for w in one.warnings))
