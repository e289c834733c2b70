"""Ports of logs: where doors put the lines that they decoded."""

from __future__ import annotations

from typing import Protocol

from detector.logs.lines import LogLines

__all__ = ["LogSink"]


class LogSink(Protocol):
    """Where a door puts what it decoded; safe for threads, never waits for room."""

    def put(self, tenant: str, lines: LogLines) -> bool:
        """Take all of a batch, or (False) nothing: there is no room, it is to come again.

        True promises that it is counted exactly once even if the process dies. `StoreError` where
        nothing can be kept at all. The arrays of a batch may be views of one message: a sink that
        keeps them for long copies them, and none writes into them.
        """
        ...
