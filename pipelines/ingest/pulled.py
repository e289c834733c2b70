"""Samples that a source was asked for, as columns: the door of those who cannot push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.series import Answer, Series
from pipelines.ingest.decoded import Decoded, Refusal, Refused, Window, windowed
from pipelines.ingest.families import Families
from pipelines.ingest.interning import AT_LIMIT, Interner
from pipelines.ingest.labels import NAME, LabelsError, checked

__all__ = ["Pulled"]

_BAD_LABELS = -2


class Pulled:
    """The door of one tenant. Not for two threads at once."""

    def __init__(self, interner: Interner) -> None:
        self.interner = interner
        self._families = Families()
        self._ids: dict[tuple[tuple[str, str], ...], int] = {}
        interner.forgetting(self._forget)

    def _forget(self, is_gone: NDArray[np.bool_]) -> None:
        self._ids = {key: id for key, id in self._ids.items() if not is_gone[id]}

    def columns(self, answers: Sequence[Answer], window: Window) -> Decoded:
        """The samples of all answers; their kinds are those that the names promise.

        A series that several selectors select is taken once.
        """
        refused = Refused()
        series = list(_once(answers))
        ids = [self._id_of(one, refused) for one in series]
        times = np.concatenate([one.times for one in series] or [np.zeros(0)])
        columns = windowed(
            np.repeat(np.array(ids, dtype=np.int32), [len(one.times) for one in series]),
            np.rint(1000.0 * times).astype(np.int64),
            np.concatenate([one.values for one in series] or [np.zeros(0)]),
            window,
            refused,
        )
        return Decoded(columns=columns, refused=refused)

    def _id_of(self, series: Series, refused: Refused) -> int:
        key = _key(series.labels)
        found = self._ids.get(key)
        if found is not None:
            return found
        try:
            labels = checked(key)
        except LabelsError as error:
            refused.add(Refusal.LABELS, len(series.times), str(error))
            return _BAD_LABELS
        kind, unit = self._families.of(dict(labels)[NAME])
        found = self.interner.id_of(labels, kind, unit)
        if found == AT_LIMIT:
            refused.add(Refusal.SERIES_LIMIT, len(series.times), self.interner.limit_words)
        else:
            self._ids[key] = found
        return found


def _once(answers: Sequence[Answer]) -> Iterator[Series]:
    """Each series that has samples, from the first answer that has it."""
    seen = set[tuple[tuple[str, str], ...]]()
    for answer in answers:
        fresh = [(_key(one.labels), one) for one in answer.series if len(one.times)]
        yield from (one for key, one in fresh if key not in seen)
        seen.update(key for key, _ in fresh)


def _key(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))
