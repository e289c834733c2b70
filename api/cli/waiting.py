"""Asking again until there is an answer; the clock and the pause are given, so nothing sleeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from api.cli.guard import CouldNotAskError
from api.cli.told import Told, told_of

__all__ = ["Rhythm", "wait"]

# A restart of the server takes seconds; one that is away for longer is not coming back by itself.
PATIENCE_S = 120.0
DECIDED = frozenset({"pass", "fail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How to wait: `now` in unix seconds, `pause` for seconds, `tell` a line to the person."""

    every_s: float
    until: float
    now: Callable[[], float]
    pause: Callable[[float], None]
    tell: Callable[[str], None]


def wait(ask: Callable[[], bytes], rhythm: Rhythm) -> bytes:
    """The body of the first answer that decides, or of the last one, asked at the end.

    While the server is away it is asked on, for two minutes and not beyond the end; then
    `CouldNotAskError`.
    """
    away_since: float | None = None
    while True:
        began = rhythm.now()
        try:
            body = ask()
        except CouldNotAskError as error:
            away_since = began if away_since is None else away_since
            now = rhythm.now()
            if now >= rhythm.until or now - away_since >= PATIENCE_S:
                raise
            rhythm.tell(f"no answer: {error}")
        else:
            away_since = None
            told = told_of(body)
            if _is_decided(told) or began >= rhythm.until:
                return body
            rhythm.tell(f"{told.answer}: {told.waiting or told.reason.text}")
        rhythm.pause(max(0.0, min(rhythm.every_s, rhythm.until - rhythm.now())))


def _is_decided(told: Told) -> bool:
    """A pass, a fail, or a deadline that has passed; a paused fail waits for a person."""
    return told.answer in DECIDED or told.reason.code == "deadline_reached"
