"""From a question to a plan: what the service exposes, bound to signals."""

from __future__ import annotations

from collections.abc import Sequence

from detector.discovery.asked import asked_of
from detector.discovery.search import Search
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog, MetricSource
from detector.signals.packs import Pack
from detector.signals.plan import Plan

__all__ = ["discover"]


def discover(
    catalog: MetricCatalog,
    packs: Sequence[Pack],
    request: VerdictRequest,
    *,
    start: float,
    end: float,
    timeout_s: float,
    source: MetricSource | None = None,
) -> Plan:
    """The plan of a service for the attempt that began at `start`, from what exists up to `end`.

    Unix seconds; each call to the catalogue may take `timeout_s`. With a `source` the traffic of
    several stable workloads is read, else they are told apart by their pods. Packs that come first
    win where two fit equally. For a service or canary that is not found the plan's notes say what
    exists instead. `InputError`: a selector does not parse, canary and control are the same, an
    arm spans clusters. `SourceError`: the source does not answer.
    """
    search = Search(catalog, packs, asked_of(request), start=start, end=end, timeout_s=timeout_s)
    search.source = source
    return search.plan()
