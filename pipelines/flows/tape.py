"""The tape of an attempt: all that its judge was told, in order, as chained chunks of bytes.

A chunk holds the events of one read. Label sets and readings are written once and named by number
after, the series of an answer only when they are not those of the last, so that a poll costs
little more than its samples. Playing a tape gives the judge that recorded it, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from detector.errors import StoreError
from detector.gate.design import Elsewhere
from detector.gate.known import Key, KnownByQuestion, Labels, key_of
from detector.gate.memory import Memory
from detector.series import Answer, Columns, FloatArray
from detector.signals.plan import Reading
from pipelines.stores.codec import decoder_of, inflated

__all__ = ["SCHEMA", "Event", "Fed", "Remembered", "Seen", "TapeReader", "TapeWriter", "Told"]

SCHEMA = 5
# Schema 2 has no packed histories, schema 3 nothing of other times and services, schema 4 nothing
# of streams.
_READ = (2, 3, 4, SCHEMA)
# A first read of 26 h, 60 pods and 40 series each at 15 s has some 240 MB.
_UNPACKED_MAX = 1 << 29
_LEVEL = 1
# From so many samples of a series on an answer is a history.
_HISTORY = 8
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The judge was told a weight (per cent); `is_read`: from the controller's own gauge."""

    at: float
    weight: float
    is_read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """The judge was fed; `now` is the clock it was given."""

    now: float
    readings: tuple[Reading, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The judge was told, `at` a time, what the service did before."""

    at: float
    memory: Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The judge was told, `at` a time, how other services are."""

    at: float
    elsewhere: Elsewhere


Event: TypeAlias = Told | Fed | Remembered | Seen


class _Part(msgspec.Struct, array_like=True):
    """An answer: `series` None are those of the last answer to this reading, `sizes` one for all
    or one for each.

    A history is `packed`: numbers are written byte by byte, the first bytes of all of them first,
    which takes a quarter less room in half the time; `alike` tells by series which of the written
    times are its own, where all have equally many.
    """

    reading: int
    warnings: tuple[str, ...]
    series: bytes | None
    sizes: int | bytes
    times: bytes
    values: bytes
    packed: bool = False
    alike: bytes | None = None


class _Event(msgspec.Struct, array_like=True):
    at: float
    weight: float | None
    parts: list[_Part]
    is_read: bool = False
    memory: Memory | None = None
    elsewhere: Elsewhere | None = None


class _Body(msgspec.Struct, array_like=True):
    schema: int
    readings: list[Reading]
    labels: list[dict[str, str]]
    events: list[_Event]


@dataclass(slots=True)
class TapeWriter:
    """Events to bytes; remembers what was written once."""

    _numbers: dict[Key, int] = field(default_factory=dict)
    _known: KnownByQuestion = field(default_factory=KnownByQuestion)
    _readings: dict[Reading, int] = field(default_factory=dict)
    _written: dict[int, Ints] = field(default_factory=dict)

    def write(self, events: Sequence[Event]) -> bytes:
        """The body of the next chunk."""
        body = _Body(schema=SCHEMA, readings=[], labels=[], events=[])
        for event in events:
            match event:
                case Told():
                    body.events.append(_told(event))
                case Remembered(at=at, memory=memory):
                    body.events.append(_Event(at=at, weight=None, parts=[], memory=memory))
                case Seen(at=at, elsewhere=seen):
                    body.events.append(_Event(at=at, weight=None, parts=[], elsewhere=seen))
                case Fed():
                    parts = [
                        self._part(body, reading, answer)
                        for reading, answer in zip(event.readings, event.answers, strict=True)
                    ]
                    body.events.append(_Event(at=event.now, weight=None, parts=parts))
        return zstandard.ZstdCompressor(level=_LEVEL).compress(msgspec.msgpack.encode(body))

    def _part(self, body: _Body, reading: Reading, answer: Answer) -> _Part:
        number = self._readings.get(reading)
        if number is None:
            number = self._readings[reading] = len(self._readings)
            body.readings.append(reading)
        columns = Columns.of(answer.series)
        names = self._known.of(number).numbers(columns.labels, partial(self._place, body))
        packed = len(columns.values) >= _HISTORY * max(len(columns), 1)
        times, alike = _distinct(columns) if packed else (columns.times, None)
        return _Part(
            reading=number,
            warnings=tuple(answer.warnings),
            series=self._series(number, names),
            sizes=_sizes(columns.sizes),
            times=_bytes_of(times, packed=packed),
            values=_bytes_of(columns.values, packed=packed),
            packed=packed,
            alike=alike,
        )

    def _place(self, body: _Body, labels: Labels) -> int:
        """The number of a label set, which is written down with its first."""
        key = key_of(labels)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers)
            body.labels.append(dict(labels))
        return number

    def _series(self, reading: int, names: Ints) -> bytes | None:
        """The series of an answer, unless they are those of the last one."""
        last = self._written.get(reading)
        if last is not None and (last is names or np.array_equal(last, names)):
            return None
        self._written[reading] = names
        return names.astype("<u4").tobytes()

    @property
    def written(self) -> tuple[Sequence[Mapping[str, str]], Sequence[Reading], Mapping[int, Ints]]:
        """Label sets and readings by their numbers, and the series of the last answer to each."""
        return [_labels_of(key) for key in self._numbers], [*self._readings], self._written

    def heard(self, labels: Sequence[Mapping[str, str]], readings: Sequence[Reading]) -> None:
        """Go on after what a reader has read."""
        self._numbers = {key_of(one): n for n, one in enumerate(labels)}
        self._known = KnownByQuestion()
        self._readings = {reading: n for n, reading in enumerate(readings)}
        self._written = {}


