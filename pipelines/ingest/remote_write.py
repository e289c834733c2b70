"""Prometheus remote write 1.0: a request's bytes to columns. A known series decodes no label.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import SeriesKind
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
from pipelines.ingest.families import Families, suffixed
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

    def __init__(self, interner: Interner) -> None:
        self.interner = interner
        self.families = Families()
        # Of labels that do not lie in the order in which they are held, as only few senders do it.
        self._ids: dict[bytes, int] = {}
        self._histograms = NativeHistograms(interner)
        interner.forgetting(self._forget)

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
        self._tell(suffixed(family.name for family in learned.families))

    def _ids_of(self, body: bytes, scanned: Scanned, refused: Refused) -> NDArray[np.int32]:
        """(S,) the id of each series, negative where it has none."""
        found = self.interner.find(body, scanned.labels)
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
            self._remember(block, labels, found)
        return found

    def _interned(self, labels: Labels) -> int:
        name = dict(labels)[NAME]
        kind, unit = self.families.of(name)
        id = self.interner.id_of(labels, kind, unit)
        if id != AT_LIMIT:
            self.interner.mean(name, kind)
        return id

    def _remember(self, block: bytes, labels: Labels, id: int) -> None:
        if block == block_of(labels):
            return
        if len(self._ids) >= _KEYS_PER_SERIES * self.interner.limit:
            self._ids.clear()
        self._ids[block] = id

    def _learn(self, body: bytes, scanned: Scanned) -> None:
        """Series whose kind was guessed wrong get another id, with the right kind."""
        if not len(scanned.metadata):
            return
        self._tell(self.families.learn(families_in(body, scanned.metadata)))

    def _tell(self, names: Iterable[str]) -> None:
        """What the series of these names are is now as the families say."""
        wrong = [
            name for name in names if self.interner.meant(name) not in {None, self._kind(name)}
        ]
        for name in wrong:
            self.interner.mean(name, self._kind(name))
        if wrong:
            self._ids.clear()

    def _kind(self, name: str) -> SeriesKind:
        return self.families.of(name)[0]

    def _forget(self, is_gone: NDArray[np.bool_]) -> None:
        self._ids = {block: id for block, id in self._ids.items() if not is_gone[id]}


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
