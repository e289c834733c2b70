"""A message of syslog, of RFC 5424 or the older RFC 3164, as a line of a log."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from detector.logs.lines import Level, Origin
from pipelines.ingest.records.building import NO_TRACE, Written
from pipelines.ingest.records.cleaned import cleaned
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.json_lines import JsonLines
from pipelines.ingest.records.levels import Scale, level_of
from pipelines.ingest.records.moments import at_of
from pipelines.ingest.records.plain import Told, in_time
from pipelines.ingest.records.stamps import stamp_of
from pipelines.ingest.records.trace_ids import trace_of

__all__ = ["SyslogLines"]

# Section 6 of RFC 5424: priority, version, time, host, program, process, kind of message.
_HEADER = re.compile(
    r"<(\d{1,3})>1 (\S{1,64}) (\S{1,255}) (\S{1,128}) (\S{1,128}) (\S{1,64}) (?=-|\[)"
)
_OLD = re.compile(r"<(\d{1,3})>")
_OLD_TAG = re.compile(
    r"\s*(?:(?P<host>[\w.:-]{1,255}) )??(?P<program>[\w./@-]{1,64})(?:\[[^\]\s]{1,40}\])?: ?"
)
# Elements of structured data; within values a quote, a bracket and a backslash are escaped.
_ELEMENT = re.compile(r'\[[^\s\]="]{1,64}((?: [^\s\]="]{1,64}="(?:[^"\\\]]|\\.){0,4096}")*)\]')
_PARAMETER = re.compile(r' ([^\s\]="]{1,64})="((?:[^"\\\]]|\\.)*)"')
# How rsyslog writes bytes that would end a message: `#012` is a line end.
_ESCAPED = re.compile(r"#(011|012|015|033)")
_TRACES = ("trace_id", "traceId", "trace", "traceparent")
_VERSIONS = ("version", "service.version", "swVersion")
_NAMESPACES = ("namespace", "k8s.namespace.name")
_DATA_MOST = 64


class SyslogLines:
    """Reads messages; what `told` says of their origin goes before what they say."""

    def __init__(self, count: Callable[[Flaw], None], records: JsonLines) -> None:
        self._count, self._records = count, records

    def read(self, message: bytes, told: Told) -> Written | None:
        """The line of a message, None for one that says nothing.

        The severity is the level, the program the service, the host the pod. A message that is
        JSON, or has a header of its own, is read further.
        """
        text = _unescaped(cleaned(message, self._count))
        header = _HEADER.match(text)
        if header is not None:
            return self._modern(header, text, told)
        old = _OLD.match(text)
        if old is not None:
            return self._older(old, text, told)
        return self._said(text, told, Level.UNKNOWN)

    def _modern(self, header: re.Match[str], text: str, told: Told) -> Written | None:
        priority, time, host, program, _, _ = header.groups()
        data, end = _data_of(text, header.end())
        known = _known(told, host, program, data)
        at = in_time(at_of(time, told.zone), told.now, self._count)
        line = self._said(text[end:], replace(known, now=at), _gravity(priority))
        return None if line is None else _traced(line, data)

    def _older(self, header: re.Match[str], text: str, told: Told) -> Written | None:
        """`<13>May  1 10:00:00 host program[7]: …`, of which anything may be missing."""
        stamp = stamp_of(text, header.end(), now=told.now, zone=told.zone)
        at, end = told.now, header.end()
        host, program = "-", "-"
        if stamp is not None and not stamp.is_whole:
            at, end = in_time(stamp.at, told.now, self._count), stamp.end
            host, program = stamp.host or "-", stamp.program or "-"
        tag = _OLD_TAG.match(text, end) if program == "-" else None
        if tag is not None:
            host, program, end = tag["host"] or "-", tag["program"], tag.end()
        known = _known(told, host, program, {})
        return self._said(text[end:], replace(known, now=at), _gravity(header[1]))

    def _said(self, text: str, told: Told, level: Level) -> Written | None:
        line = self._records.read(text.strip().encode(), told)
        # What the program says of its line is nearer than what the system made of it.
        return line if line is None or line.level else replace(line, level=level)


def _gravity(priority: str) -> Level:
    return level_of(int(priority) & 7, Scale.SYSLOG)


def _known(told: Told, host: str, program: str, data: dict[str, str]) -> Told:
    """Who wrote it; `-` is what nobody told."""
    origin = Origin(
        service=told.origin.service or _told(program),
        namespace=told.origin.namespace or _first(data, _NAMESPACES),
        cluster=told.origin.cluster,
        pod=told.origin.pod or _told(host),
        version=told.origin.version or _first(data, _VERSIONS),
    )
    return replace(told, origin=origin)


def _told(word: str) -> str:
    return "" if word == "-" else word


def _first(data: dict[str, str], names: tuple[str, ...]) -> str:
    return next((data[name] for name in names if data.get(name)), "")


def _traced(line: Written, data: dict[str, str]) -> Written:
    if line.trace != NO_TRACE:
        return line
    return replace(line, trace=trace_of(_first(data, _TRACES)))


def _data_of(text: str, start: int) -> tuple[dict[str, str], int]:
    """Parameters of the structured data by name, and where the message begins."""
    if text.startswith("-", start):
        return {}, start + 1
    data: dict[str, str] = {}
    element = _ELEMENT.match(text, start)
    while element is not None:
        start = element.end()
        for name, value in _PARAMETER.findall(element[1])[:_DATA_MOST]:
            data.setdefault(name, re.sub(r"\\(.)", r"\1", value)[:256])
        element = _ELEMENT.match(text, start) if len(data) < _DATA_MOST else None
    return data, start


def _unescaped(text: str) -> str:
    if "#0" not in text:
        return text
    return _ESCAPED.sub(lambda found: {"011": "\t", "012": "\n"}.get(found[1], ""), text)
