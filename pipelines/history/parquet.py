"""History from Parquet: files of samples, read no further than a page needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ConfigError, InputError, SourceError
from detector.series import FloatArray
from models.stat import Stat
from pipelines.history.memory import on_grid
from pipelines.history.port import SeriesId, Span

__all__ = ["ParquetHistory"]

_TIME, _VALUE = "timestamp", "value"
# Samples that are held at once; more series than have them are read in two goes.
_MOST = 4_000_000
_BATCH = 65_536
# Times without a zone differ from UTC by less.
_ZONES = timedelta(days=1)


class ParquetHistory:
    """`HistorySource` over a file, or a folder of files.

    Columns: `timestamp` (a timestamp, in `zone` where it has none of its own), `value` (a number),
    and any others of text, which are the labels of the series. Files that are sorted by series are
    read once; else each page looks at all row groups whose statistics may have its series.
    """

    def __init__(self, path: Path, stat: Stat = Stat.MEAN, *, zone: str = "") -> None:
        self._arrow, self._dataset = _opened(path)
        self._path, self._stat, self._zone = path, stat, zone or "UTC"
        self._labels = _labels_of(self._dataset.schema, self._arrow, path)
        self._naive = self._dataset.schema.field(_TIME).type.tz is None

    @property
    def files(self) -> Sequence[str]:
        """What is read."""
        found: Sequence[str] = self._dataset.files
        return found

    def close(self) -> None:
        """Nothing to give up."""

    def series(self, span: Span) -> Sequence[SeriesId]:
        """See `HistorySource`."""
        found: set[SeriesId] = set()
        for batch in self._batches([*self._labels, _TIME], self._within(span)):
            inside = self._inside(self._times(batch), span)
            names, codes = self._coded(batch)
            found.update(names[code] for code in np.unique(codes[inside]).tolist())
        return sorted(found)

    def read(self, series: Sequence[SeriesId], span: Span) -> FloatArray:
        """See `HistorySource`."""
        if not series:
            return np.zeros((0, span.steps))
        wanted = and_(self._within(span), self._of(series))
        with self._translated():
            count = self._dataset.count_rows(filter=wanted) if len(series) > 1 else 0
        if count > _MOST:
            middle = len(series) // 2
            return np.concatenate(
                [self.read(series[:middle], span), self.read(series[middle:], span)]
            )
        rows, times, values = self._samples({one: row for row, one in enumerate(series)}, wanted)
        told = np.full((len(series), span.steps), np.nan)
        order = np.argsort(rows, kind="stable")
        edges = np.searchsorted(rows[order], np.arange(len(series) + 1))
        for row in range(len(series)):
            mine = order[edges[row] : edges[row + 1]]
            told[row] = on_grid(times[mine], values[mine], span, self._stat)
        return told

    def _samples(
        self,
        rows: dict[SeriesId, int],
        wanted: Any,  # noqa: ANN401 - pyarrow ships no types
    ) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
        """The samples of series: whose they are by its row, when, and what."""
        parts: list[tuple[NDArray[np.int64], FloatArray, FloatArray]] = []
        for batch in self._batches([*self._labels, _TIME, _VALUE], wanted):
            names, codes = self._coded(batch)
            mine = np.array([rows.get(name, -1) for name in names], np.int64)[codes]
            own = mine >= 0
            values = batch.column(_VALUE).cast(self._arrow.float64())
            numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
            parts.append((mine[own], self._times(batch)[own], numbers[own]))
        if not parts:
            return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
        at, times, numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
        return at, times, numbers

    def _coded(self, batch: Any) -> tuple[list[SeriesId], NDArray[np.int64]]:  # noqa: ANN401
        """The series of a batch, each once, and for each row which of them."""
        columns, codes = [], np.zeros(len(batch), np.int64)
        for label in self._labels:
            coded = batch.column(label).cast(self._arrow.string()).dictionary_encode()
            texts = [*coded.dictionary.to_pylist(), ""]
            own = coded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
            columns.append((texts, own))
            _, codes = np.unique(codes * len(texts) + own, return_inverse=True)
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
        names = [
            SeriesId.of(
                {
                    label: texts[own[row]]
                    for label, (texts, own) in zip(self._labels, columns, strict=True)
                }
            )
            for row in first
        ]
        return names, codes

    def _times(self, batch: Any) -> FloatArray:  # noqa: ANN401
        """Unix seconds."""
        import pyarrow.compute as pc

        arrow, column = self._arrow, batch.column(_TIME)
        if self._naive:
            column = pc.assume_timezone(
                column, timezone=self._zone, ambiguous="earliest", nonexistent="earliest"
            )
        micros = column.cast(arrow.timestamp("us", tz="UTC"), safe=False).cast(arrow.int64())
        times: FloatArray = micros.to_numpy(zero_copy_only=False).astype(np.float64) / 1e6
        return times

    def _inside(self, times: FloatArray, span: Span) -> NDArray[np.bool_]:
        return (times >= span.start_s) & (times < span.end_s)

    def _within(self, span: Span) -> Any:  # noqa: ANN401
        """The rows that may be in the span, by statistics of row groups where they can."""
        import pyarrow.dataset as ds

        kind = self._dataset.schema.field(_TIME).type
        begin, end = (datetime.fromtimestamp(at, UTC) for at in (span.start_s, span.end_s))
        if self._naive:
            begin, end = ((at - _ZONES).replace(tzinfo=None) for at in (begin, end + 2 * _ZONES))
        low, high = (self._arrow.scalar(at).cast(kind) for at in (begin, end))
        return (ds.field(_TIME) >= low) & (ds.field(_TIME) < high)

    def _of(self, series: Sequence[SeriesId]) -> Any:  # noqa: ANN401
        """The rows of series, and perhaps some of others that share their labels' values."""
        import pyarrow.dataset as ds

        told = [dict(one.labels) for one in series]
        conditions = [
            ds.field(label).cast(self._arrow.string()).isin(sorted({one[label] for one in told}))
            for label in self._labels
            if all(label in one for one in told)
        ]
        return reduce(and_, conditions, ds.scalar(True))

    def _batches(self, columns: Sequence[str], wanted: Any) -> Iterator[Any]:  # noqa: ANN401
        """Rows, a little at a time."""
        with self._translated():
            scanner = self._dataset.scanner(
                columns=list(columns),
                filter=wanted,
                batch_size=_BATCH,
                batch_readahead=1,
                fragment_readahead=1,
            )
            yield from scanner.to_batches()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, self._arrow.ArrowInvalid) as error:
            raise SourceError(f"{self._path} cannot be read: {error}", retryable=False) from error


