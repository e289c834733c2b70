"""A forecast that a running serinus tells, as a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api.cli.guard import CouldNotAskError
from api.client.columns import Column, Dtype, frame_of
from detector.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["POINTS", "foretold"]

POINTS = (
    Column(name="at", dtype=Dtype.TIME, path=("at",)),
    Column(name="point", dtype=Dtype.NUMBER, path=("value",)),
    Column(name="low", dtype=Dtype.NUMBER, path=("intervals", 0, "low")),
    Column(name="high", dtype=Dtype.NUMBER, path=("intervals", 0, "high")),
)


def foretold(body: Mapping[str, Any]) -> pd.DataFrame:
    """The points of an answer by time.

    `attrs` have `of`, `mase`, `weights`, `assumptions` and `coverage`. `InputError` says
    why nothing is foretold, `CouldNotAskError` that it is no forecast.
    """
    points = body.get("points")
    if not isinstance(points, list) or not all(isinstance(one, dict) for one in points):
        raise CouldNotAskError("the answer is none of serinus: it has no points")
    if not points:
        words = body.get("problem") or "there is nothing to be foretold"
        raise InputError(f"history: {words}", field="history", semantic=True)
    frame = frame_of(points, POINTS).set_index("at")
    intervals = points[0].get("intervals") or [{}]
    told = {name: body.get(name) for name in ("of", "mase", "weights", "assumptions")}
    frame.attrs = {**told, "coverage": intervals[0].get("coverage")}
    return frame
