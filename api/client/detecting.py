"""Anomalies of series of pandas, without a server: by the stream's own operator."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from api.client.columns import ANOMALIES, frame_of
from api.client.series import each, milliseconds_of, numbers_of, times_of
from detector.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from detector.stream.anomaly import Anomaly
    from detector.stream.columns import Columns, SeriesInfo
    from detector.stream.scoring import Scorer
    from detector.stream.state import StreamState

__all__ = ["detect", "score"]

_MOST = 20_000_000
_METRIC, _SERVICE, _SERIES = "__name__", "service", "series"
_SCORES = ("value", "expected", "low", "high", "surprise", "p_value", "side")


def detect(
    history: pd.Series | pd.DataFrame,
    *,
    alarms_a_week: float = 1.0,
    scorer: Scorer | None = None,
) -> pd.DataFrame:
    """What left its expected range: the columns of `Client.anomalies`, the oldest first.

    Each column of `history` is a gauge by time, and is told as a metric of its own; missing values
    are no samples. `alarms_a_week` is how many false alarms are accepted of all of them together.
    `scorer` judges samples in place of the shipped models (`detector.stream.scoring.Scorer`).
    """
    from detector.stream.operator import step

    named = dict(each(history))
    state = _state(named, alarms_a_week, scorer)
    found: dict[str, Anomaly] = {}
    for happened in step(state, _columns(named))[1]:
        found[happened.anomaly.id] = happened.anomaly
    series = dict(enumerate(_info(name) for name in named))
    bodies = [_body(one, series) for one in found.values()]
    return frame_of(sorted(bodies, key=lambda body: (body["since"], body["metric"])), ANOMALIES)


def score(history: pd.Series | pd.DataFrame, *, scorer: Scorer | None = None) -> pd.DataFrame:
    """How odd each value is, by `series` and `at`: each judged by what came before it.

    `expected`, and `low` and `high` between which it usually lies; `surprise` is the minus decimal
    logarithm of how often a week one series is so odd by chance; `p_value` the share of values that
    are; `side` is 1 above what is usual, -1 below it. What is still learned is missing.
    """
    import pandas as pd

    named = dict(each(history))
    columns = _columns(named)
    told = _introduced(named, scorer).scorer.score(columns)
    usable = told.is_usable
    values = {
        name: np.where(usable, getattr(told, name), np.nan).astype(np.float64) for name in _SCORES
    }
    values["value"] = columns.value
    names = np.array([str(name) for name in named], dtype=object)[columns.series]
    index = pd.MultiIndex.from_arrays([names, times_of(columns.at)], names=["series", "at"])
    return pd.DataFrame(values, index=index).sort_index(kind="stable")


def _state(
    named: dict[Hashable, pd.Series], alarms_a_week: float, scorer: Scorer | None
) -> StreamState:
    if not 0 < alarms_a_week < float("inf"):
        words = f"alarms_a_week: {alarms_a_week} is not above 0"
        raise InputError(words, field="alarms_a_week")
    state = _introduced(named, scorer)
    state.settings = _settings(alarms_a_week)
    return state


def _introduced(named: dict[Hashable, pd.Series], scorer: Scorer | None) -> StreamState:
    from detector.stream.introducing import introduced
    from detector.stream.scorer import ModelScorer
    from detector.stream.state import StreamState
    from detector.stream.subject import Owners
    from models.anomaly.scored import Settings

    judge = ModelScorer(Settings()) if scorer is None else scorer
    state = StreamState(tenant="default", scorer=judge, settings=_settings(1.0))
    return introduced(state, [_info(name) for name in named], Owners(()))


def _settings(alarms_a_week: float) -> Any:  # noqa: ANN401 - a class that is loaded late
    from detector.stream.settings import StreamSettings

    return StreamSettings(alarms_a_week=alarms_a_week)


def _info(name: Hashable) -> SeriesInfo:
    """The labels of a column: itself as the metric."""
    from detector.stream.columns import SeriesInfo, SeriesKind

    metric = "value" if name is None else str(name)
    return SeriesInfo(labels=((_METRIC, metric),), kind=SeriesKind.GAUGE)


def _columns(named: dict[Hashable, pd.Series]) -> Columns:
    """All samples by time, those of one time in the order of the columns."""
    from detector.stream.columns import Columns

    parts = list(_samples(list(named.values())))
    series, at, value = (np.concatenate(one) for one in zip(*parts, strict=True))
    if len(at) > _MOST:
        raise InputError(f"history: {len(at)} values, above {_MOST}", field="history")
    order = np.lexsort((series, at))
    return Columns(series=series[order], at=at[order], value=value[order])


def _samples(all_series: Sequence[pd.Series]) -> Iterator[tuple[Any, Any, Any]]:
    for number, series in enumerate(all_series):
        at, value = milliseconds_of(series.index, "history"), numbers_of(series, "history")
        known = np.isfinite(value)
        yield np.full(int(known.sum()), number, np.int32), at[known], value[known]


def _body(anomaly: Anomaly, series: dict[int, SeriesInfo]) -> dict[str, Any]:
    from api.bodies.anomaly import anomaly_body
    from detector.stream.record import KeptAnomaly

    return anomaly_body(KeptAnomaly(anomaly=anomaly, series=series, tunings={}))
