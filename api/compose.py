"""Puts the parts together: source, stores and engine to a gate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from api.settings import Settings
from detector.capacity.ports import Outlooks
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.logs.ports import TemplateTexts
from detector.ports import Baselines, MetricCatalog, MetricSource, Stores
from detector.signals.plan import Plan
from detector.slo.ports import Budgets
from pipelines.flows.gate import Gate, GateSettings
from pipelines.flows.locate import Discover
from pipelines.flows.services import Services
from pipelines.sources.metered import MeteredSource
from pipelines.sources.open import Source, open_source

__all__ = [
    "DATABASE",
    "Opened",
    "discovery_of",
    "open_gate",
    "open_records",
    "open_replayer",
    "open_services",
    "source_of",
]

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
    baselines: Baselines | None = None,
    texts: TemplateTexts | None = None,
    awaited: Callable[[], str] = lambda: "",
) -> Opened:
    """The gate of the settings; `source` in place of theirs, `in_memory` keeps nothing.

    `baselines` is the stream beside it, if there is one; `texts` says what log lines are; no
    attempt is planned while `awaited` says why not.

    `ConfigError` for a source or a pack that cannot be, `StoreError` for a data directory that
    cannot be used. A source that is down is no error: it is told in each verdict.
    """
    metered = MeteredSource(source if source is not None else source_of(settings))
    known = GateSettings(
        bound_s=settings.limits.source_s,
        policies={policy.name: policy for policy in settings.native_policies},
        routes=tuple(notifier.route for notifier in settings.notify.native()),
        warm_attempts=settings.limits.warm,
        texts=texts,
        budgets=_budgets(settings, metered),
    )
    discover = _discovery(settings.packs, metered, awaited)
    stores, close = _memory() if in_memory else _kept(settings)
    known = replace(known, outlooks=_outlooks(stores))
    return _opened(
        metered, stores, close, discover=discover, known=known, clock=clock, baselines=baselines
    )


def _budgets(settings: Settings, metered: MeteredSource) -> Budgets:
    """The error budgets of the objectives that the settings name."""
    from pipelines.slo.binding import BoundCounters
    from pipelines.slo.budgets import CountedBudgets
    from pipelines.slo.openslo import load_objectives

    objectives = load_objectives(settings.objectives)
    discover = _discovery(settings.packs if objectives else (), metered, lambda: "")
    return CountedBudgets(objectives, metered.source, BoundCounters(discover, metered))


def _outlooks(stores: Stores) -> Outlooks:
    """Capacity as any replica has assessed it."""
    from pipelines.capacity.keeping import KeptCapacity, KeptOutlooks

    return KeptOutlooks(KeptCapacity(stores.reports))


def source_of(settings: Settings) -> Source:
    """The source of the settings, which knows the histograms of their packs."""
    from pipelines.packs import load_packs

    return open_source(settings.source.native(), load_packs(settings.packs))


def open_records(data: Path | str) -> Opened:
    """A gate on what a data directory, or the database of an address, holds, without a source.

    It looks, replays and decides.

    It needs no configuration, so that breaking the glass works when that is what is broken.
    """
    if isinstance(data, str):
        return _sourceless(*_postgres(data))
    return _sourceless(*_sqlite(data / DATABASE))


def open_services(
    settings: Settings, source: Source, *, clock: Callable[[], float] = time.time
) -> Services:
    """What discovery shows of a source, by the packs of the settings."""
    from pipelines.packs import load_packs

    packs, bound_s = load_packs(settings.packs), settings.limits.source_s
    return Services(source=source, catalog=source, packs=packs, clock=clock, bound_s=bound_s)


def open_replayer() -> Gate:
    """A gate that has no source and keeps nothing: it replays evidence files."""
    return _sourceless(*_memory()).gate


def _sourceless(stores: Stores, close: Callable[[], None]) -> Opened:
    from pipelines.sources.memory import MemorySource

    return _opened(
        MeteredSource(MemorySource()),
        stores,
        close,
        discover=_nowhere,
        known=GateSettings(),
        clock=time.time,
    )


def _opened(
    metered: MeteredSource,
    stores: Stores,
    close: Callable[[], None],
    *,
    discover: Discover,
    known: GateSettings,
    clock: Callable[[], float],
    baselines: Baselines | None = None,
) -> Opened:
    gate = Gate(
        source=metered,
        catalog=metered,
        stores=stores,
        clock=clock,
        discover=discover,
        session_factory=Session,
        settings=known,
        baselines=baselines,
    )
    return Opened(gate=gate, source=metered, stores=stores, close=close)


def _memory() -> tuple[Stores, Callable[[], None]]:
    from pipelines.stores.memory import memory_stores

    return memory_stores(), lambda: None


def _kept(settings: Settings) -> tuple[Stores, Callable[[], None]]:
    """Shared with other replicas where an address was given, else in a file."""
    if settings.store is not None:
        return _postgres(settings.store.get_secret_value())
    return _sqlite(settings.data / DATABASE)


def _postgres(url: str) -> tuple[Stores, Callable[[], None]]:
    from pipelines.stores.postgres import PostgresDatabase

    database = PostgresDatabase(url)
    return database.stores(), database.close


def _sqlite(path: Path) -> tuple[Stores, Callable[[], None]]:
    from pipelines.stores.sqlite import Database

    database = Database(path)
    return database.stores(), database.close


def _discovery(files: Sequence[Path], source: MetricSource, awaited: Callable[[], str]) -> Discover:
    from pipelines.flows.discovery import Discovery
    from pipelines.packs import load_packs

    return Discovery(load_packs(files), source, awaited)


def discovery_of(settings: Settings, source: MetricSource) -> Discover:
    """Discovery by the packs of the settings."""
    return _discovery(settings.packs, source, lambda: "")


def _nowhere(
    catalog: MetricCatalog,
    request: VerdictRequest,
    *,
    start: float,
    end: float,
    timeout_s: float,
) -> Plan:
    """Without a source nothing is found."""
    raise LookupError(f"there is no source to look for {request.service} in")
