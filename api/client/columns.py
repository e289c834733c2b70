"""The columns of each frame: their names, their dtypes, and where in an answer they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from api.cli.guard import CouldNotAskError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ANOMALIES",
    "CAPACITY",
    "CHANGES",
    "INCIDENTS",
    "SIGNALS",
    "SUSPECTS",
    "VERDICTS",
    "Column",
    "Dtype",
    "Row",
    "frame_of",
]

Row: TypeAlias = Mapping[str, Any]


class Dtype(Enum):
    """What pandas calls the type of a column; missing is NaN, NaT or NA."""

    TEXT = "string"
    TIME = "datetime64[ns, UTC]"
    NUMBER = "float64"
    COUNT = "Int64"
    FLAG = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. `path` leads to its value in a row of an answer; a number in it is a place."""

    name: str
    dtype: Dtype
    path: tuple[str | int, ...]

    def value_of(self, row: Row) -> object:
        """The value in a row; None where it, or anything on the way, is missing."""
        found: object = row
        for step in self.path:
            match found:
                case dict() if step in found:
                    found = found[step]
                case list() if isinstance(step, int) and step < len(found):
                    found = found[step]
                case _:
                    return None
        return ", ".join(map(str, found)) if isinstance(found, list) else found


def _text(*names: str) -> list[Column]:
    return [_of(name, Dtype.TEXT) for name in names]


def _times(*names: str) -> list[Column]:
    return [_of(name, Dtype.TIME) for name in names]


def _of(name: str, dtype: Dtype, *path: str | int) -> Column:
    return Column(name=name, dtype=dtype, path=path or (name,))


_REASON = (
    _of("reason", Dtype.TEXT, "reason", "code"),
    _of("text", Dtype.TEXT, "reason", "text"),
)

VERDICTS: Sequence[Column] = (
    *_times("as_of"),
    *_text("service", "outcome", "answer"),
    _of("final", Dtype.FLAG),
    *_REASON,
    *_text("stage", "mode", "rollout", "revision"),
    *_times("started_at", "exposure_since"),
    *_text("waiting", "attempt", "policy", "engine", "id"),
)

SIGNALS: Sequence[Column] = (
    *_text("name", "outcome"),
    _of("required", Dtype.FLAG),
    _of("judged", Dtype.FLAG),
    _of("canary", Dtype.NUMBER),
    _of("control", Dtype.NUMBER),
    *_text("unit"),
    _of("effect", Dtype.NUMBER, "effect", "value"),
    _of("low", Dtype.NUMBER, "effect", "low"),
    _of("high", Dtype.NUMBER, "effect", "high"),
    _of("tolerate", Dtype.NUMBER, "effect", "tolerate"),
    _of("limit", Dtype.NUMBER, "effect", "limit"),
    _of("kind", Dtype.TEXT, "effect", "kind"),
    _of("evidence", Dtype.NUMBER),
    _of("needed", Dtype.NUMBER),
    _of("canary_samples", Dtype.NUMBER, "samples", "canary"),
    _of("control_samples", Dtype.NUMBER, "samples", "control"),
    *_text("scope"),
    *_times("since"),
    *_REASON,
)

ANOMALIES: Sequence[Column] = (
    *_times("since", "until"),
    *_text("service", "metric", "side", "severity", "state"),
    _of("value", Dtype.NUMBER, "peak", "value"),
    _of("expected", Dtype.NUMBER, "peak", "expected"),
    _of("low", Dtype.NUMBER, "peak", "low"),
    _of("high", Dtype.NUMBER, "peak", "high"),
    _of("by_chance", Dtype.NUMBER, "peak", "by_chance"),
    _of("series", Dtype.COUNT),
    _of("of", Dtype.COUNT),
    *_text("text", "kind", "ended", "namespace", "cluster", "id"),
)

INCIDENTS: Sequence[Column] = (
    *_times("since", "until"),
    *_text("title", "severity", "state", "services"),
    _of("count", Dtype.COUNT),
    _of("suspect", Dtype.TEXT, "suspects", 0, "title"),
    _of("probability", Dtype.NUMBER, "suspects", 0, "probability"),
    _of("no_change", Dtype.NUMBER),
    *_text("text", "into", "id"),
)

SUSPECTS: Sequence[Column] = (
    _of("probability", Dtype.NUMBER),
    *_text("kind", "title", "service", "version"),
    *_times("at"),
    *_text("advice", "link", "change"),
)

CHANGES: Sequence[Column] = (
    *_times("started_at", "ended_at"),
    *_text("service", "kind", "phase", "title", "version", "actor"),
    *_text("namespace", "cluster", "environment", "artifact", "link"),
    _of("inferred", Dtype.FLAG),
    *_times("told_at"),
    *_text("source", "subject", "id"),
)

CAPACITY: Sequence[Column] = (
    *_text("title", "kind", "unit"),
    _of("used", Dtype.NUMBER, "headroom", "used"),
    _of("limit", Dtype.NUMBER),
    _of("requested", Dtype.NUMBER),
    _of("share", Dtype.NUMBER, "headroom", "share"),
    _of("ahead", Dtype.NUMBER, "headroom", "ahead"),
    _of("chance", Dtype.NUMBER, "exhaustion", "chance"),
    _of("p10", Dtype.TIME, "exhaustion", "p10"),
    _of("p50", Dtype.TIME, "exhaustion", "p50"),
    _of("p90", Dtype.TIME, "exhaustion", "p90"),
    _of("since", Dtype.TIME, "exhaustion", "since"),
    _of("action", Dtype.TEXT, "sizing", "action"),
    _of("what", Dtype.TEXT, "sizing", "what"),
    _of("to", Dtype.NUMBER, "sizing", "to"),
    _of("by", Dtype.TIME, "sizing", "by"),
    _of("saving", Dtype.NUMBER, "sizing", "saving"),
    _of("currency", Dtype.TEXT, "sizing", "currency"),
    *_text("sentence", "problem", "name", "service", "namespace", "cluster", "team", "source"),
    _of("replicas", Dtype.COUNT),
    *_text("id"),
)


def frame_of(rows: Iterable[Row], columns: Sequence[Column]) -> pd.DataFrame:
    """Rows of an answer as a frame of these columns, also where there are no rows.

    `CouldNotAskError` names the column whose values are of another type.
    """
    import pandas as pd

    held = list(rows)
    return pd.DataFrame({one.name: _series(held, one) for one in columns})


def _series(rows: Sequence[Row], column: Column) -> pd.Series:
    import pandas as pd

    found = [column.value_of(row) for row in rows]
    try:
        if column.dtype is Dtype.TIME:
            times = pd.Series(found, dtype="object")
            return pd.to_datetime(times, utc=True, format="ISO8601").astype(column.dtype.value)
        return pd.Series(found, dtype=column.dtype.value)
    except (TypeError, ValueError, OverflowError) as error:
        words = f"the answer is none of serinus: {column.name} is no {column.dtype.value}"
        raise CouldNotAskError(words) from error
