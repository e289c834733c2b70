"""What fitted models need from outside: somewhere to be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from detector.fitted.model import FittedModel
from detector.gate.aa import Scope

__all__ = ["FittedStore"]


class FittedStore(Protocol):
    """Versions of the models of services; every method raises `StoreError` when it fails."""

    def save(self, model: FittedModel) -> FittedModel:
        """Keep it durably under the next version of its service; the model with that version.

        `ConflictError` where another process kept one of that service at the same moment.
        """
        ...

    def current(self, scope: Scope, *, until: float) -> FittedModel | None:
        """The newest of a service that was promoted by `until`; None before the first."""
        ...

    def in_use(self, known: Mapping[Scope, int]) -> Iterator[FittedModel]:
        """The newest that was promoted of each service, but for those whose version is known."""
        ...

    def versions(self, scope: Scope, *, limit: int) -> Sequence[FittedModel]:
        """The newest of a service, promoted or not, newest first."""
        ...
