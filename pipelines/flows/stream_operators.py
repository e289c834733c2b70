"""The operators of all tenants of one part of the stream, whatever brings their samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from detector.fitted.telling import named as named_metrics
from detector.gate.course import Streamed, untold
from detector.signals.plan import Plan
from detector.stream.anomaly import AnomalyKind, Happened
from detector.stream.answering import streamed
from detector.stream.columns import Columns, SeriesInfo
from detector.stream.counting import Counting
from detector.stream.feedback import Feedback, Tuning, still_meant, told
from detector.stream.introducing import introduced
from detector.stream.operator import HOUR_MS, placed, step
from detector.stream.scorer import ModelScorer
from detector.stream.scoring import Arrays
from detector.stream.settings import StreamSettings
from detector.stream.snapshot import restored, taken
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from detector.stream.suppression import Window
from detector.stream.tallies import Tallies, is_counted_alike, restored_tallies
from detector.stream.traced import TraceWhy
from detector.stream.tracks import GONE
from models.anomaly.scored import Settings
from models.baseline.calendar import kept_calendar
from pipelines.flows.stream_services import Services, has_models
from pipelines.ingest.decoded import joined
from pipelines.stores.checkpoints import TenantHeld

if TYPE_CHECKING:
    from detector.fitted.model import FittedModel
    from pipelines.ingest.interning import Interner

__all__ = ["CELLS", "Operators"]

# Sums over the pods of services that are kept for half hours: some 1,400 services, 54 MB.
CELLS = 20_000
# Until a door says how many a tenant may have.
_MOST_SERIES = 2**31 - 1
# An array that is there where labels are kept as arrays.
LABELS = "label.schema"


class Operators:
    """State by tenant, and the names of its series; for one thread.

    `origin` is the part, where several have series of one service. With `counting` what services
    counted is kept for the gate, in at most `cells` sums a tenant.

    What is judged again after a death is judged by the calendar that it was judged by at first,
    whatever is told of days and clocks since: `renew` goes over to that, at a checkpoint.
    """

    def __init__(
        self,
        *,
        owners: Owners,
        settings: StreamSettings,
        windows: Sequence[Window] = (),
        counting: Counting | None = None,
        cells: int = CELLS,
        origin: str = "",
    ) -> None:
        self._owners, self._settings, self._windows = owners, settings, tuple(windows)
        self._counting, self._cells, self._origin = counting, cells, origin
        self._tallies: dict[str, Tallies] = {}
        self._states: dict[str, StreamState] = {}
        self._scorers: dict[str, ModelScorer] = {}
        self._calendar = settings.calendar
        self._names: dict[str, Interner] = {}
        self.services = Services(settings, windows, origin)

    def names(self, tenant: str) -> Interner:
        """The labels of a tenant's series by their ids: those who give ids share them."""
        found = self._names.get(tenant)
        if found is None:
            # Its compiler is loaded for who has samples.
            from pipelines.ingest.interning import Interner

            found = self._names.setdefault(tenant, Interner(limit=_MOST_SERIES))
        return found

    def restore(self, tenants: Mapping[str, TenantHeld]) -> None:
        """Go on from what was held, in place of what is."""
        kept = (kept_calendar(one.arrays) for one in tenants.values())
        self._calendar = next(filter(None, kept), self._settings.calendar)
        self._scorers = {}
        self._states = {
            tenant: restored(
                one.arrays,
                tenant=tenant,
                settings=self.services.of_series(has_models=has_models(one.arrays)),
                windows=self._windows,
                origin=self._origin,
                scorer=partial(self._scorer, tenant),
            )
            for tenant, one in tenants.items()
        }
        self._names = {tenant: self._restored_names(tenant, tenants[tenant]) for tenant in tenants}
        self._tallies = {}
        if self._counting is not None:
            self._tallies = {
                tenant: self._restored_tallies(self._counting, tenant, one.arrays)
                for tenant, one in tenants.items()
            }
        held = {tenant: one.arrays for tenant, one in tenants.items()}
        self.services.restore(held, self._names)

    def _restored_names(self, tenant: str, held: TenantHeld) -> Interner:
        """Those of the state, whatever was named after it."""
        from pipelines.ingest.interning import Interner

        names = Interner(held.series, limit=_MOST_SERIES)
        if LABELS in held.arrays:
            names = Interner.of_arrays(held.arrays, limit=_MOST_SERIES)
        names.restrict(self._states[tenant].tracks["heard"] != GONE)
        return names

    def _restored_tallies(self, counting: Counting, tenant: str, arrays: Arrays) -> Tallies:
        names = self._names[tenant]
        ids = [] if is_counted_alike(arrays, counting) else names.of_metrics(counting.metrics)
        series = [names[id] for id in ids]
        return restored_tallies(arrays, series, ids, counting=counting, most=self._cells)

    @property
    def is_to_renew(self) -> bool:
        """Whether other days or clocks were told than it judges by."""
        told, used = self._settings.calendar.to_arrays(), self._calendar.to_arrays()
        return any(not np.array_equal(told[name], used[name]) for name in told)

    def renew(self) -> None:
        """Judge by the calendar that was told, once what was `held` is kept."""
        self._calendar = self._settings.calendar
        for scorer in self._scorers.values():
            scorer.go_by(self.models())

    def held(self) -> dict[str, TenantHeld]:
        """All that is to be kept; its arrays may be views, so write them before the next step.

        With the calendar that was told: once it is kept, `renew`.
        """
        return {
            tenant: TenantHeld(arrays=self._arrays(tenant, state))
            for tenant, state in self._states.items()
        }

    def _arrays(self, tenant: str, state: StreamState) -> Arrays:
        tallies = self._tallies.get(tenant)
        counted = {} if tallies is None else tallies.to_arrays()
        calendar = self._settings.calendar.to_arrays()
        named, services = self.names(tenant).to_arrays(), self.services.arrays(tenant)
        return {**taken(state), **counted, **calendar, **named, **services}

    def use(self, model: FittedModel) -> None:
        """Judge a service by this model from now on, beside its series; `ValueError` if broken."""
        tenant = model.scope.tenant
        state = self._state(tenant)
        self.services.use(model, self.names(tenant), state.watermark)
        state.settings = self.services.of_series(has_models=True)
        state.share()

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """What is known of a plan's service up to a time (unix seconds)."""
        tallies = self._tallies.get(tenant)
        if tallies is None:
            return untold(plan, "nothing is pushed to it")
        return streamed(tallies, self.names(tenant), plan, until=until)

    def introduce(
        self,
        tenant: str,
        new: Sequence[SeriesInfo],
        ids: Sequence[int] | None = None,
        *,
        are_named: bool = False,
    ) -> None:
        """New series, before their samples; without `ids` they have the next ones.

        `are_named`: who gave the ids did it by `names`, so that they are there.
        """
        if not new:
            return
        state, names = self._state(tenant), self.names(tenant)
        if ids is None:
            ids = range(state.tracks.size, state.tracks.size + len(new))
        if not are_named:
            for id, info in zip(ids, new, strict=True):
                names.place(id, info)
        self._states[tenant] = introduced(state, new, self._owners, ids)
        if tenant in self._tallies:
            self._tallies[tenant].introduce(new, ids)
        self.services.introduce(tenant, new, ids)

    def release(self, tenant: str) -> bool:
        """Give away the ids of series that are forgotten; whether there were any.

        Only while nothing that was read before is to be judged yet: it means those series by them.
        """
        state = self._states.get(tenant)
        if state is None or not state.gone:
            return False
        rows = np.unique(np.concatenate(state.gone))
        state.gone.clear()
        self.names(tenant).free(rows[state.tracks["heard"][rows] == GONE])
        return True

    def release_all(self) -> None:
        """`release` of every tenant."""
        for tenant in self.has_gone():
            self.release(tenant)

    def has_gone(self) -> list[str]:
        """Tenants with series that are forgotten and have their ids still."""
        return [tenant for tenant, state in self._states.items() if state.gone]

    def counts(self) -> dict[str, tuple[int, int]]:
        """By tenant, how many series had samples lately, and how many were forgotten."""
        states = list(self._states.items())
        return {tenant: (state.live, state.forgotten) for tenant, state in states}

    def samples(self, tenant: str, columns: Columns) -> tuple[Happened, ...]:
        """Judge samples of series that were introduced; what happened."""
        state = self._state(tenant)
        if tenant in self._tallies:
            self._tallies[tenant].take(columns)
        self._states[tenant], happened = step(state, columns)
        return (*happened, *self.services.take(tenant, columns))

    def is_steady(self, tenant: str, columns: Columns) -> bool:
        """Whether these samples may be judged with others of their tenant, in one step.

        Series are forgotten at whole hours, and their ids given away behind the message that began
        one. What a service's model says of a message stands behind what its series say.
        """
        state = self._states.get(tenant)
        if state is None or state.gone or self.services.judges(tenant):
            return False
        newest = int(columns.at.max(initial=state.watermark))
        return newest // HOUR_MS == state.watermark // HOUR_MS

    def samples_together(
        self, tenant: str, parts: Sequence[Columns]
    ) -> Sequence[Sequence[Happened]]:
        """As `samples` of one after the other, all of them steady; by part what happened."""
        columns = joined(tuple(parts))
        # As those of a message are: for others all loops would be compiled a second time.
        columns.at.flags.writeable = columns.value.flags.writeable = False
        if tenant in self._tallies:
            self._tallies[tenant].take(columns)
        self._states[tenant], found = placed(self._state(tenant), columns)
        ends = np.cumsum([len(part) for part in parts])
        happened: list[list[Happened]] = [[] for _ in parts]
        for place, one in found:
            happened[int(np.searchsorted(ends, place, side="right"))].append(one)
        return happened

    def said(
        self, tenant: str, feedback: Feedback
    ) -> tuple[tuple[Happened, ...], tuple[Tuning, ...]]:
        """Apply what a person said; what happened, and what the series need since.

        Of series that are forgotten, or whose ids others have by now, it says nothing.
        """
        if feedback.series and feedback.series[0] < 0:
            return self.services.said(tenant, feedback)
        names = self.names(tenant)
        feedback = still_meant(feedback, names.get)
        self._states[tenant], happened, tunings = told(self._state(tenant), feedback)
        return happened, tuple(tunings)

    def named(self, happened: Happened) -> dict[int, SeriesInfo]:
        """The series of an anomaly by their ids."""
        if happened.anomaly.kind is AnomalyKind.SERVICE:
            return named_metrics(happened.anomaly)
        known = self.names(happened.anomaly.tenant)
        return {one.series: known[one.series] for one in happened.anomaly.contributions}

    def lead(self, metric: str) -> TraceWhy | None:
        """Which requests show best why a metric moved; None where it is none of requests."""
        return self._owners.lead(metric)

    def open(self) -> int:
        """How many anomalies last."""
        return sum(len(state.open) for state in self._states.values()) + self.services.open()

    def _state(self, tenant: str) -> StreamState:
        if tenant not in self._states:
            if self._counting is not None:
                self._tallies[tenant] = Tallies(counting=self._counting, most=self._cells)
            self._states[tenant] = StreamState(
                tenant=tenant,
                scorer=self._scorer(tenant),
                settings=self._settings,
                windows=self._windows,
                origin=self._origin,
            )
        return self._states[tenant]

    def models(self) -> Settings:
        """What the models of every tenant go by."""
        return Settings(calendar=self._calendar, quiet_s=self._settings.quiet_s)

    def _scorer(self, tenant: str, arrays: Arrays | None = None) -> ModelScorer:
        return self._scorers.setdefault(tenant, ModelScorer(self.models(), arrays))
