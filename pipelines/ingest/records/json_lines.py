"""JSON lines, as shippers and loggers write them, become lines of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from detector.errors import ConfigError
from detector.logs.lines import Level, LogLines
from pipelines.ingest.records.building import NO_TRACE, Written, lines_of
from pipelines.ingest.records.cleaned import cleaned
from pipelines.ingest.records.fields import Fields, Shapes
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.mapping import Mapping, shipped_mappings
from pipelines.ingest.records.moments import at_of
from pipelines.ingest.records.plain import Told, in_time, plain_line
from pipelines.ingest.records.trace_ids import trace_of

__all__ = ["AUTO", "JsonLines"]

AUTO = "auto"
_GENERAL = "json"
# A record that is longer is no line of a log; it is taken as text, as far as a line may go.
_RECORD_MOST = 1 << 20
_Record = dict[str, Any]


class JsonLines:
    """Reads records by the mapping of a name, or each by the convention that it is of."""

    def __init__(
        self,
        count: Callable[[Flaw], None],
        *,
        mapping: str = AUTO,
        mappings: Sequence[Mapping] | None = None,
    ) -> None:
        every = shipped_mappings() if mappings is None else mappings
        self._count = count
        # What is of no convention is read by the general one, wherever that stands.
        recognised = Shapes((*every, *_named(_GENERAL, every)))
        self._shapes = recognised if mapping == AUTO else Shapes(_named(mapping, every))
        self._inner = recognised

    def decode(self, message: bytes, told: Told) -> LogLines:
        """The lines of a message that holds one record, several lines of them, or an array."""
        found = (self._records(line, told) for line in message.splitlines() if line.strip())
        return lines_of(line for lines in found for line in lines)

    def read(self, line: bytes, told: Told) -> Written | None:
        """One line, that is a record or plain text; None for what says nothing."""
        return next(self._records(line, told), None)

    def _records(self, line: bytes, told: Told) -> Iterator[Written]:
        value = self._parsed(line)
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, dict):
                yield self._written(one, told)
            elif one is not None:
                self._count(Flaw.NOT_A_RECORD)
        if value is None:
            text = cleaned(line, self._count)
            if text.strip():
                yield plain_line(text, told, self._count)

    def _parsed(self, line: bytes) -> object:
        """A record or several, None for what is to be read as text."""
        start = line.lstrip()[:1]
        if start not in {b"{", b"["}:
            return None
        try:
            if len(line) > _RECORD_MOST:
                raise ValueError
            value = msgspec.json.decode(line)
        except RecursionError:
            self._count(Flaw.TOO_DEEP)
            return None
        except ValueError:
            # Plain lines may begin with a bracket: `[2024-05-01 …]` is no broken record.
            if start == b"{":
                self._count(Flaw.NOT_JSON)
            return None
        return value if isinstance(value, dict) or _are_records(value) else None

    def _written(self, record: _Record, told: Told) -> Written:
        fields = self._shapes.of(record)
        inner = self._unpacked(fields, record)
        own = self._line(fields, record, told, None if inner is None else "")
        if inner is None:
            return own
        below = self._line(
            self._inner.of(inner),
            inner,
            replace(told, origin=own.origin, now=own.at),
            None,
        )
        return Written(
            at=below.at,
            level=below.level or own.level,
            origin=below.origin,
            text=below.text,
            trace=below.trace if below.trace != NO_TRACE else own.trace,
        )

    def _unpacked(self, fields: Fields, record: _Record) -> _Record | None:
        """The record that a program wrote, in the text of the one that a shipper made of it."""
        text = fields.first("text", record, _is_text)
        if isinstance(text, dict):
            return text
        if text is None or not text.lstrip().startswith("{"):
            return None
        value = self._parsed(text.encode("utf-8", "replace"))
        return value if isinstance(value, dict) else None

    def _line(self, fields: Fields, record: _Record, told: Told, text: str | None) -> Written:
        """A record as a line; `text` where it is known already."""
        origin = fields.origin(record, told.origin)
        at = in_time(self._at(fields, record, told), told.now, self._count)
        level = fields.level(record)
        trace = trace_of(fields.first("trace", record, _is_trace))
        said = self._text(fields, record) if text is None else text
        if level is Level.UNKNOWN and said:
            # Nobody took the line apart: it may have a header.
            plain = plain_line(said, replace(told, origin=origin, now=at), self._count)
            if trace == NO_TRACE:
                return plain
            return Written(
                at=plain.at, level=plain.level, origin=plain.origin, text=plain.text, trace=trace
            )
        return Written(at=at, level=level, origin=origin, text=said.encode(), trace=trace)

    def _at(self, fields: Fields, record: _Record, told: Told) -> int | None:
        value = fields.first("time", record, lambda value: at_of(value, told.zone) is not None)
        return at_of(value, told.zone)

    def _text(self, fields: Fields, record: _Record) -> str:
        """What a record says, with its stack trace; the whole record where it has no text."""
        text = fields.first("text", record, _is_said)
        said = text if text is not None else msgspec.json.encode(record).decode()
        stack = fields.first("stack", record, _is_said)
        if stack and stack not in said:
            said = f"{said}\n{stack}"
        return cleaned(said.encode("utf-8", "replace").rstrip(), self._count)


def _named(name: str, mappings: Sequence[Mapping]) -> tuple[Mapping, ...]:
    found = tuple(mapping for mapping in mappings if mapping.name == name)
    if not found:
        there = ", ".join((AUTO, *(mapping.name for mapping in mappings)))
        raise ConfigError(f"there is no mapping {name!r}; there are {there}")
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str | dict)


def _is_said(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_trace(value: object) -> bool:
    return trace_of(value) != NO_TRACE


def _are_records(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)
