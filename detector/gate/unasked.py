"""Events that units have without being asked: with time, and while they start.

A loop that fails once a minute writes as often on a pod that serves a request an hour as on one
that serves a thousand a second. So a canary whose pods carry less than the control's may have what
those have in the same time; and a unit that starts may have more, fading.
"""

from __future__ import annotations

import numpy as np

from detector.gate.window import Window, sums_over
from detector.series import FloatArray
from models.sequential.rows import Row

__all__ = ["lacking", "unasked"]

_LOAD_S = 300.0


def lacking(win: Window, ours: FloatArray, theirs: FloatArray, since: int) -> FloatArray:
    """Requests that rows lack to the load of a control pod, from bin `since` on: (T - since, P).

    `ours`, `theirs`: requests by pod (pods, T) in the time in which they were read, above 0 there.
    """
    served, units = win.canary(ours, since), win.canary(_read(ours), since)
    control, pods = win.reference(theirs, since), win.reference(_read(theirs), since)
    usual = _each(control, pods, win.step_s)
    lately = _each(served, units, win.step_s)
    short: FloatArray = units * np.maximum(usual[:, None] - lately, 0.0)
    return short


def unasked(row: Row, win: Window, ours: FloatArray, since: int) -> FloatArray:
    """Events that rows may have whatever their traffic, from bin `since` on: (T - since, P)."""
    units = win.canary(_read(ours), since)
    age = np.nan_to_num(win.age[since:], nan=np.inf)
    rate = row.idle + row.starting * np.exp(-age / max(row.damp_s, 1e-9))
    events: FloatArray = units * rate * win.step_s
    return events


def _read(requests: FloatArray) -> FloatArray:
    return (requests > 0).astype(np.float64)


def _each(served: FloatArray, units: FloatArray, step_s: float) -> FloatArray:
    """Requests of a unit in one bin, over trailing windows."""
    lately = sums_over(units, _LOAD_S, step_s)
    each: FloatArray = sums_over(served, _LOAD_S, step_s) / np.maximum(lately, 1.0)
    return each
