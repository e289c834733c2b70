"""Ports of logs: where doors put the lines that they decoded, and who knows what lines say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from detector.logs.counted import Template
from detector.logs.lines import LogLines

__all__ = ["LogSink", "ReadLogSink", "TemplateTexts"]


class LogSink(Protocol):
    """Where a door puts what it decoded; safe for threads, never waits for room."""

    def put(self, tenant: str, lines: LogLines) -> bool:
        """Take all of a batch, or (False) nothing: there is no room, it is to come again.

        True promises that it is counted exactly once even if the process dies. `StoreError` where
        nothing can be kept at all. The arrays of a batch may be views of one message: a sink that
        keeps them for long copies them, and none writes into them.
        """
        ...


@runtime_checkable
class ReadLogSink(LogSink, Protocol):
    """A sink that keeps, with the lines themselves, how far a source of them was read."""

    def put_read(self, tenant: str, lines: LogLines, *, source: str, read_to: int) -> bool:
        """As `put`, also of no lines; with it all is here that `source` has before `read_to`.

        `read_to` is in unix nanoseconds, and kept or lost together with the lines.
        """
        ...

    def read_to(self, tenant: str, source: str) -> int | None:
        """The last `read_to` of a source that was taken, also by a process that died."""
        ...


class TemplateTexts(Protocol):
    """What kinds of log lines say."""

    def __call__(self, tenant: str, ids: Sequence[str]) -> Mapping[str, Template]:
        """Those that are known, by id; returns soon. `StoreError` where nobody can say."""
        ...
