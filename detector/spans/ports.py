"""Port of traces: where doors put spans."""

from __future__ import annotations

from typing import Protocol

from detector.spans.columns import Spans

__all__ = ["SpanSink"]


class SpanSink(Protocol):
    """Where a door puts the spans that it decoded; safe for threads, never waits for room."""

    def put(self, tenant: str, spans: Spans) -> bool:
        """Take all of a batch, or (False) nothing of it: there is no room, it is to come again.

        True promises that the batch is counted exactly once even if the process dies right after.
        Raises `StoreError` where nothing can be kept at all.
        """
        ...
