"""The operators of all tenants of one part of the stream, whatever brings their samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detector.gate.course import Streamed, untold
from detector.signals.plan import Plan
from detector.stream.anomaly import Happened
from detector.stream.answering import streamed
from detector.stream.columns import Columns, SeriesInfo
from detector.stream.counting import Counting
from detector.stream.feedback import Feedback, Tuning, told
from detector.stream.introducing import introduced
from detector.stream.operator import step
from detector.stream.scorer import ModelScorer
from detector.stream.scoring import Arrays
from detector.stream.settings import StreamSettings
from detector.stream.snapshot import restored, taken
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from detector.stream.suppression import Window
from detector.stream.tallies import Tallies, restored_tallies
from models.anomaly.scored import Settings
from pipelines.stores.checkpoints import TenantHeld

__all__ = ["CELLS", "Operators"]

# Sums over the pods of services that are kept for half hours: some 1,400 services, 54 MB.
CELLS = 20_000


class Operators:
    """State by tenant, and the series of each in id order; for one thread.

    With `counting` what services counted is kept for the gate, in at most `cells` sums a tenant.
    """

    def __init__(
        self,
        *,
        owners: Owners,
        settings: StreamSettings,
        windows: Sequence[Window] = (),
        counting: Counting | None = None,
        cells: int = CELLS,
    ) -> None:
        self._owners, self._settings, self._windows = owners, settings, tuple(windows)
        self._counting, self._cells = counting, cells
        self._tallies: dict[str, Tallies] = {}
        self._states: dict[str, StreamState] = {}
        self.series: dict[str, list[SeriesInfo]] = {}

    def restore(self, tenants: Mapping[str, TenantHeld]) -> None:
        """Go on from what was held, in place of what is."""
        self.series = {tenant: list(one.series) for tenant, one in tenants.items()}
        self._states = {
            tenant: restored(
                one.arrays,
                tenant=tenant,
                settings=self._settings,
                windows=self._windows,
                scorer=lambda arrays: ModelScorer(self._models(), arrays),
            )
            for tenant, one in tenants.items()
        }
        self._tallies = {}
        if self._counting is not None:
            self._tallies = {
                tenant: restored_tallies(
                    one.arrays, one.series, counting=self._counting, most=self._cells
                )
                for tenant, one in tenants.items()
            }

    def held(self) -> dict[str, TenantHeld]:
        """All that is to be kept; its arrays may be views, so write them before the next step."""
        return {
            tenant: TenantHeld(arrays=self._arrays(tenant, state), series=self.series[tenant])
            for tenant, state in self._states.items()
        }

    def _arrays(self, tenant: str, state: StreamState) -> Arrays:
        tallies = self._tallies.get(tenant)
        return taken(state) if tallies is None else {**taken(state), **tallies.to_arrays()}

    def told(self, tenant: str, plan: Plan, *, until: float) -> Streamed:
        """What is known of a plan's service up to a time (unix seconds)."""
        tallies = self._tallies.get(tenant)
        if tallies is None:
            return untold(plan, "nothing is pushed to it")
        return streamed(tallies, self.series[tenant], plan, until=until)

    def introduce(self, tenant: str, new: Sequence[SeriesInfo]) -> None:
        """New series, in the order of their ids; before their samples."""
        if new:
            state = self._state(tenant)
            self.series[tenant].extend(new)
            self._states[tenant] = introduced(state, new, self._owners)
            if tenant in self._tallies:
                self._tallies[tenant].introduce(new)

    def samples(self, tenant: str, columns: Columns) -> tuple[Happened, ...]:
        """Judge samples of series that were introduced; what happened."""
        state = self._state(tenant)
        if tenant in self._tallies:
            self._tallies[tenant].take(columns)
        self._states[tenant], happened = step(state, columns)
        return happened

    def said(
        self, tenant: str, feedback: Feedback
    ) -> tuple[tuple[Happened, ...], tuple[Tuning, ...]]:
        """Apply what a person said; what happened, and what the series need since."""
        self._states[tenant], happened, tunings = told(self._state(tenant), feedback)
        return happened, tuple(tunings)

    def named(self, happened: Happened) -> dict[int, SeriesInfo]:
        """The series of an anomaly by their ids."""
        known = self.series[happened.anomaly.tenant]
        return {one.series: known[one.series] for one in happened.anomaly.contributions}

    def open(self) -> int:
        """How many anomalies last."""
        return sum(len(state.open) for state in self._states.values())

    def _state(self, tenant: str) -> StreamState:
        if tenant not in self._states:
            self.series[tenant] = []
            if self._counting is not None:
                self._tallies[tenant] = Tallies(counting=self._counting, most=self._cells)
            self._states[tenant] = StreamState(
                tenant=tenant,
                scorer=ModelScorer(self._models()),
                settings=self._settings,
                windows=self._windows,
            )
        return self._states[tenant]

    def _models(self) -> Settings:
        return Settings(calendar=self._settings.calendar, quiet_s=self._settings.quiet_s)
