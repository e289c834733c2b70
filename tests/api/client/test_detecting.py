"""Anomalies of frames: by the operator that judges a stream, with our scorer or another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from api import client
from api.client.columns import ANOMALIES
from api.client.detecting import detect, score
from detector.stream.columns import Columns, SeriesKind
from detector.stream.scorer import ModelScorer
from detector.stream.scoring import Arrays, Scored
from models.anomaly.scored import Settings

WATCHED = client.examples.watched(seed=3)


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """What is odd in two weeks of four metrics."""
    return detect(WATCHED.values)


def test_faults_are_found_where_they_are(found: pd.DataFrame) -> None:
    """Each within ten minutes of its begin, and next to nothing beside them."""
    for fault in WATCHED.faults.itertuples():
        late = found.loc[found["metric"] == fault.metric, "since"] - fault.since
        assert late.between(pd.Timedelta(0), pd.Timedelta("10min")).sum() == 1
    assert len(found) <= len(WATCHED.faults) + 1


def test_an_anomaly_has_the_columns_of_a_running_serinus(found: pd.DataFrame) -> None:
    """What is written for the one works with the other."""
    assert list(found.columns) == [one.name for one in ANOMALIES]
    assert str(found["since"].dtype) == "datetime64[ns, UTC]"
    assert found["since"].is_monotonic_increasing
    assert found["id"].is_unique
    assert (found["kind"] == "metric").all()
    assert (found["series"] == 1).all()


def test_a_fault_moves_to_its_side(found: pd.DataFrame) -> None:
    """Above what is usual, or below."""
    merged = found.merge(WATCHED.faults, on=["metric"], suffixes=("", "_told"))
    told = merged[(merged["since"] - merged["since_told"]).abs() < pd.Timedelta("10min")]
    assert len(told) == len(WATCHED.faults)
    assert ((told["side"] == "above") == (told["by"] > 0)).all()


def test_each_series_is_judged_as_if_it_were_alone() -> None:
    """But for the budget of alarms, which they share."""
    alone = score(WATCHED.values["metric_0"])
    expected = score(WATCHED.values)["expected"]
    np.testing.assert_array_equal(alone["expected"], expected.loc["metric_0"])


def test_scores_say_how_odd_each_value_is() -> None:
    """More in a fault than before it."""
    fault = WATCHED.faults.iloc[0]
    scores = score(WATCHED.values).loc[fault["metric"]]
    during = scores.loc[fault["since"] : fault["until"]]
    before = scores.loc[: fault["since"]].iloc[1440:-1]
    assert during["surprise"].median() > before["surprise"].quantile(0.999)
    assert (before["low"] <= before["expected"]).all()
    assert (before["expected"] <= before["high"]).all()
    assert before["p_value"].between(0, 1).all()
    assert (scores.dtypes == "float64").all()


def test_what_is_still_learned_is_missing() -> None:
    """The first minutes of a series say nothing of it."""
    scores = score(WATCHED.values["metric_0"])
    assert scores["surprise"].head(50).isna().all()
    assert scores["value"].notna().all()


def test_missing_values_are_no_samples() -> None:
    """A scrape that failed is neither zero nor odd."""
    holes = WATCHED.values.copy()
    holes.iloc[5000:5100] = np.nan
    assert len(score(holes)) == 4 * (len(holes) - 100)


class Threshold:
    """Above 1000 it is odd, whatever was before."""

    def grow(self, kinds: Sequence[SeriesKind]) -> None:
        """It holds nothing."""

    def begin(self, rows: NDArray[np.int32], kinds: Sequence[SeriesKind]) -> None:
        """It holds nothing."""

    def forget(self, rows: NDArray[np.int32]) -> None:
        """It holds nothing."""

    def score(self, columns: Columns) -> Scored:
        """By the value alone."""
        odd = columns.value > 1000
        zeros = np.zeros(len(columns))
        return Scored(
            value=columns.value,
            expected=zeros,
            low=zeros,
            high=zeros + 1000,
            surprise=np.where(odd, 9, 0).astype(np.float32),
            p_value=np.where(odd, 1e-9, 1).astype(np.float32),
            side=odd.astype(np.int8),
            is_usable=np.isfinite(columns.value),
        )

    def to_arrays(self) -> Arrays:
        """Nothing."""
        return {}


def test_another_scorer_may_judge() -> None:
    """Somebody's own detector, in the same operator."""
    values = pd.Series(
        np.full(600, 10.0), index=pd.date_range("2026-03-02", periods=600, freq="1min", tz="UTC")
    )
    values.iloc[300:320] = 2000
    (one,) = detect(values.rename("queue"), scorer=Threshold()).to_dict("records")
    assert (one["metric"], one["side"], one["ended"]) == ("queue", "above", "calm")
    assert (one["since"], one["until"]) == (values.index[300], values.index[319])
    values.iloc[300:320] = 900
    assert detect(values, scorer=Threshold()).empty


def test_the_shipped_scorer_is_the_default() -> None:
    """To name it changes nothing."""
    values = WATCHED.values["metric_0"].head(3000)
    ours, named = score(values), score(values, scorer=ModelScorer(Settings()))
    pd.testing.assert_frame_equal(ours, named)


@pytest.mark.parametrize(
    ("history", "given", "field"),
    [
        (WATCHED.values.tz_localize(None), {}, "history"),
        (WATCHED.values.astype(str) + "x", {}, "history"),
        (WATCHED.values["metric_0"].head(0), {}, "history"),
        (WATCHED.values * np.inf, {}, "history"),
        (WATCHED.values, {"alarms_a_week": 0.0}, "alarms_a_week"),
        (WATCHED.values, {"alarms_a_week": float("inf")}, "alarms_a_week"),
    ],
    ids=["no zone", "words", "nothing", "infinite", "no alarms", "all alarms"],
)
def test_what_cannot_be_judged_is_refused(
    history: pd.DataFrame, given: dict[str, Any], field: str
) -> None:
    """By its field."""
    with pytest.raises(client.InputError) as refused:
        detect(history, **given)
    assert refused.value.field == field
