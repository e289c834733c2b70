"""Tenants whose lines and spans are counted: what they are called by, and how it gets spooled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.ports import SeriesNames
from pipelines.flows.logs_names import Labels, OwnNames
from pipelines.flows.logs_rates import QUIET_MS
from pipelines.flows.logs_record import Counted, Lines, gains
from pipelines.stores.connections import Connections
from pipelines.stores.own import SPANS, STEP_MS, SqlOwn, read_mark

if TYPE_CHECKING:
    from detector.logs.lines import Origin
    from pipelines.flows.spans_record import Served, SpanColumns
    from pipelines.ingest.interning import Interner

__all__ = ["CountedStream", "Gained", "Taken", "Taking"]


class CountedStream(Protocol):
    """What is used of the embedded stream."""

    def has_room(self) -> bool:
        """Whether a batch would be taken now."""
        ...

    def count(self, counted: Counted, names: SeriesNames, rows: int) -> bool:
        """Spool and queue what was counted; False where there is no room."""
        ...

    def known(self, tenant: str) -> SeriesNames:
        """The names of a tenant's series."""
        ...


@dataclass(slots=True)
class Gained:
    """What rose by how much: own counters and series of the stream, by their ids."""

    own: dict[int, float] = field(default_factory=dict)
    rates: dict[int, float] = field(default_factory=dict)


class Taken:
    """One tenant. Who holds `lock` is alone with it, and with the ids of its series."""

    def __init__(self, tenant: str, names: Interner, own: OwnNames, taken: int, most: int) -> None:
        self.tenant, self.names, self.own = tenant, names, own
        self.taken, self.heard = taken, taken
        self.refused_rates = 0
        self._most = most
        self._rates: dict[Labels, int] = {}
        names.forgetting(self._forget)

    @property
    def lock(self) -> threading.RLock:
        """That of its names: doors for metrics hold it, too."""
        return self.names.lock

    def rise(
        self, gained: Gained, labels: Labels, origin: Origin, by: float, *, is_first: bool
    ) -> None:
        """A counter of our own rises."""
        id = self.own.id_of(labels, origin, self.taken, is_first=is_first)
        if id >= 0:
            gained.own[id] = gained.own.get(id, 0.0) + by

    def rate(self, gained: Gained, labels: Labels, by: float, *, is_first: bool) -> None:
        """A series of the stream gets a part of its next sample."""
        id = self.series(labels, SeriesKind.DELTA, is_first=is_first)
        if id >= 0:
            gained.rates[id] = gained.rates.get(id, 0.0) + by

    def series(self, labels: Labels, kind: SeriesKind, *, is_first: bool) -> int:
        """The id of a series of the stream, -1 where it gets none."""
        id = self._rates.get(labels)
        return self._named(labels, kind, is_first=is_first) if id is None else id

    def resume(self, taken: int, heard: int, series: Iterable[SeriesInfo]) -> None:
        """Go on from a time, and from when something came last; these series it has."""
        self.taken, self.heard = taken, heard
        for one in series:
            self.series(one.labels, one.kind, is_first=True)

    def _named(self, labels: Labels, kind: SeriesKind, *, is_first: bool) -> int:
        if len(self._rates) >= self._most + self._most // 4 * is_first:
            self.refused_rates += 1
            return -1
        id = self.names.id_of(labels, kind)
        if id >= 0:
            self._rates[labels] = id
        return id

    def _forget(self, is_gone: NDArray[np.bool_]) -> None:
        self._rates = {
            labels: id
            for labels, id in self._rates.items()
            if id >= len(is_gone) or not is_gone[id]
        }


class Taking:
    """The tenants of one part of the stream; safe for threads.

    `ticks` has to be called every second or so: without it time stands still while nothing comes.
    """

    def __init__(
        self,
        stream: CountedStream,
        database: Connections,
        part: str,
        *,
        counters: int,
        rates: int,
        clock: Callable[[], float],
        step_ms: int = STEP_MS,
    ) -> None:
        self.step_ms = step_ms
        self._stream, self._own, self._part = stream, SqlOwn(database), part
        self._parts = (part, part + SPANS)
        self._counters, self._most_rates, self._clock = counters, rates, clock
        self._tenants: dict[str, Taken] = {}
        self._lock = threading.Lock()
        for tenant in {tenant for of, tenant in self._own.parts() if of in self._parts}:
            self.of(tenant)

    def of(self, tenant: str) -> Taken:
        """A tenant, opened where it is not."""
        found = self._tenants.get(tenant)
        if found is None:
            with self._lock:
                found = self._tenants.get(tenant) or self._opened(tenant)
        return found

    @property
    def tenants(self) -> Mapping[str, Taken]:
        """Those that are open."""
        return dict(self._tenants)

    def has_room(self) -> bool:
        """Whether a batch would be taken now."""
        return self._stream.has_room()

    def begin(self, taken: Taken) -> int:
        """The time of a batch of a tenant, whose lock is held: it never goes back."""
        taken.taken = max(taken.taken, round(1000 * self._clock()))
        return taken.taken

    def put(
        self,
        taken: Taken,
        gained: Gained,
        *,
        lines: Lines | None = None,
        spans: SpanColumns | None = None,
        served: Served | None = None,
        read: tuple[str, int] | None = None,
        rows: int = 0,
    ) -> bool:
        """Spool what was counted of a batch; False where there is no room."""
        new, fresh = taken.own.fresh(), taken.names.fresh()
        counted = Counted(
            tenant=taken.tenant,
            taken=taken.taken,
            own=gains(gained.own),
            new_own=new,
            rates=gains(gained.rates),
            new=tuple(info for _, info in fresh),
            ids=np.array([id for id, _ in fresh], np.int32).tobytes(),
            lines=lines,
            spans=spans,
            served=served,
            read=read,
        )
        rows += len(gained.own) + len(gained.rates)
        if not self._stream.count(counted, taken.names, rows):
            return False
        taken.own.kept(len(new))
        if rows:
            taken.heard = taken.taken
        return True

    def read_to(self, tenant: str, source: str) -> int | None:
        """How far a source of lines was read, by what is written."""
        found = self._own.position(read_mark(self._part, tenant, source))
        return None if found < 0 else found

    def tick(self) -> None:
        """Tell what time it is, of tenants that were heard of lately and not in this step."""
        now = round(1000 * self._clock())
        for _, taken in sorted(self._tenants.items()):
            is_told = now // self.step_ms <= taken.taken // self.step_ms
            if is_told or now - taken.heard > QUIET_MS + self.step_ms:
                continue
            with taken.lock:
                self.begin(taken)
                self.put(taken, Gained())

    def _opened(self, tenant: str) -> Taken:
        from pipelines.ingest.interning import Interner

        names = self._stream.known(tenant)
        assert isinstance(names, Interner)
        known = self._own.series(self._part, tenant)
        frames = [self._own.newest(part, tenant) for part in self._parts]
        newest = max([*frames, *(one.seen for one in known)])
        own = OwnNames(known, most=self._counters)
        self._tenants[tenant] = Taken(tenant, names, own, newest, self._most_rates)
        return self._tenants[tenant]
