"""Anomalies of services with spans, told with traces: again when the spans of those are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from detector.spans.exemplars import BEFORE_MS, Sought, examples, sought_for
from detector.spans.series import About
from detector.spans.state import SpanState
from detector.stream.anomaly import Happened, Happening
from detector.stream.traced import TraceNote, merged

__all__ = ["Traced"]

# Anomalies whose traces are remembered, those told last.
_MOST = 500
# How often it is looked whether all spans of a trace have come, and how long after they should.
_LOOKS, _AFTER_MS = 4, 5_000
_PREFIX = "traced."
_Arrays = Mapping[str, NDArray[Any]]


class _Held(msgspec.Struct, kw_only=True):
    """An anomaly as it was told last; it is looked at again at `due`, unix milliseconds, or not."""

    told: Happened
    about: About
    due: int = 0
    looks: int = 0


class Traced:
    """Of one tenant; its state is a plain array."""

    def __init__(self, arrays: _Arrays | None = None, *, step_ms: int) -> None:
        self._step_ms = step_ms
        self._held: dict[str, _Held] = {}
        body = (arrays or {}).get(_PREFIX + "held")
        if body is not None:
            self._held = {one.told.anomaly.id: one for one in _read(body.tobytes())}
        self._due = self._next()

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that is held; nothing where that is nothing."""
        if not self._held:
            return {}
        body = msgspec.msgpack.encode(list(self._held.values()))
        return {_PREFIX + "held": np.frombuffer(body, np.uint8)}

    def tell(
        self, state: SpanState, happened: Sequence[tuple[Happened, About | None]]
    ) -> tuple[Happened, ...]:
        """The same with traces, for those that are about requests."""
        held = {
            one.anomaly.id: self._hold(state, one, about)
            for one, about in happened
            if about is not None
        }
        found = self._found(state, held)
        told = []
        for one, about in happened:
            anomaly = one.anomaly
            if about is not None:
                before = held[anomaly.id].told.anomaly.traces
                traces = merged(before, found[anomaly.id], about.lead)
                one = replace(one, anomaly=replace(anomaly, traces=traces))  # noqa: PLW2901
                held[anomaly.id].told = one
            told.append(one)
        self._due = self._next()
        return tuple(told)

    def later(self, state: SpanState) -> tuple[Happened, ...]:
        """Those told before of which more is known by now."""
        if not self._due or state.last < self._due:
            return ()
        due = {id: one for id, one in self._held.items() if 0 < one.due <= state.last}
        found = self._found(state, due)
        told = []
        for id, held in due.items():
            anomaly = held.told.anomaly
            # New ones only where their spans are there: so there is an end to it.
            new = (note for note in found[id] if note.spent)
            traces = merged(anomaly.traces, new, held.about.lead)
            held.looks += 1
            is_whole = bool(traces) and all(note.spent for note in traces)
            is_over = is_whole or held.looks >= _LOOKS
            held.due = 0 if is_over else state.last + _wait_ms(state)
            if is_over and traces != anomaly.traces:
                # Not later than what is told next of it.
                held.told = Happened(
                    kind=Happening.TRACED,
                    at=held.told.at,
                    anomaly=replace(anomaly, traces=traces),
                )
                told.append(held.told)
        self._due = self._next()
        return tuple(told)

    def __len__(self) -> int:
        return len(self._held)

    def _hold(self, state: SpanState, one: Happened, about: About) -> _Held:
        """What is remembered of an anomaly, and that it is looked at again."""
        id = one.anomaly.id
        held = self._held.pop(id, None) or _Held(told=one, about=about)
        self._held[id] = held
        traces = held.told.anomaly.traces
        held.told = replace(one, anomaly=replace(one.anomaly, traces=traces))
        held.about, held.looks, held.due = about, 0, max(state.last, 1) + _wait_ms(state)
        while len(self._held) > _MOST:
            del self._held[next(iter(self._held))]
        return held

    def _found(
        self, state: SpanState, held: Mapping[str, _Held]
    ) -> dict[str, tuple[TraceNote, ...]]:
        """By anomaly; where nothing is found at its time and of its operations, of those near."""
        near = [self._sought(state, one, self._step_ms) for one in held.values()]
        found = dict(zip(held, examples(state, near), strict=True)) if near else {}
        missing = [id for id, traces in found.items() if not traces]
        wide = [
            replace(self._sought(state, held[id], BEFORE_MS), operations=None) for id in missing
        ]
        if wide:
            found.update(zip(missing, examples(state, wide), strict=True))
        return found

    @staticmethod
    def _sought(state: SpanState, held: _Held, back_ms: int) -> Sought:
        return sought_for(held.told.anomaly, held.about, now=state.last, back_ms=back_ms)

    def _next(self) -> int:
        return min((one.due for one in self._held.values() if one.due), default=0)


def _read(body: bytes) -> list[_Held]:
    try:
        return msgspec.msgpack.decode(body, type=list[_Held])
    except msgspec.MsgspecError as error:
        # Of another version: those anomalies are shown with the traces that they had.
        log = structlog.get_logger("serinus.logs")
        log.warning("no more traces are looked for of what was told", why=str(error))
        return []


def _wait_ms(state: SpanState) -> int:
    return round(1000 * state.settings.settle_s) + _AFTER_MS
