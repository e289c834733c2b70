"""Loki, asked for the lines that streams of a selector have in a stretch of time.

https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from detector.errors import InputError, SourceError
from pipelines.ingest.decoded import BodyTooLargeError
from pipelines.ingest.logs.json_texts import read_json
from pipelines.ingest.logs.loki_json import Entry, Stream
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.deadline import Deadline
from pipelines.sources.exchange import Exchange
from pipelines.sources.refusal import TooMuchError
from pipelines.sources.settings import SourceSettings

__all__ = ["Loki"]

_RANGE, _SERIES = "/loki/api/v1/query_range", "/loki/api/v1/series"
_DIGITS = 20
# Without it what is told of single lines becomes labels, and each line a stream of its own.
_APART = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}


class _Told(msgspec.Struct, frozen=True):
    structuredMetadata: dict[str, str] = {}  # noqa: N815 - the API's words


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    at: str
    line: str
    told: _Told = _Told()


class _Stream(msgspec.Struct, frozen=True):
    stream: dict[str, str]
    values: list[_Entry] = []

    def as_pushed(self) -> Stream:
        """What one pushes to have the same."""
        entries = [
            Entry(at=entry.at, line=entry.line, metadata=entry.told.structuredMetadata)
            for entry in self.values
        ]
        return Stream(stream=self.stream, values=entries)


class _Found(msgspec.Struct, frozen=True):
    resultType: str = ""  # noqa: N815
    result: list[_Stream] = []


class _Lines(msgspec.Struct, frozen=True):
    data: _Found


class _Labels(msgspec.Struct, frozen=True):
    data: list[dict[str, str]] = []


Answered = TypeVar("Answered")
_lines, _labels = msgspec.json.Decoder(_Lines), msgspec.json.Decoder(_Labels)


class Loki:
    """One Loki, or what answers as it does; safe for threads. Errors are `SourceError`."""

    def __init__(self, settings: SourceSettings) -> None:
        self.cost, self.skew = Cost(), Skew()
        headers = {**settings.auth.headers, **_APART}
        self._settings = replace(settings, auth=replace(settings.auth, headers=headers))
        self._exchange = Exchange(self._settings, self.cost, self.skew, what="Loki")

    def page(
        self, selector: str, start: int, end: int, *, limit: int, timeout_s: float
    ) -> Sequence[Stream]:
        """The oldest `limit` lines with `start <= time < end` (unix nanoseconds), by stream.

        `BodyTooLargeError` where they are more bytes than the budget: fewer may do.
        """
        asked = [("query", selector), ("start", str(start)), ("end", str(end))]
        asked += [("limit", str(limit)), ("direction", "forward")]
        body = self._asked(_RANGE, asked, timeout_s)
        found = self._read(body, _lines, _Lines).data
        if found.resultType != "streams":
            raise SourceError(f"{self._exchange.where} gave no lines but {found.resultType!r}")
        self.cost.answered(
            series=len(found.result), samples=sum(len(one.values) for one in found.result)
        )
        times = (entry.at for stream in found.result for entry in stream.values)
        if not all(at.isascii() and at.isdigit() and len(at) < _DIGITS for at in times):
            raise SourceError(f"{self._exchange.where} gave a time that is no unix nanoseconds")
        return [stream.as_pushed() for stream in found.result]

    def streams(
        self, selector: str, start: int, end: int, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """The labels of each stream that has lines in a stretch."""
        asked = [("match[]", selector), ("start", str(start)), ("end", str(end))]
        return self._read(self._asked(_SERIES, asked, timeout_s), _labels, _Labels).data

    def close(self) -> None:
        """Close idle connections."""
        self._exchange.close()

    def _asked(self, path: str, asked: Sequence[tuple[str, str]], timeout_s: float) -> bytes:
        params = [*asked, *self._settings.params.items()]
        try:
            return self._exchange.send("GET", path, params, Deadline(timeout_s)).body
        except TooMuchError as error:
            raise BodyTooLargeError(str(error), field="limit") from error

    def _read(
        self, body: bytes, decoder: msgspec.json.Decoder[Answered], kind: type[Answered]
    ) -> Answered:
        try:
            return read_json(body, decoder.decode, kind, "what a Loki answers")[0]
        except BodyTooLargeError:
            raise
        except InputError as error:
            raise SourceError(f"{self._exchange.where} does not answer as Loki") from error
