"""Ports of the stream: where doors put samples, and how series keep their ids over a restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detector.stream.columns import Columns, SeriesInfo
from detector.stream.record import AnomalyFilter, AnomalyPage, KeptAnomaly, KeptFeedback

__all__ = ["AnomalyStore", "SampleSink", "SeriesNames"]


class SeriesNames(Protocol):
    """The interner of one tenant, as a sink sees it: ids are dense, and never given anew."""

    def since(self, first: int) -> Sequence[SeriesInfo]:
        """The series of the ids from `first` on, in id order; safe for threads."""
        ...


class SampleSink(Protocol):
    """Where a door puts what it decoded; safe for threads, never waits for room."""

    def put(
        self, tenant: str, columns: Columns, names: SeriesNames, *, read_to: int | None = None
    ) -> bool:
        """Take all of a batch, or (False) nothing of it: there is no room, it is to come again.

        `read_to`: with it all is here that a source has up to then, in unix milliseconds.

        True promises that the batch is counted exactly once even if the process dies right after
        (see docs/stream.md). The sink asks `names` for those series that it has not kept yet: so a
        refused batch loses no series, and the order in which doors get here does not matter.
        Raises `StoreError` where nothing can be kept at all.
        """
        ...

    def known(self, tenant: str) -> Sequence[SeriesInfo]:
        """All series of a tenant kept so far, in id order: an interner begins with them."""
        ...

    def read_to(self, tenant: str) -> int | None:
        """The last `read_to` of a tenant that was taken, also by a process that died."""
        ...


class AnomalyStore(Protocol):
    """Anomalies as they were last told; every method raises `StoreError` when the store fails."""

    def get(self, tenant: str, id: str) -> KeptAnomaly:
        """By id; `NotFoundError`."""
        ...

    def list(self, wanted: AnomalyFilter) -> AnomalyPage:
        """Newest first, one page; `InputError` for a cursor that is none."""
        ...

    def say(self, anomaly: str, feedback: KeptFeedback) -> None:
        """Keep what a person said, durably."""
        ...