def _opened(path: Path) -> tuple[Any, Any]:
    """The library, and the files as one table."""
    try:
        import pyarrow as pa
        import pyarrow.dataset as ds
    except ImportError as error:
        raise ConfigError(
            "reading Parquet needs pyarrow: pip install 'serinus[parquet]'"
        ) from error
    try:
        return pa, ds.dataset(str(path), format="parquet")
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path} is no Parquet: {error}", field="path") from error


def _labels_of(schema: Any, arrow: Any, path: Path) -> tuple[str, ...]:  # noqa: ANN401
    """The columns that name series; `InputError` for a table that has not what is needed."""
    kinds = {field.name: field.type for field in schema}
    for name, fits, what in (
        (_TIME, arrow.types.is_timestamp, "a timestamp"),
        (_VALUE, _is_number(arrow), "a number"),
    ):
        if name not in kinds or not fits(kinds[name]):
            raise InputError(f"{path}: needs a column {name!r} that is {what}", field="path")
    labels = tuple(sorted(set(kinds) - {_TIME, _VALUE}))
    for label in labels:
        if not _is_text(arrow, kinds[label]):
            raise InputError(
                f"{path}: column {label!r} is {kinds[label]}; labels are text", field="path"
            )
    return labels


def _is_number(arrow: Any) -> Any:  # noqa: ANN401
    kinds = arrow.types
    return lambda kind: kinds.is_floating(kind) or kinds.is_integer(kind) or kinds.is_decimal(kind)


def _is_text(arrow: Any, kind: Any) -> bool:  # noqa: ANN401
    kind = kind.value_type if arrow.types.is_dictionary(kind) else kind
    return bool(arrow.types.is_string(kind) or arrow.types.is_large_string(kind))
