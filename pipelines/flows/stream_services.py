"""The services of all tenants of one part of the stream that fitted models judge live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from detector.stream.anomaly import Happened
from detector.stream.columns import Columns, SeriesInfo
from detector.stream.feedback import Feedback, Tuning
from detector.stream.scoring import Arrays
from detector.stream.settings import StreamSettings
from detector.stream.suppression import Window

if TYPE_CHECKING:
    from detector.fitted.model import FittedModel
    from detector.fitted.together import Together
    from detector.gate.aa import Scope
    from pipelines.ingest.interning import Interner

__all__ = ["PART", "Services", "has_models"]

# Of the false alarms that a tenant accepts, so many are for services that have models.
PART = 0.25
_OWN = "services."


class Services:
    """For one thread. What models need is loaded for who has models."""

    def __init__(self, settings: StreamSettings, windows: Sequence[Window], origin: str) -> None:
        self._settings, self._windows, self._origin = settings, tuple(windows), origin
        self._of: dict[str, Together] = {}

    def of_series(self, *, has_models: bool) -> StreamSettings:
        """What series go by: they share the false alarms that services may not bring."""
        if not has_models:
            return self._settings
        alarms = (1.0 - PART) * self._settings.alarms_a_week
        return replace(self._settings, alarms_a_week=alarms)

    def restore(self, tenants: Mapping[str, Arrays], names: Mapping[str, Interner]) -> None:
        """Go on from what was held, in place of what is."""
        self._of = {}
        for tenant, arrays in tenants.items():
            own = _own(arrays)
            if own:
                from detector.fitted.kept import taken_up

                self._of[tenant] = taken_up(
                    own,
                    tenant=tenant,
                    settings=self._of_services(),
                    windows=self._windows,
                    origin=self._origin,
                    named=names[tenant].get,
                )

    def arrays(self, tenant: str) -> dict[str, NDArray[Any]]:
        """What a checkpoint is to hold."""
        if tenant not in self._of:
            return {}
        from detector.fitted.kept import kept

        return {_OWN + name: array for name, array in kept(self._of[tenant]).items()}

    def use(self, model: FittedModel, names: Interner, watermark: int) -> None:
        """Judge a service by this model from now on; `ValueError` where it is not whole."""
        from detector.fitted.together import Together

        tenant = model.scope.tenant
        made = self._of.get(tenant) or Together(
            tenant, self._of_services(), self._windows, origin=self._origin, watermark=watermark
        )
        found = made.use(model)
        self._of[tenant] = made
        if found is not None:
            number, metrics = found
            _show(made, number, names.of_metrics(metrics), names.get)

    def versions(self) -> dict[Scope, int]:
        """By service, the version of the model that it is judged by."""
        units = (unit for made in list(self._of.values()) for unit in list(made.units))
        return {unit.fitted.scope: unit.fitted.version for unit in units}

    def judges(self, tenant: str) -> bool:
        """Whether a tenant has services with models."""
        return tenant in self._of

    def introduce(self, tenant: str, new: Sequence[SeriesInfo], ids: Sequence[int]) -> None:
        """New series, before their samples."""
        if tenant in self._of:
            self._of[tenant].introduce(new, ids)

    def take(self, tenant: str, columns: Columns) -> tuple[Happened, ...]:
        """Samples of series; what happened to services."""
        made = self._of.get(tenant)
        return () if made is None else made.take(columns)

    def said(
        self, tenant: str, feedback: Feedback
    ) -> tuple[tuple[Happened, ...], tuple[Tuning, ...]]:
        """Apply what a person said of an anomaly of a service."""
        made = self._of.get(tenant)
        return ((), ()) if made is None else made.said(feedback)

    def open(self) -> int:
        """How many of their anomalies last."""
        return sum(len(made.state.open) for made in self._of.values())

    def _of_services(self) -> StreamSettings:
        return replace(self._settings, alarms_a_week=PART * self._settings.alarms_a_week)


def has_models(arrays: Arrays) -> bool:
    """Whether a checkpoint has models of services."""
    return any(name.startswith(_OWN) for name in arrays)


def _own(arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {n.removeprefix(_OWN): one for n, one in arrays.items() if n.startswith(_OWN)}


def _show(
    made: Together, number: int, ids: Sequence[int], named: Callable[[int], SeriesInfo | None]
) -> None:
    """The series that are there already."""
    for id in ids:
        info = named(id)
        if info is not None:
            made.introduce([info], [id], unit=number)
