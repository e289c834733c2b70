"""How often a service moved in its own history as it moves in an incident: a habit is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.gate.frame import Frame
from detector.series import FloatArray
from models.sequential.reference import bucket_middles, count_reference, histogram_reference

__all__ = ["RESTLESS", "count_unrest", "scale_unrest"]

# A garbage collector's saw-tooth has the incident switch on in a fifth to a half of all bins; an
# incident of ten minutes in two hours of history in a twelfth.
RESTLESS = 0.10


def count_unrest(n: FloatArray, x: FloatArray, rate: float, frame: Frame, scale: float) -> float:
    """Share of the history's bins in which counts (pods, T) of the control were an incident."""
    served, events = _past(n, frame), _past(x, frame)
    nobody = np.zeros(len(served))
    step_s = frame.step / scale
    return _share(count_reference(served, events, nobody, rate, step_s, 0).incident)


def scale_unrest(counts: FloatArray, edges: FloatArray, frame: Frame, scale: float) -> float:
    """Share of the history's bins in which latency (pods, T, B + 1) was an incident.

    As seen beside a canary that serves as much as the control does.
    """
    past = _past(counts, frame)
    step_s = frame.step / scale
    return _share(histogram_reference(past, past.sum(axis=1), bucket_middles(edges), step_s, 0)[2])


def _past(values: FloatArray, frame: Frame) -> FloatArray:
    """The control's pods together, before the start."""
    past: FloatArray = values[:, : max(0, -frame.first)].sum(axis=0)
    return past


def _share(incident: NDArray[np.bool_]) -> float:
    return float(np.mean(incident)) if len(incident) else 0.0
