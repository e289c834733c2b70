"""Our own counters as a source with the history of the contract: a frame at each of its times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelines.sources.memory import MemorySource
from pipelines.sources.open import Source
from pipelines.sources.own import OwnSource
from pipelines.sources.own_joined import joined
from pipelines.stores.own import Frame, OwnSeries, SqlOwn, add_frame, add_series
from pipelines.stores.sqlite import Database
from tests.pipelines.sources.history import HISTORY, NAMES, Recorded

__all__ = ["halved", "owned", "remembered_own"]

OF_MEMORY = frozenset(NAMES[::2])


def owned(folder: Path, history: Sequence[Recorded] = tuple(HISTORY)) -> SqlOwn:
    """The history in a database."""
    database = Database(folder / "stream.db")
    samples: dict[int, dict[int, float]] = {}
    with database.write() as transaction:
        for id, one in enumerate(history):
            at = np.round(1000 * one.times).astype(np.int64).tolist()
            kept = OwnSeries(id=id, owner=id, labels=_labels(one.labels), born=at[0], seen=at[-1])
            add_series(transaction, "local", "default", kept)
            for time, value in zip(at, one.values.tolist(), strict=True):
                samples.setdefault(time, {})[id] = value
        for time, values in samples.items():
            ids, of = np.array(list(values), np.int32), np.array(list(values.values()))
            frame = Frame(at=time, whole=True, ids=ids, values=of)
            add_frame(transaction, "local", "default", frame)
    return SqlOwn(database)


def remembered_own(folder: Path, history: Sequence[Recorded] = tuple(HISTORY)) -> OwnSource:
    """The history as a source."""
    kept = owned(folder, history)
    return OwnSource(lambda: kept)


def halved(folder: Path) -> Source:
    """Every other family is our own, the others are in another source."""
    memory = MemorySource()
    ours = [one for one in HISTORY if one.labels["__name__"] not in OF_MEMORY]
    for one in HISTORY:
        if one.labels["__name__"] in OF_MEMORY:
            memory.add(one.labels, one.times, one.values)
    return joined(memory, remembered_own(folder, ours))


def _labels(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    rest = sorted((name, value) for name, value in labels.items() if name != "__name__")
    return (("__name__", labels["__name__"]), *rest)
