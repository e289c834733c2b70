"""Ports of the stream: where doors put samples, and how series keep their ids over a restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detector.stream.columns import Columns, SeriesInfo
from detector.stream.record import AnomalyFilter, AnomalyPage, KeptAnomaly, KeptFeedback

__all__ = ["AnomalyStore", "SampleSink", "SeriesNames"]


class SeriesNames(Protocol):
    """The interner of one tenant, as a sink sees it; safe for threads.

    Ids are dense, and given anew once their series are forgotten.
    """

    def __getitem__(self, id: int) -> SeriesInfo:
        """The series that has an id; `KeyError` where none has."""
        ...

    def fresh(self) -> Sequence[tuple[int, SeriesInfo]]:
        """Series that no sink has kept yet, with their ids, in the order in which they got them."""
        ...

    def kept(self, count: int) -> None:
        """The sink has kept so many of those."""
        ...


class SampleSink(Protocol):
    """Where a door puts what it decoded; safe for threads, never waits for room."""

    def put(
        self, tenant: str, columns: Columns, names: SeriesNames, *, read_to: int | None = None
    ) -> bool:
        """Take all of a batch, or (False) nothing of it: there is no room, it is to come again.

        `read_to`: with it all is here that a source has up to then, in unix milliseconds.

        True promises that the batch is counted exactly once even if the process dies right after
        (see docs/stream.md). The sink asks `names` for those series that are not kept yet: so a
        refused batch loses no series. A door lets nobody else ask for ids from when it read the
        batch until it is put: so an id means in the batch what it means here.
        Raises `StoreError` where nothing can be kept at all.
        """
        ...

    def known(self, tenant: str) -> SeriesNames | None:
        """The names that a tenant's series have here: doors go on with these, if there are any."""
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
