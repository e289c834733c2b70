"""What the gate wants to know of capacity."""

from __future__ import annotations

from typing import Protocol

from detector.capacity.report import Report

__all__ = ["Outlooks"]


class Outlooks(Protocol):
    """Capacity as it was assessed, without any fit or query."""

    def at(self, as_of: float) -> Report | None:
        """The newest report that was there at unix seconds; None before the first; `StoreError`."""
        ...
