"""Push requests of Loki, by the library of protobuf and a description of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["PushRequest", "pushed"]

_STRING, _INT64, _INT32, _UINT64, _MESSAGE = 9, 3, 5, 4, 11
_ONE, _MANY = 1, 3
# https://github.com/grafana/loki, pkg/push/push.proto: name, number, type, how many, of which.
_MESSAGES: Mapping[str, tuple[tuple[str, int, int, int, str], ...]] = {
    "PushRequest": (("streams", 1, _MESSAGE, _MANY, "StreamAdapter"),),
    "StreamAdapter": (
        ("labels", 1, _STRING, _ONE, ""),
        ("entries", 2, _MESSAGE, _MANY, "EntryAdapter"),
        ("hash", 3, _UINT64, _ONE, ""),
    ),
    "EntryAdapter": (
        ("timestamp", 1, _MESSAGE, _ONE, "Timestamp"),
        ("line", 2, _STRING, _ONE, ""),
        ("structuredMetadata", 3, _MESSAGE, _MANY, "LabelPairAdapter"),
        ("parsed", 4, _MESSAGE, _MANY, "LabelPairAdapter"),
    ),
    "LabelPairAdapter": (("name", 1, _STRING, _ONE, ""), ("value", 2, _STRING, _ONE, "")),
    "Timestamp": (("seconds", 1, _INT64, _ONE, ""), ("nanos", 2, _INT32, _ONE, "")),
}


def _described() -> Any:  # noqa: ANN401
    file = descriptor_pb2.FileDescriptorProto(name="push.proto", package="loki", syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, kind, label, of in fields:
            field = described.field.add(name=name, number=number, type=kind, label=label)
            if of:
                field.type_name = f".loki.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("loki.PushRequest"))


PushRequest = _described()


def pushed(
    streams: Mapping[str, Iterable[tuple[int, str] | tuple[int, str, Mapping[str, str]]]],
) -> Any:  # noqa: ANN401
    """A request with entries of time, line and metadata, by the text of their labels."""
    request = PushRequest()
    for labels, entries in streams.items():
        stream = request.streams.add(labels=labels)
        for at, line, *metadata in entries:
            entry = stream.entries.add(line=line)
            entry.timestamp.seconds, entry.timestamp.nanos = divmod(at, 10**9)
            for name, value in (metadata[0] if metadata else {}).items():
                entry.structuredMetadata.add(name=name, value=value)
    return request
