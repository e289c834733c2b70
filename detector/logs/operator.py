"""The keyed operator of logs: counts in, anomalies out."""

from __future__ import annotations

from collections.abc import Iterator

from detector.logs.arriving import Bin, bins
from detector.logs.counted import LogCounts
from detector.logs.heartbeat import beaten
from detector.logs.novelty import began, came, judged, over
from detector.logs.silence import fallen_silent, gone, returned
from detector.logs.state import LogState
from detector.stream.anomaly import Happened

__all__ = ["step"]

_HOUR_MS = 3_600_000
# So long after its end it is known what an anomaly was about, for what people say of it.
_REST_MS = 7 * 24 * _HOUR_MS


def step(state: LogState, counts: LogCounts) -> tuple[LogState, tuple[Happened, ...]]:
    """Take counts of lines; what happened, in order.

    The state that comes in is used up. The same batches give the same events and state, also where
    a snapshot was between them. What comes later than others counts: a template in it that nobody
    wrote before is new, beats of a heartbeat that is heard again since then are passed over.
    """
    if not len(counts):
        return state, ()
    happened: list[Happened] = []
    for one in bins(state, counts):
        happened += _taken(state, one, counts.step_ms)
    return state, tuple(happened)


def _taken(state: LogState, one: Bin, step_ms: int) -> Iterator[Happened]:
    learn_ms = int(state.settings.learn_s * 1000)
    state.services.heard(one.services, one.at, learn_ms)
    for row in one.fresh:
        began(state, row, one.at)
    _count(state, one)
    yield from judged(state, one.services.tolist(), max(one.at, state.watermark))
    beats = state.rows["beat"][one.rows]
    back = one.rows[state.rows["silent"][one.rows] & (beats < one.at)]
    beaten(state, one.rows, one.at, step_ms)
    yield from returned(state, back.tolist(), one.at)
    if one.at > state.watermark or state.swept < state.watermark:
        state.watermark = state.swept = max(one.at, state.watermark)
        yield from _swept(state, step_ms)


def _count(state: LogState, one: Bin) -> None:
    """Lines of what is new or told of."""
    is_told = state.rows["young"][one.rows] | state.rows["noted"][one.rows]
    for row, count in zip(one.rows[is_told].tolist(), one.count[is_told].tolist(), strict=True):
        came(state, row, count, one.at)


def _swept(state: LogState, step_ms: int) -> Iterator[Happened]:
    """What follows from time alone, once the last lines of it are in."""
    now = state.watermark
    yield from over(state, now)
    yield from gone(state, now)
    yield from fallen_silent(state, now - int(state.settings.late_s * 1000), step_ms)
    for key, telling in list(state.resting.items()):
        if now - telling.newest > _REST_MS:
            del state.resting[key]
    if now // _HOUR_MS != (now - step_ms) // _HOUR_MS:
        state.rows.forget(now - int(state.settings.known_s * 1000))
