"""How much more memory a canary's pods hold than older ones of the control at the same load.

Heaps and caches fill: a young pod holds less than it will. So only more is told, and as the least
of it. What is held in the first ten minutes may be given back, and says nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detector.gate.frame import Arm
from detector.gate.promotion import MEMORY
from detector.gate.verdict import Effect
from detector.gate.window import Window
from detector.series import FloatArray
from models.sequential.rows import ROWS, RowName

__all__ = ["heavier"]

_LEVEL_S, _BEGUN_S, _PRESENT = 600.0, 600.0, 0.8
# Control pods count that are hardly younger, and pods that serve so many times as much at most.
_AS_OLD, _LOAD = 0.8, 1.25
# Levels of one pod are hardly known better than to five per cent.
_LEAST_SD, _Z90 = 0.05, 1.645


def heavier(window: Window) -> Effect | None:
    """Times as much by the pods' means of the last ten minutes, with 90 %; None where not more.

    None too where it is not known: too few samples, pods that are too young, a control that is
    younger, or canary pods that serve more than the control's.
    """
    width = round(_LEVEL_S / window.step_s)
    arms = window.frame.canary, window.frame.control
    if any(arm.gauges.get(MEMORY) is None or not arm.pods for arm in arms):
        return None
    scale = window.frame.step / window.step_s
    (held, age, load), (usual, older, share) = (_lately(arm, width, scale) for arm in arms)
    mine = np.isfinite(held) & (age >= _BEGUN_S)
    if not mine.any():
        return None
    theirs = np.isfinite(usual) & (older >= _AS_OLD * age[mine].max())
    if not theirs.any() or load[mine].mean() > _LOAD * share[theirs].mean():
        return None
    return _more(np.log(held[mine]), np.log(usual[theirs]))


def _lately(arm: Arm, width: int, scale: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What each pod held, NaN where it is not known; its age in engine seconds; its requests."""
    last = arm.gauges[MEMORY][:, -width:]
    known: NDArray[np.bool_] = last > 0
    seen = known.sum(axis=1)
    total = np.where(known, last, 0.0).sum(axis=1)
    held = np.where(seen >= _PRESENT * width, total / np.maximum(seen, 1), np.nan)
    return held, np.nan_to_num(arm.age[:, -1]) / scale, arm.requests[:, -width:].mean(axis=1)


def _more(ours: FloatArray, theirs: FloatArray) -> Effect | None:
    value = float(ours.mean() - theirs.mean())
    spread = max(float(ours.std()), float(theirs.std()), _LEAST_SD)
    wide = _Z90 * spread * math.sqrt(1 / len(ours) + 1 / len(theirs))
    if value <= wide:
        return None
    row = ROWS[RowName.GAUGE]
    return Effect(
        kind="ratio",
        value=math.exp(value),
        low=math.exp(value - wide),
        high=math.exp(value + wide),
        tolerate=math.exp(row.tolerate),
        limit=math.exp(row.limit),
    )
