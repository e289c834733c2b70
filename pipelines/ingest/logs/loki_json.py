"""Pushes of Loki in JSON, as the same request in protobuf; and what a Loki answers, alike.

https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec

from pipelines.ingest.decoded import broken
from pipelines.ingest.logs.json_texts import read_json
from pipelines.ingest.logs.loki import LokiPush
from pipelines.ingest.logs.packing import field, utf8, varint
from pipelines.ingest.logs.taken import Moment, TakenLines
from pipelines.ingest.records.flaws import Flaw

__all__ = ["Entry", "LokiJsonPush", "Stream", "labels_text", "packed_streams"]

_WHAT = "what Loki's senders push"
_NS = 1_000_000_000
_MOST_NS = 2**63


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """A line: its time in unix nanoseconds, as a text, itself, and what is told beside labels."""

    at: str
    line: str
    metadata: dict[str, str] = {}


class Stream(msgspec.Struct, frozen=True):
    """Lines with the same labels."""

    stream: dict[str, str]
    values: list[Entry] = []


class _Push(msgspec.Struct, frozen=True):
    streams: list[Stream] = []


_DECODER = msgspec.json.Decoder(_Push)


class LokiJsonPush:
    """The door of one tenant; safe for threads."""

    def __init__(self, protobuf: LokiPush) -> None:
        self._protobuf = protobuf

    def decode(self, body: bytes, moment: Moment) -> TakenLines:
        """As `LokiPush.decode`."""
        push, is_mended = read_json(body, _DECODER.decode, _Push, _WHAT)
        taken = self._protobuf.decode(packed_streams(push.streams), moment)
        if not is_mended:
            return taken
        return replace(taken, dropped={**taken.dropped, Flaw.NOT_UTF8: 1})


def packed_streams(streams: Iterable[Stream]) -> bytes:
    """The same as a push request in protobuf; `InputError` for a time that is none."""
    return b"".join(field(1, _stream(stream)) for stream in streams)


def _stream(stream: Stream) -> bytes:
    entries = b"".join([field(2, _entry(entry)) for entry in stream.values])
    return field(1, utf8(labels_text(stream.stream))) + entries


def labels_text(labels: Mapping[str, str]) -> str:
    """As Loki spells them: a name that is none stays one that cannot be read."""
    return "{" + ", ".join(f"{name}={_quoted(labels[name])}" for name in sorted(labels)) + "}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _entry(entry: Entry) -> bytes:
    at, line = _moment(entry.at), utf8(entry.line)
    packed = field(1, b"\x08" + varint(at // _NS) + b"\x10" + varint(at % _NS)) + field(2, line)
    return packed + b"".join(_pair(name, value) for name, value in entry.metadata.items())


def _pair(name: str, value: str) -> bytes:
    return field(3, field(1, utf8(name)) + field(2, utf8(value)))


def _moment(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < _MOST_NS):
        raise broken(f"the time of a line must be unix nanoseconds in digits, not {text[:40]!r}")
    return int(text)
