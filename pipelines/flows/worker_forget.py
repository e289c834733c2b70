"""What workers have counted of lines and spans is kept for a while."""

from __future__ import annotations

from pipelines.flows.logs_open import LogBounds
from pipelines.stores.connections import Connections
from pipelines.stores.own import SqlOwn
from pipelines.stores.templates import SqlTemplates

__all__ = ["forget_counted"]

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000


def forget_counted(database: Connections, bounds: LogBounds, now: float) -> None:
    """Delete what is old at a time (unix seconds), of whichever part it is.

    A part that reads what came days ago has counters that are as old and live: they stay until it
    is where others are.
    """
    at = round(1000 * now)
    frames = at - round(_HOUR_MS * bounds.keep_hours)
    SqlOwn(database).prune(
        frames_before=frames, series_before=frames - 24 * _HOUR_MS, of_living=True
    )
    templates = SqlTemplates(database)
    templates.prune(at - round(_DAY_MS * bounds.keep_days))
    for tenant in templates.every_tenant():
        templates.shrink(tenant, most=bounds.templates // 2)
