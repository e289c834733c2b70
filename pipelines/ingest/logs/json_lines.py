"""JSON lines, as shippers write them to topics, taken as a message of any other door is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import LogLines, Origin
from pipelines.ingest.decoded import Refusal, Refused
from pipelines.ingest.logs.taken import Moment, TakenLines
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.json_lines import AUTO, JsonLines
from pipelines.ingest.records.mapping import Mapping
from pipelines.ingest.records.plain import Told

__all__ = ["JsonMessages"]


class JsonMessages:
    """Messages of one record, of several lines of them, or of an array; for one thread at a time.

    `mapping` names the convention of all of them; without it each record's own is recognised.
    """

    def __init__(self, *, mapping: str = AUTO, mappings: Sequence[Mapping] | None = None) -> None:
        self._flaws: Counter[Flaw] = Counter()
        self._records = JsonLines(self._count, mapping=mapping, mappings=mappings)

    def decode(self, body: bytes, moment: Moment) -> TakenLines:
        """The lines of a message; what is no record is taken as plain text."""
        self._flaws.clear()
        lines = self._records.decode(body, Told(origin=Origin(service=""), now=moment.now))
        late = lines.at < moment.window.oldest
        refused = Refused()
        if late.any():
            words = (
                f"the time {int(lines.at[late][0])} (unix milliseconds) is older than what is taken"
            )
            refused.add(Refusal.TOO_OLD, int(late.sum()), words)
            lines = _without(lines, late)
        return TakenLines(lines=lines, refused=refused, dropped=dict(self._flaws))

    def _count(self, flaw: Flaw) -> None:
        self._flaws[flaw] += 1


def _without(lines: LogLines, gone: NDArray[np.bool_]) -> LogLines:
    keep = np.flatnonzero(~gone)
    texts = [lines.message(nth) for nth in keep.tolist()]
    return LogLines(
        at=lines.at[keep],
        level=lines.level[keep],
        origin=lines.origin[keep],
        trace=lines.trace[keep],
        text=np.frombuffer(b"".join(texts), np.uint8),
        ends=np.cumsum([len(text) for text in texts], dtype=np.int64),
        origins=lines.origins,
    )
