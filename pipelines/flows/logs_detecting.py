"""What is odd about one tenant's lines: the detectors of logs in life, and what they remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from detector.logs.feedback import told
from detector.logs.operator import step
from detector.logs.plain import LINE_END
from detector.logs.settings import LogSettings
from detector.logs.snapshot import restored, taken
from detector.logs.state import LogState
from detector.logs.story import named
from detector.logs.tracing import LineTraces
from detector.stream.anomaly import Happened
from detector.stream.columns import SeriesInfo
from detector.stream.feedback import Feedback, Tuning
from detector.stream.suppression import Window
from pipelines.flows.logs_record import Lines
from pipelines.stores.own import STEP_MS

__all__ = ["TRACES", "Detecting"]

# First lines of stack traces that are remembered, of a kilobyte each.
TRACES = 5_000
Arrays = Mapping[str, NDArray[Any]]
_TRACED = "traced"
_Kept = list[tuple[tuple[str, str], tuple[str, ...]]]


class Detecting:
    """For one thread. `traces`: samples of templates that are stack traces, by id.

    A stack trace is known by its frames, which only its first line tells: that is kept.
    """

    def __init__(
        self,
        tenant: str,
        arrays: Arrays,
        traces: Mapping[str, str],
        *,
        settings: LogSettings,
        windows: Sequence[Window] = (),
        step_ms: int = STEP_MS,
        origin: str = "",
    ) -> None:
        self._traces, self._step = dict(traces), step_ms
        self.state = _state(tenant, arrays, settings, windows, origin)
        self._traced = LineTraces(_kept(arrays))

    def take(self, lines: Lines) -> tuple[Happened, ...]:
        """Take counts of lines; what happened."""
        counts = lines.counts(self._step)
        for one in counts.templates:
            if LINE_END in one.sample:
                self._remember(one.id, one.sample)
        whole = tuple(
            one if one.sample else replace(one, sample=self._traces.get(one.id, ""))
            for one in counts.templates
        )
        self._traced.remember(counts)
        self.state, happened = step(self.state, replace(counts, templates=whole))
        return tuple(self._traced.told(one) for one in happened)

    def _remember(self, id: str, sample: str) -> None:
        self._traces.setdefault(id, sample)
        while len(self._traces) > TRACES:
            del self._traces[next(iter(self._traces))]

    def said(self, feedback: Feedback) -> tuple[tuple[Happened, ...], tuple[Tuning, ...]]:
        """Apply what a person said; what happened, and what became of the templates."""
        self.state, happened, tunings = told(self.state, feedback)
        return tuple(self._traced.told(one) for one in happened), tunings

    def named(self, happened: Happened) -> dict[int, SeriesInfo]:
        """What the numbers of an anomaly's contributions stand for."""
        return named(happened.anomaly)

    def arrays(self) -> Arrays:
        """What a checkpoint is to hold."""
        body = msgspec.msgpack.encode(list(self._traced.kept.items()))
        return {**taken(self.state), _TRACED: np.frombuffer(body, np.uint8)}


def _kept(arrays: Arrays) -> dict[tuple[str, str], tuple[str, ...]]:
    if _TRACED not in arrays:
        return {}
    return dict(msgspec.msgpack.decode(arrays[_TRACED].tobytes(), type=_Kept))


def _state(
    tenant: str, arrays: Arrays, settings: LogSettings, windows: Sequence[Window], origin: str
) -> LogState:
    if arrays:
        try:
            return restored(
                arrays, tenant=tenant, settings=settings, windows=windows, origin=origin
            )
        except ValueError as error:
            log = structlog.get_logger("serinus.logs")
            log.warning("what is usual of logs is learned anew", why=str(error))
    return LogState(tenant=tenant, settings=settings, windows=tuple(windows), origin=origin)
