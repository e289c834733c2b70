"""What a door for logs made of a message: lines, and by name whatever was wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from detector.logs.lines import LogLines
from pipelines.ingest.decoded import Refused, Window
from pipelines.ingest.records.flaws import Flaw

__all__ = ["Moment", "TakenLines", "no_lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a message came, in unix milliseconds, and which times are taken of it."""

    now: int
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenLines:
    """The lines of a message that are taken; those refused; what was mended, or what came twice.

    `is_timed`: each line told its time itself, so that no other message has the same bytes.
    """

    lines: LogLines
    refused: Refused = field(default_factory=Refused)
    dropped: Mapping[Flaw, int] = field(default_factory=dict)
    is_timed: bool = False

    @property
    def taken(self) -> int:
        """How many lines are taken."""
        return len(self.lines)

    def repeated(self) -> TakenLines:
        """What is made of the same message where it comes once more."""
        dropped = {Flaw.REPEATED: self.taken} if self.taken else {}
        return TakenLines(lines=no_lines(), refused=self.refused, dropped=dropped)


def no_lines() -> LogLines:
    """None."""
    return LogLines(
        at=np.zeros(0, dtype=np.int64),
        level=np.zeros(0, dtype=np.uint8),
        origin=np.zeros(0, dtype=np.int32),
        trace=np.zeros((0, 16), dtype=np.uint8),
        text=np.zeros(0, dtype=np.uint8),
        ends=np.zeros(0, dtype=np.int64),
        origins=(),
    )
