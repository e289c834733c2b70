"""The series of native histograms that remote write brings, with their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import STALE, Columns, SeriesKind, is_stale
from pipelines.ingest.decoded import Refusal, Refused, Window, in_window
from pipelines.ingest.exponential import Powers, bound_text, grown, regrown
from pipelines.ingest.interning import AT_LIMIT, Interner
from pipelines.ingest.labels import NAME, LabelsError, checked, labels_of
from pipelines.ingest.native import Native, NativeError, native_of
from pipelines.ingest.remembered import Grown

__all__ = ["NativeHistograms"]

_Ids = NDArray[np.int32]
_Samples = tuple[_Ids, int, NDArray[np.float64]]
_MOST_KEYS = 100_000


class NativeHistograms:
    """What was seen of the native histograms of one tenant. Not for two threads at once."""

    def __init__(self, interner: Interner) -> None:
        self.interner = interner
        self._powers: dict[tuple[bytes | int, ...], Powers] = {}
        self._ids: dict[tuple[bytes, SeriesKind, bytes], _Ids] = {}
        interner.forgetting(self._forget)

    def _forget(self, is_gone: NDArray[np.bool_]) -> None:
        self._ids = {key: ids for key, ids in self._ids.items() if not is_gone[ids].any()}

    def grown(self) -> tuple[Grown, ...]:
        """How far each reached."""
        return grown(self._powers)

    def regrow(self, kept: Iterable[Grown]) -> None:
        """They had reached so far."""
        self._powers = regrown(kept)

    def columns(
        self,
        body: bytes,
        places: NDArray[np.int64],
        block_at: Callable[[int], bytes],
        window: Window,
        refused: Refused,
    ) -> Columns:
        """The samples of histograms given as row, begin and end; `block_at` has a row's labels."""
        # Each by its own count: ids are known anew after a restart, powers are kept over it.
        if len(self._powers) > _MOST_KEYS:
            self._powers.clear()
        if len(self._ids) > _MOST_KEYS:
            self._ids.clear()
        found = [
            self._samples(block_at(row), body[start:stop], window, refused)
            for row, start, stop in places.tolist()
        ]
        told = [samples for samples in found if samples is not None]
        counts = [len(ids) for ids, _, _ in told]
        return Columns(
            series=np.concatenate([t[0] for t in told] or [np.zeros(0, dtype=np.int32)]),
            at=np.repeat(np.array([t[1] for t in told], dtype=np.int64), counts),
            value=np.concatenate([t[2] for t in told] or [np.zeros(0)]),
        )

    def _samples(
        self, block: bytes, message: bytes, window: Window, refused: Refused
    ) -> _Samples | None:
        try:
            native = native_of(message)
        except NativeError as error:
            refused.add(Refusal.HISTOGRAM, 1, str(error))
            return None
        one = np.ones(1, dtype=np.bool_)
        at = np.array([native.at], dtype=np.int64)
        if not in_window(at, one, window, refused)[0]:
            return None
        bounds, values = self._buckets(block, native)
        ids = self._ids_of(block, native, bounds, refused)
        if ids is None:
            return None
        total = np.array([native.count, native.sum])
        samples = np.concatenate((total, values, total[:1]))
        if is_stale(total[1:])[0]:
            samples[:] = STALE
        return ids, native.at, samples

    def _buckets(
        self, block: bytes, native: Native
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds, and how many are at most at each."""
        if native.bounds is not None:
            places = np.arange(1, len(native.bounds) + 1, dtype=np.float64)
            return native.bounds, native.spread.below_edges(places)
        powers = self._powers.setdefault((block,), Powers()).widened(native.spread)
        return np.ldexp(1.0, powers), native.spread.up_to(powers)

    def _ids_of(
        self, block: bytes, native: Native, bounds: NDArray[np.float64], refused: Refused
    ) -> _Ids | None:
        kind = SeriesKind.GAUGE if native.is_gauge else SeriesKind.CUMULATIVE
        key = (block, kind, bounds.tobytes())
        found = self._ids.get(key)
        if found is not None:
            return found
        try:
            ids = self._interned(block, kind, [*map(bound_text, bounds.tolist()), "+Inf"])
        except LabelsError as error:
            refused.add(Refusal.LABELS, 1, str(error))
            return None
        if AT_LIMIT in ids:
            refused.add(Refusal.SERIES_LIMIT, 1, self.interner.limit_words)
            return None
        found = self._ids[key] = np.array(ids, dtype=np.int32)
        return found

    def _interned(self, block: bytes, kind: SeriesKind, bounds: list[str]) -> list[int]:
        labels = dict(labels_of(block))
        name = labels[NAME]
        own = [{NAME: f"{name}_count"}, {NAME: f"{name}_sum"}]
        own += [{NAME: f"{name}_bucket", "le": bound} for bound in bounds]
        return [self.interner.id_of(checked({**labels, **more}.items()), kind) for more in own]
