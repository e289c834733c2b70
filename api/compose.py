"""Puts the parts together: source, stores and engine to a gate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.settings import Settings
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.ports import MetricCatalog, Stores
from detector.signals.discover import discover
from detector.signals.packs import Pack
from detector.signals.plan import Plan
from pipelines.flows.gate import Gate, GateSettings
from pipelines.flows.locate import Discover
from pipelines.sources.metered import MeteredSource
from pipelines.sources.open import Source, open_source

__all__ = ["Opened", "open_gate", "open_replayer"]

DATABASE = "serinus.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A gate that is ready to be asked, with what it stands on; close it at the end."""

    gate: Gate
    source: MeteredSource
    stores: Stores
    close: Callable[[], None]


def open_gate(
    settings: Settings,
    *,
    source: Source | None = None,
    in_memory: bool = False,
    clock: Callable[[], float] = time.time,
) -> Opened:
    """The gate of the settings; `source` in place of theirs, `in_memory` keeps nothing.

    `ConfigError` for a source that cannot be, `StoreError` for a data directory that cannot be
    used. A source that is down is no error: it is told in each verdict.
    """
    metered = MeteredSource(source if source is not None else open_source(settings.source.native()))
    stores, close = _memory() if in_memory else _sqlite(settings.data / DATABASE)
    gate = Gate(
        source=metered,
        catalog=metered,
        stores=stores,
        clock=clock,
        discover=_discovery(_packs(settings.packs)),
        session_factory=Session,
        settings=GateSettings(
            bound_s=settings.limits.source_s,
            policies={policy.name: policy for policy in settings.native_policies},
        ),
    )
    return Opened(gate=gate, source=metered, stores=stores, close=close)


def open_replayer() -> Gate:
    """A gate that has no source and keeps nothing: it replays evidence files."""
    from pipelines.sources.memory import MemorySource

    return open_gate(Settings(), source=MemorySource(), in_memory=True).gate


def _memory() -> tuple[Stores, Callable[[], None]]:
    from pipelines.stores.memory import memory_stores

    return memory_stores(), lambda: None


def _sqlite(path: Path) -> tuple[Stores, Callable[[], None]]:
    from pipelines.stores.sqlite import Database

    database = Database(path)
    return database.stores(), database.close


def _packs(files: Sequence[Path]) -> tuple[Pack, ...]:
    from detector.signals.packs import load_packs

    return load_packs(files)


def _discovery(packs: Sequence[Pack]) -> Discover:
    def found(
        catalog: MetricCatalog,
        request: VerdictRequest,
        *,
        start: float,
        end: float,
        timeout_s: float,
    ) -> Plan:
        return discover(catalog, packs, request, start=start, end=end, timeout_s=timeout_s)

    return found
