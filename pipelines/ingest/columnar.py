"""The columnar message: a table of series and three columns, in msgpack (docs/ingest.md).

A table that came before, to the byte, is one look-up; so is, in a new table, a series that came
before. Where the table stands first, as we write it, it is not read again: the bytes before the
columns are compared with those that came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray

from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from pipelines.ingest.columnar_tables import SCHEMA, Tables
from pipelines.ingest.decoded import Decoded, Refusal, Refused, Window, broken, windowed
from pipelines.ingest.interning import AT_LIMIT, Interner
from pipelines.ingest.labels import LabelsError, checked

__all__ = ["SCHEMA", "Columnar", "packed"]

KINDS = (SeriesKind.GAUGE, SeriesKind.CUMULATIVE, SeriesKind.DELTA)
_KEYS_PER_SERIES = 2
_BAD_LABELS = -2
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    """As it is on the wire; without `series` each sample is of the next series of the table."""

    schema: int
    table: msgspec.Raw
    at: bytes
    value: bytes
    series: bytes | None = None


class _Rest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands behind a known head; what else may be there is read with all of it."""

    at: bytes
    value: bytes
    series: bytes | None = None


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    """A series of a table."""

    kind: int
    unit: str
    labels: dict[str, str]


_MESSAGES = msgspec.msgpack.Decoder(_Message)
_RESTS = msgspec.msgpack.Decoder(_Rest)
_TABLES = msgspec.msgpack.Decoder(list[msgspec.Raw])
_ENTRIES = msgspec.msgpack.Decoder(_Entry)
_ENCODER = msgspec.msgpack.Encoder()


def packed(table: Sequence[SeriesInfo], columns: Columns) -> bytes:
    """A message; `columns.series` are positions in the table."""
    entries = [(KINDS.index(info.kind), info.unit, dict(info.labels)) for info in table]
    message: dict[str, Any] = {
        "schema": SCHEMA,
        "table": entries,
        "series": columns.series.astype("<i4").tobytes(),
        "at": columns.at.astype("<i8").tobytes(),
        "value": columns.value.astype("<f8").tobytes(),
    }
    return _ENCODER.encode(message)


class Columnar:
    """The door of one tenant. Not for two threads at once."""

    def __init__(self, interner: Interner) -> None:
        self.interner = interner
        self._tables = Tables()
        self._ids: dict[bytes, int] = {}
        interner.forgetting(self._forget)

    def _forget(self, is_gone: NDArray[np.bool_]) -> None:
        self._ids = {entry: id for entry, id in self._ids.items() if not is_gone[id]}
        self._tables.forget(is_gone)

    def decode(self, body: bytes, window: Window) -> Decoded:
        """The samples of an unpacked message; `InputError` where it is none."""
        return self.known(body, window) or self._decoded(body, window)

    def known(self, body: bytes, window: Window) -> Decoded | None:
        """What `decode` makes of a message that begins as one before; None for any other.

        Nothing is learned by it, so that others may be read before this one's samples are judged.
        """
        head = self._tables.head(body)
        if head is None:
            return None
        try:
            rest = _RESTS.decode(head.fields + memoryview(body)[len(head.told) :])
        except _UNREADABLE:
            return None
        refused = Refused()
        series, at, value = _columns(rest, head.ids)
        return Decoded(columns=windowed(series, at, value, window, refused), refused=refused)

    def _decoded(self, body: bytes, window: Window) -> Decoded:
        """All of it is read."""
        try:
            message = _MESSAGES.decode(body)
        except _UNREADABLE as error:
            raise broken(f"the body is no columnar message: {error}") from error
        if message.schema != SCHEMA:
            raise broken(f"schema {message.schema} is not known here: {SCHEMA} is")
        refused = Refused()
        ids, words = self._table(body, bytes(message.table))
        series, at, value = _columns(message, ids)
        _tell_unknown(series, words, self.interner, refused)
        return Decoded(columns=windowed(series, at, value, window, refused), refused=refused)

    def memory(self) -> bytes:
        """Nothing: each message tells its series whole."""
        return b""

    def recall(self, memory: bytes) -> None:
        """Nothing was learned."""

    def _table(self, body: bytes, table: bytes) -> tuple[NDArray[np.int32], str]:
        """The id of each series of a table, and what is wrong with the first that has none."""
        found = self._tables.get(table)
        if found is not None:
            return found, ""
        try:
            entries = [bytes(entry) for entry in _TABLES.decode(table)]
        except _UNREADABLE as error:
            raise broken(f"the table cannot be read: {error}") from error
        words, known = "", self._ids.get
        ids = [known(entry, AT_LIMIT) for entry in entries]
        for place, id in enumerate(ids):
            if id < 0:
                ids[place], wrong = self._entry(entries[place])
                words = words or wrong
        found = np.array(ids, dtype=np.int32)
        if not (found < 0).any():
            self._tables.remember(body, table, found)
        return found, words

    def _entry(self, entry: bytes) -> tuple[int, str]:
        try:
            told = _ENTRIES.decode(entry)
            labels = checked(told.labels.items())
        except _UNREADABLE as error:
            raise broken(f"a series of the table cannot be read: {error}") from error
        except LabelsError as error:
            return _BAD_LABELS, str(error)
        if told.kind not in range(len(KINDS)):
            raise broken(f"kind {told.kind}: there are 0 (gauge), 1 (cumulative) and 2 (delta)")
        id = self.interner.id_of(labels, KINDS[told.kind], told.unit)
        if id != AT_LIMIT:
            if len(self._ids) >= _KEYS_PER_SERIES * self.interner.limit:
                self._ids.clear()
            self._ids[entry] = id
        return id, ""


def _columns(
    told: _Message | _Rest, ids: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
    """Series by their ids, times and values; `InputError` where they do not fit."""
    at, value = _column(told.at, "<i8", "at"), _column(told.value, "<f8", "value")
    places = _places(told.series, len(ids), len(at))
    if not len(places) == len(at) == len(value):
        raise broken("the columns series, at and value are not of one length")
    return ids[places], at, value


def _column(data: bytes, kind: DTypeLike, name: str) -> NDArray[Any]:
    width = np.dtype(kind).itemsize
    if len(data) % width:
        raise broken(f"the column {name} has {len(data)} bytes: not a multiple of {width}")
    return np.frombuffer(data, dtype=kind)


def _places(data: bytes | None, entries: int, samples: int) -> NDArray[np.int32]:
    if data is None:
        if samples != entries:
            raise broken(f"without the column series {entries} samples are due, not {samples}")
        return np.arange(entries, dtype=np.int32)
    places = _column(data, "<i4", "series")
    # What is below 0 is far above as a number without a sign.
    if len(places) and places.view(np.uint32).max() >= entries:
        raise broken(f"the column series points beyond the {entries} series of the table")
    return places


def _tell_unknown(
    series: NDArray[np.int32], words: str, interner: Interner, refused: Refused
) -> None:
    refused.add(Refusal.LABELS, int((series == _BAD_LABELS).sum()), words)
    refused.add(Refusal.SERIES_LIMIT, int((series == AT_LIMIT).sum()), interner.limit_words)