def _labels_of(key: Key) -> Labels:
    return dict(zip(key[::2], key[1::2], strict=True))


def _told(event: Told) -> _Event:
    return _Event(at=event.at, weight=event.weight, parts=[], is_read=event.is_read)


def _sizes(sizes: Ints) -> int | bytes:
    if len(sizes) and (sizes == sizes[0]).all():
        return int(sizes[0])
    return sizes.astype("<u4").tobytes()


@dataclass(slots=True)
class TapeReader:
    """Bytes to events, chunk by chunk in their order."""

    labels: list[Mapping[str, str]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    _last: dict[int, list[Mapping[str, str]]] = field(default_factory=dict)

    def follow(self, writer: TapeWriter) -> None:
        """Go on after what a writer that heard this reader has written since."""
        labels, readings, last = writer.written
        if len(labels) > len(self.labels):
            self.labels += labels[len(self.labels) :]
        self.readings += readings[len(self.readings) :]
        for reading, numbers in last.items():
            self._last[reading] = [self.labels[number] for number in numbers.tolist()]

    def read(self, body: bytes) -> Iterator[Event]:
        """The events of the next chunk; `StoreError` for what is no chunk."""
        try:
            decoded = decoder_of(_Body).decode(inflated(body, most=_UNPACKED_MAX))
            if decoded.schema not in _READ:
                raise StoreError(f"samples have schema {decoded.schema}, this serinus has {SCHEMA}")
            self.labels += decoded.labels
            self.readings += decoded.readings
            return iter([self._event(event) for event in decoded.events])
        except (
            msgspec.MsgspecError,
            IndexError,
            KeyError,
            ValueError,
        ) as error:
            raise StoreError(f"a chunk of samples cannot be read: {error}") from error

    def _event(self, event: _Event) -> Event:
        if event.weight is not None:
            return Told(at=event.at, weight=event.weight, is_read=event.is_read)
        if event.memory is not None:
            return Remembered(at=event.at, memory=event.memory)
        if event.elsewhere is not None:
            return Seen(at=event.at, elsewhere=event.elsewhere)
        return Fed(
            now=event.at,
            readings=tuple(self.readings[part.reading] for part in event.parts),
            answers=tuple(self._answer(part) for part in event.parts),
        )

    def _answer(self, part: _Part) -> Answer:
        if part.series is not None:
            numbers = np.frombuffer(part.series, "<u4").tolist()
            self._last[part.reading] = [self.labels[number] for number in numbers]
        labels = self._last[part.reading]
        values = _floats(part.values, packed=part.packed)
        times = _floats(part.times, packed=part.packed)
        if part.alike is not None and isinstance(part.sizes, int):
            times = times.reshape(-1, part.sizes)[np.frombuffer(part.alike, "<u4")].ravel()
        columns = Columns(labels, _counts(part.sizes, len(labels)), times, values)
        if not int(columns.sizes.sum()) == len(times) == len(values):
            raise ValueError("samples do not add up")
        return Answer(series=columns, warnings=part.warnings)


def _counts(sizes: int | bytes, series: int) -> Ints:
    if isinstance(sizes, int):
        return np.full(series, sizes, np.int64)
    counts = np.frombuffer(sizes, "<u4").astype(np.int64)
    if len(counts) != series:
        raise ValueError("series do not add up")
    return counts


def _distinct(columns: Columns) -> tuple[FloatArray, bytes | None]:
    """Times without those of a series that are those of the one before, and whose are whose."""
    size = int(columns.sizes[0])
    if (columns.sizes != size).any():
        return columns.times, None
    rows = columns.times.reshape(-1, size)
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return rows[new].ravel(), (np.cumsum(new) - 1).astype("<u4").tobytes()


def _bytes_of(values: FloatArray, *, packed: bool = False) -> bytes:
    plain = np.ascontiguousarray(values, "<f8")
    return plain.view(np.uint8).reshape(-1, 8).T.tobytes() if packed else plain.tobytes()


def _floats(raw: bytes, *, packed: bool = False) -> FloatArray:
    if packed:
        raw = np.frombuffer(raw, np.uint8).reshape(8, -1).T.tobytes()
    values: FloatArray = np.frombuffer(raw, dtype="<f8").astype(np.float64, copy=False)
    return values
