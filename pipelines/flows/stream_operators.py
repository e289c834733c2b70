"""The operators of all tenants of one part of the stream, whatever brings their samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detector.stream.anomaly import Happened
from detector.stream.columns import Columns, SeriesInfo
from detector.stream.feedback import Feedback, Tuning, told
from detector.stream.introducing import introduced
from detector.stream.operator import step
from detector.stream.scorer import ModelScorer
from detector.stream.settings import StreamSettings
from detector.stream.snapshot import restored, taken
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from detector.stream.suppression import Window
from models.anomaly.scored import Settings
from pipelines.stores.checkpoints import TenantHeld

__all__ = ["Operators"]


class Operators:
    """State by tenant, and the series of each in id order; for one thread."""

    def __init__(
        self, *, owners: Owners, settings: StreamSettings, windows: Sequence[Window] = ()
    ) -> None:
        self._owners, self._settings, self._windows = owners, settings, tuple(windows)
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

    def held(self) -> dict[str, TenantHeld]:
        """All that is to be kept; its arrays may be views, so write them before the next step."""
        return {
            tenant: TenantHeld(arrays=taken(state), series=self.series[tenant])
            for tenant, state in self._states.items()
        }

    def introduce(self, tenant: str, new: Sequence[SeriesInfo]) -> None:
        """New series, in the order of their ids; before their samples."""
        if new:
            state = self._state(tenant)
            self.series[tenant].extend(new)
            self._states[tenant] = introduced(state, new, self._owners)

    def samples(self, tenant: str, columns: Columns) -> tuple[Happened, ...]:
        """Judge samples of series that were introduced; what happened."""
        self._states[tenant], happened = step(self._state(tenant), columns)
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
            self._states[tenant] = StreamState(
                tenant=tenant,
                scorer=ModelScorer(self._models()),
                settings=self._settings,
                windows=self._windows,
            )
        return self._states[tenant]

    def _models(self) -> Settings:
        return Settings(quiet_s=self._settings.quiet_s)
