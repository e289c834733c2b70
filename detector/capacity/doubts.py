"""What a forecast of a series rests on, in plain words: what was not measured, or is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from detector.capacity.moments import counted, lasting
from models.forecast.history import DAY_S, History

if TYPE_CHECKING:
    from models.forecast.outcome import Forecast

__all__ = ["doubts_of"]

_GAP_S, _YOUNG_S = 3 * DAY_S, 28 * DAY_S


def doubts_of(history: History, told: Forecast) -> tuple[str, ...]:
    """Why a forecast of this history is less sure than it looks, each in a sentence."""
    return tuple(_doubts(history, told))


def _doubts(history: History, told: Forecast) -> Iterator[str]:
    step_s, known = history.step_s, np.flatnonzero(np.isfinite(history.values))
    if told.strays:
        was = "was" if told.strays == 1 else "were"
        yield f"{counted(told.strays, 'value')} beyond all measure {was} left out."
    if told.silent:
        yield (
            f"Nothing was measured in the last {lasting(told.silent * step_s)}: it is taken to have"
            " gone on, and the intervals are wider."
        )
    gap_s = step_s * (int(np.diff(known).max(initial=1)) - 1)
    if gap_s >= _GAP_S:
        yield f"Nothing is known of {lasting(gap_s)} in a row; they are filled by what is usual."
    has_s = step_s * len(known)
    if has_s < _YOUNG_S:
        yield f"There are {lasting(has_s)} of history only, so the intervals are rough."
    if told.is_constant:
        yield (
            f"It was the same for all of {lasting(has_s)}: nothing is known of how it changes, and"
            " the intervals are only about a hundredth of it."
        )
