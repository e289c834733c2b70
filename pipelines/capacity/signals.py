"""A signal of a service as a query over the whole service, as discovery binds it."""

from __future__ import annotations

from detector.discovery.promised import counters_of
from detector.errors import InputError
from detector.gate.request import VerdictRequest
from detector.selector import format_query
from detector.slo.objective import Counted
from pipelines.flows.discovery import Discovery
from pipelines.flows.services import Services

__all__ = ["SIGNALS", "query_of", "signal_query"]

SIGNALS = ("requests", "error_rate")
_LATELY_S = 600.0
# The canary of nobody: what is foretold is the service as a whole.
_NOBODY = '{__none__="nothing"}'


def signal_query(
    services: Services,
    service: str,
    signal: str,
    *,
    namespace: str | None,
    now: float,
    timeout_s: float,
) -> str:
    """What to read; `InputError` where the signal is none, or not bound, `SourceError`."""
    if signal not in SIGNALS:
        raise InputError(
            f"no forecast of {signal!r}; there are {', '.join(SIGNALS)}, or give a query",
            field="signal",
        )
    request = VerdictRequest(service=service, namespace=namespace, canary=_NOBODY)
    discover = Discovery(services.packs, services.source)
    plan = discover(services.catalog, request, start=now - _LATELY_S, end=now, timeout_s=timeout_s)
    return query_of(counters_of(plan, "error_rate"), signal)


def query_of(counted: Counted, signal: str) -> str:
    """Requests a second, or the share of them that failed.

    >>> from detector.series import Query
    >>> query_of(Counted(total=Query("a"), part=Query("b"), part_is_good=False), "requests")
    'sum(rate(a[5m]))'
    """
    total = f"sum(rate({format_query(counted.total)}[5m]))"
    if signal == "requests":
        return total
    # No series of failures beside counted requests is no failure.
    return f"(sum(rate({format_query(counted.part)}[5m])) or 0 * {total}) / {total}"
