"""The tape of an attempt: all that its judge was told, in order, as chained chunks of bytes.

A chunk holds the events of one read. Label sets, readings and columns of times are written once
and named by number after, so that a poll costs little more than its values. Playing a tape gives
the judge that recorded it, to the bit.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec
import numpy as np
import zstandard

from detector.errors import StoreError
from detector.series import Answer, FloatArray, Series
from detector.signals.plan import Reading
from pipelines.flows.names import Names

__all__ = ["Event", "Fed", "TapeReader", "TapeWriter", "Told"]

SCHEMA = 1
# A first read of 26 h, 60 pods and 40 series each at 15 s has some 240 MB.
_UNPACKED_MAX = 1 << 29
_LEVEL = 3
_IS_LITTLE = sys.byteorder == "little"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The judge was told a weight (per cent)."""

    at: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """The judge was fed; `now` is the clock it was given."""

    now: float
    readings: tuple[Reading, ...]
    answers: tuple[Answer, ...]


Event: TypeAlias = Told | Fed


class _Column(msgspec.Struct, array_like=True):
    series: int
    times: int
    values: bytes


class _Part(msgspec.Struct, array_like=True):
    reading: int
    warnings: tuple[str, ...]
    columns: list[_Column]


class _Event(msgspec.Struct, array_like=True):
    at: float
    weight: float | None
    parts: list[_Part]


class _Body(msgspec.Struct, array_like=True):
    schema: int
    readings: list[Reading]
    labels: list[dict[str, str]]
    times: list[bytes]
    events: list[_Event]


@dataclass(slots=True)
class TapeWriter:
    """Events to bytes; remembers what was written once."""

    _names: Names = field(default_factory=Names)
    _readings: dict[Reading, int] = field(default_factory=dict)

    def write(self, events: Sequence[Event]) -> bytes:
        """The body of the next chunk."""
        body = _Body(schema=SCHEMA, readings=[], labels=[], times=[], events=[])
        times: dict[bytes, int] = {}
        for event in events:
            match event:
                case Told():
                    body.events.append(_Event(at=event.at, weight=event.weight, parts=[]))
                case Fed():
                    parts = [
                        self._part(body, times, reading, answer)
                        for reading, answer in zip(event.readings, event.answers, strict=True)
                    ]
                    body.events.append(_Event(at=event.now, weight=None, parts=parts))
        body.times = list(times)
        return zstandard.ZstdCompressor(level=_LEVEL).compress(msgspec.msgpack.encode(body))

    def _part(
        self, body: _Body, times: dict[bytes, int], reading: Reading, answer: Answer
    ) -> _Part:
        number = self._readings.get(reading)
        if number is None:
            number = self._readings[reading] = len(self._readings)
            body.readings.append(reading)
        before = len(self._names.known)
        names = self._names.numbers(number, answer.series)
        columns = [
            _Column(name, times.setdefault(_raw(one.times), len(times)), _raw(one.values))
            for name, one in zip(names, answer.series, strict=True)
        ]
        # In the order of their numbers, which are the keys' order of insertion.
        body.labels += [dict(key) for key in itertools.islice(self._names.known, before, None)]
        return _Part(reading=number, warnings=answer.warnings, columns=columns)

    def heard(self, labels: Sequence[Mapping[str, str]], readings: Sequence[Reading]) -> None:
        """Go on after what a reader has read."""
        known = {frozenset(one.items()): n for n, one in enumerate(labels)}
        self._names = Names(known=known)
        self._readings = {reading: n for n, reading in enumerate(readings)}


@dataclass(slots=True)
class TapeReader:
    """Bytes to events, chunk by chunk in their order."""

    labels: list[dict[str, str]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def read(self, body: bytes) -> Iterator[Event]:
        """The events of the next chunk; `StoreError` for what is no chunk."""
        try:
            plain = zstandard.ZstdDecompressor().decompress(body, max_output_size=_UNPACKED_MAX)
            decoded = msgspec.msgpack.decode(plain, type=_Body)
            if decoded.schema > SCHEMA:
                raise StoreError(
                    f"samples have schema {decoded.schema}, this serinus knows {SCHEMA}"
                )
            self.labels += decoded.labels
            self.readings += decoded.readings
            times = [_array(raw) for raw in decoded.times]
            return iter([self._event(event, times) for event in decoded.events])
        except (msgspec.MsgspecError, zstandard.ZstdError, IndexError, ValueError) as error:
            raise StoreError(f"a chunk of samples cannot be read: {error}") from error

    def _event(self, event: _Event, times: Sequence[FloatArray]) -> Event:
        if event.weight is not None:
            return Told(at=event.at, weight=event.weight)
        return Fed(
            now=event.at,
            readings=tuple(self.readings[part.reading] for part in event.parts),
            answers=tuple(self._answer(part, times) for part in event.parts),
        )

    def _answer(self, part: _Part, times: Sequence[FloatArray]) -> Answer:
        series = tuple(
            Series(
                labels=self.labels[column.series],
                times=times[column.times],
                values=_array(column.values),
            )
            for column in part.columns
        )
        return Answer(series=series, warnings=part.warnings)


def _swapped(values: FloatArray) -> bytes:
    return values.astype("<f8").tobytes()


# Called for every series of every poll.
_raw: Callable[[FloatArray], bytes] = np.ndarray.tobytes if _IS_LITTLE else _swapped


def _array(raw: bytes) -> FloatArray:
    values: FloatArray = np.frombuffer(raw, dtype="<f8").astype(np.float64, copy=False)
    return values
