"""The JSON of OTLP logs as it is typed, and as protobuf, as far as anything of it is read.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: names in lowerCamelCase, enums as
integers, 64-bit integers as strings or numbers, ids hexadecimal, unknown fields passed over.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable

import msgspec

from pipelines.ingest.logs.conventions import convention
from pipelines.ingest.logs.packing import field, fixed64, number, utf8

__all__ = ["Export", "packed_export"]

_TRACE_BYTES = 16
_DOUBLE = struct.Struct("<d")
_UINT64 = struct.Struct("<Q")


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    """Names in lowerCamelCase."""


class Value(_Named, frozen=True):
    """One of them is there, or none."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bytes_value: str | None = None
    array_value: Values | None = None
    kvlist_value: Pairs | None = None


class Values(_Named, frozen=True):
    """A list."""

    values: list[Value | None] | None = None


class Pair(_Named, frozen=True):
    """An attribute."""

    key: str = ""
    value: Value | None = None


class Pairs(_Named, frozen=True):
    """An object."""

    values: list[Pair] | None = None


class _Record(_Named, frozen=True):
    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    severity_number: int | str | None = None
    severity_text: str | None = None
    body: Value | None = None
    attributes: list[Pair] | None = None
    trace_id: str | None = None
    event_name: str | None = None


class _Scope(_Named, frozen=True):
    log_records: list[_Record] | None = None


class _Resource(_Named, frozen=True):
    attributes: list[Pair] | None = None


class _ResourceLogs(_Named, frozen=True):
    resource: _Resource | None = None
    scope_logs: list[_Scope] | None = None


class Export(_Named, frozen=True):
    """A request."""

    resource_logs: list[_ResourceLogs] | None = None


def packed_export(export: Export) -> bytes:
    """The same in protobuf; `ValueError` for numbers that are none, or too large."""
    names = convention("otlp").spelled
    return b"".join(field(1, _resource(one, names)) for one in export.resource_logs or ())


def _resource(one: _ResourceLogs, names: frozenset[str]) -> bytes:
    told = (one.resource.attributes if one.resource else None) or ()
    scopes = [field(2, _scope(scope, names)) for scope in one.scope_logs or ()]
    return field(1, b"".join(field(1, _pair(pair)) for pair in told)) + b"".join(scopes)


def _scope(scope: _Scope, names: frozenset[str]) -> bytes:
    return b"".join([field(2, _record(record, names)) for record in scope.log_records or ()])


def _record(record: _Record, names: frozenset[str]) -> bytes:
    parts = [
        fixed64(1, _uint64(record.time_unix_nano)),
        fixed64(11, _uint64(record.observed_time_unix_nano)),
        number(2, int(record.severity_number or 0)),
    ]
    if record.severity_text:
        parts.append(field(3, utf8(record.severity_text)))
    if record.body is not None:
        parts.append(field(5, _value(record.body)))
    # Of a record's attributes nobody looks at any other.
    told = (pair for pair in record.attributes or () if pair.key in names)
    parts += [field(6, _pair(pair)) for pair in told]
    if record.trace_id:
        parts.append(field(9, _unhexed(record.trace_id)))
    if record.event_name:
        parts.append(field(12, utf8(record.event_name)))
    return b"".join(parts)


def _pair(pair: Pair) -> bytes:
    value = b"" if pair.value is None else field(2, _value(pair.value))
    return field(1, utf8(pair.key)) + value


def _value(value: Value) -> bytes:
    if value.string_value is not None:
        return field(1, utf8(value.string_value))
    if value.bool_value is not None:
        return number(2, value.bool_value)
    if value.int_value is not None:
        return number(3, int(value.int_value))
    if value.double_value is not None:
        return fixed64(4, _DOUBLE.pack(float(value.double_value)))
    return _larger(value)


def _larger(value: Value) -> bytes:
    if value.array_value is not None:
        return field(5, _list(value.array_value.values or ()))
    if value.kvlist_value is not None:
        pairs = value.kvlist_value.values or ()
        return field(6, b"".join(field(1, _pair(pair)) for pair in pairs))
    if value.bytes_value is not None:
        return field(7, base64.b64decode(value.bytes_value, validate=True))
    return b""


def _list(values: Iterable[Value | None]) -> bytes:
    return b"".join(field(1, b"" if value is None else _value(value)) for value in values)


def _uint64(value: int | str | None) -> bytes:
    try:
        return _UINT64.pack(int(value or 0))
    except struct.error as error:
        raise ValueError(f"{value!r} is no time in nanoseconds") from error


def _unhexed(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits) if len(digits) == 2 * _TRACE_BYTES else b""
    except ValueError:
        return b""
