"""The services of a tenant as plain arrays under a schema number, and back: the same to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.fitted.intake import KEPT
from detector.fitted.model import FittedModel
from detector.fitted.scorer import RowScorer
from detector.fitted.together import Together, for_services
from detector.fitted.unit import Row, Unit, unit_of
from detector.stream.columns import SeriesInfo
from detector.stream.scoring import Arrays
from detector.stream.settings import StreamSettings
from detector.stream.snapshot import restored, taken
from detector.stream.suppression import Window
from models.anomaly.multivariate.model import Carried

__all__ = ["kept", "taken_up"]

SCHEMA = 1
_STATE, _MEMBER = "state.", "member."


class _Rest(msgspec.Struct, frozen=True, kw_only=True):
    schema: int
    watermark: int
    left_out: int
    ends: list[int]
    rows: dict[int, list[Row]]


def kept(of: Together) -> dict[str, NDArray[Any]]:
    """All that is held; settings and windows are told anew. Arrays may be views."""
    rest = _Rest(
        schema=SCHEMA,
        watermark=of.watermark,
        left_out=of.left_out,
        ends=of.intake.ends.tolist(),
        rows={number: list(rows.values()) for number, rows in of.rows.items()},
    )
    arrays: dict[str, NDArray[Any]] = {
        "rest": np.frombuffer(msgspec.msgpack.encode(rest), np.uint8)
    }
    for unit in of.units:
        arrays[f"unit.{unit.number}"] = np.frombuffer(unit.body, np.uint8)
        arrays[f"unit.{unit.number}.rows"] = unit.carried.rows
        arrays[f"unit.{unit.number}.smooth"] = unit.carried.smooth
    return arrays | _members(of) | {_STATE + n: one for n, one in taken(of.state).items()}


def taken_up(
    arrays: Arrays,
    *,
    tenant: str,
    settings: StreamSettings,
    windows: Sequence[Window],
    origin: str,
    named: Callable[[int], SeriesInfo | None],
) -> Together:
    """The services of a snapshot; `ValueError` for one of another schema or that is not whole.

    `named` tells what the ids of series stand for.
    """
    rest = msgspec.msgpack.decode(arrays["rest"].tobytes(), type=_Rest)
    if rest.schema != SCHEMA:
        raise ValueError(f"services have schema {rest.schema}, this reads {SCHEMA}")
    made = Together(tenant, settings, windows, origin=origin, watermark=rest.watermark)
    made.left_out = rest.left_out
    made.rows = {number: {row.at: row for row in rows} for number, rows in rest.rows.items()}
    made.units = [_unit(number, arrays) for number in range(len(rest.ends))]
    made.intake.ends = np.array(rest.ends, np.int64)
    own = {n.removeprefix(_STATE): one for n, one in arrays.items() if n.startswith(_STATE)}

    def scorer(held: Arrays) -> RowScorer:
        made.scorer = RowScorer(held)
        return made.scorer

    made.state = restored(
        own,
        tenant=tenant,
        settings=for_services(settings),
        windows=windows,
        scorer=scorer,
        origin=origin,
    )
    made.index()
    _join(made, arrays, named)
    return made


def _unit(number: int, arrays: Arrays) -> Unit:
    body = arrays[f"unit.{number}"].tobytes()
    carried = Carried(
        rows=arrays[f"unit.{number}.rows"].copy(), smooth=arrays[f"unit.{number}.smooth"].copy()
    )
    return unit_of(number, msgspec.msgpack.decode(body, type=FittedModel), carried)


def _members(of: Together) -> dict[str, NDArray[Any]]:
    """By service and series, so that they are alike whatever rows they have."""
    pairs = sorted(
        (unit.number, one[0], row) for unit in of.units for row, one in unit.members.items()
    )
    units, series, rows = np.array(pairs, np.int64).reshape(-1, 3).T
    arrays: dict[str, NDArray[Any]] = {name: of.intake[name][rows] for name in KEPT}
    arrays |= {"unit": units.copy(), "series": series.copy()}
    return {_MEMBER + name: array for name, array in arrays.items()}


def _join(made: Together, arrays: Arrays, named: Callable[[int], SeriesInfo | None]) -> None:
    pairs = zip(arrays[f"{_MEMBER}unit"].tolist(), arrays[f"{_MEMBER}series"].tolist(), strict=True)
    for at, (unit, series) in enumerate(pairs):
        info = named(series)
        if info is None:
            continue
        made.introduce([info], [series], unit=unit)
        for row in made.intake.of(series):
            if int(made.intake["unit"][row]) == unit:
                for name in KEPT:
                    made.intake[name][row] = arrays[_MEMBER + name][at]
