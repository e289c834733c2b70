"""Prometheus remote write 1.0: a request's bytes to columns. A known series decodes no label.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import SeriesInfo
from pipelines.ingest.decoded import (
    Decoded,
    Dropped,
    Refusal,
    Refused,
    Window,
    broken,
    joined,
    windowed,
)
from pipelines.ingest.families import Families
from pipelines.ingest.interning import AT_LIMIT, Interner
from pipelines.ingest.labels import NAME, Labels, LabelsError, block_of, labels_of
from pipelines.ingest.metadata import families_in
from pipelines.ingest.protobuf import BYTES, field
from pipelines.ingest.remembered import Learned
from pipelines.ingest.remote_write_histograms import NativeHistograms
from pipelines.ingest.remote_write_scan import Scanned, scan

__all__ = ["RemoteWrite"]

_BAD_LABELS = -2
_LABEL = 1
# Keys are only a memory of what was decoded: with so many per series one sender shuffles labels.
_KEYS_PER_SERIES = 2


class RemoteWrite:
    """The door of one tenant. Not for two threads at once."""

    def __init__(self, interner: Interner, known: Sequence[SeriesInfo] = ()) -> None:
        self.interner = interner
        self.families = Families()
        self._ids = interner.blocks()
        self._histograms = NativeHistograms(interner)
        self._kinds = {info.name: info.kind for info in known}

    def decode(self, body: bytes, window: Window) -> Decoded:
        """The samples of an unpacked body; `InputError` where it is no write request."""
        scanned = scan(body)
        if scanned is None:
            raise broken("the body is no protobuf of a remote write request")
        self._learn(body, scanned)
        refused = Refused()
        ids = self._ids_of(body, scanned, refused)
        columns = windowed(
            np.repeat(ids, scanned.samples), scanned.at, scanned.value, window, refused
        )
        if len(scanned.histograms):
            rows = partial(_block, body, scanned)
            native = self._histograms.columns(body, scanned.histograms, rows, window, refused)
            columns = joined((columns, native))
        dropped = {Dropped.EXEMPLARS: scanned.exemplars} if scanned.exemplars else {}
        return Decoded(columns=columns, refused=refused, dropped=dropped)

    def memory(self) -> bytes:
        """What was learned beside the series."""
        return Learned(families=self.families.known(), grown=self._histograms.grown()).packed()

    def recall(self, memory: bytes) -> None:
        """Go on from there: a series whose kind was found to be another gets its new id again."""
        learned = Learned.read(memory)
        self.families.learn(learned.families)
        self._histograms.regrow(learned.grown)
        if learned.families:
            self._ids = {block: id for block, id in self._ids.items() if self._is_right(block, id)}

    def _is_right(self, block: bytes, id: int) -> bool:
        name = dict(labels_of(block))[NAME]
        return self.families.of(name)[0] is self.interner.kind_of(id)

    def _ids_of(self, body: bytes, scanned: Scanned, refused: Refused) -> NDArray[np.int32]:
        """(S,) the id of each series, negative where it has none."""
        known = self._ids.get
        ids = [known(body[start:stop], AT_LIMIT) for start, stop in scanned.labels.tolist()]
        found = np.array(ids, dtype=np.int32)
        for row in np.flatnonzero((found < 0) & (scanned.samples > 0)).tolist():
            found[row] = self._id_of(body, scanned, row, refused)
        return found

    def _id_of(self, body: bytes, scanned: Scanned, row: int, refused: Refused) -> int:
        """The id of a series whose labels were not seen as they lie there."""
        samples = int(scanned.samples[row])
        block = _block(body, scanned, row)
        found = self._ids.get(block)
        if found is not None:
            return found
        try:
            labels = labels_of(block)
        except LabelsError as error:
            refused.add(Refusal.LABELS, samples, str(error))
            return _BAD_LABELS
        found = self._interned(labels)
        if found == AT_LIMIT:
            refused.add(Refusal.SERIES_LIMIT, samples, self.interner.limit_words)
        else:
            self._remember(block, found)
        return found

    def _interned(self, labels: Labels) -> int:
        name = dict(labels)[NAME]
        kind, unit = self.families.of(name)
        self._kinds[name] = kind
        return self.interner.id_of(labels, kind, unit)

    def _remember(self, block: bytes, id: int) -> None:
        if len(self._ids) >= _KEYS_PER_SERIES * self.interner.limit:
            self._ids.clear()
        self._ids[block] = id

    def _learn(self, body: bytes, scanned: Scanned) -> None:
        """Series whose kind was guessed wrong get another id, with the right kind."""
        if not len(scanned.metadata):
            return
        told = self.families.learn(families_in(body, scanned.metadata))
        wrong = [
            name
            for name in told
            if name in self._kinds and self._kinds[name] is not self.families.of(name)[0]
        ]
        if wrong:
            marks = [block_of(((NAME, name),)) for name in wrong]
            self._ids = {
                block: id
                for block, id in self._ids.items()
                if not any(mark in block for mark in marks)
            }


def _block(body: bytes, scanned: Scanned, row: int) -> bytes:
    """The labels of a series, brought together where other fields lie between them."""
    start, stop = scanned.labels[row].tolist()
    if not scanned.apart[row]:
        return body[start:stop]
    data, parts = np.frombuffer(body, dtype=np.uint8), []
    while start < stop:
        number, wire, _, after = field(data, start, stop)
        if number == _LABEL and wire == BYTES:
            parts.append(body[start:after])
        start = after
    return b"".join(parts)
