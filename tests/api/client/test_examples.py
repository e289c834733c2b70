"""The shop of the notebooks: the same each time, and what it says it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from api.client import examples
from detector.errors import InputError


def test_a_rollout_is_the_same_each_time() -> None:
    """A notebook's figures do not change by themselves."""
    first, again = examples.rollout(seed=3), examples.rollout(seed=3)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(examples.rollout(seed=4))


def test_a_rollout_has_two_arms_at_their_rates() -> None:
    """By as many requests as it says, of which as many fail."""
    counts = examples.rollout(seed=1, errors=0.1, usual=0.01, canaries=2, controls=5)
    sums = counts.groupby("arm")[["requests", "errors"]].sum()
    shares = sums["errors"] / sums["requests"]
    assert shares["canary"] == pytest.approx(0.1, abs=0.01)
    assert shares["control"] == pytest.approx(0.01, abs=0.002)
    assert counts.groupby("arm")["pod"].nunique().to_dict() == {"canary": 2, "control": 5}
    assert counts["requests"].mean() == pytest.approx(300, rel=0.01)
    canary = counts[counts["arm"] == "canary"]
    assert canary.index.min() >= pd.Timestamp("2026-03-02T10:00Z")
    assert str(counts.index.dtype) == "datetime64[ns, UTC]"


def test_every_metric_has_one_fault_in_the_second_half() -> None:
    """By which a detector is measured."""
    watched = examples.watched(seed=2, days=6, metrics=3)
    assert watched.faults["metric"].tolist() == list(watched.values.columns)
    half = watched.values.index[len(watched.values) // 2]
    assert (watched.faults["since"] >= half).all()
    assert (watched.faults["until"] > watched.faults["since"]).all()
    assert (watched.faults["until"] < watched.values.index[-1]).all()


def test_a_fault_moves_its_metric_by_what_it_says() -> None:
    """By at least six of what the metric varies by."""
    watched = examples.watched(seed=2, days=16, metrics=2)
    for fault in watched.faults.itertuples():
        values = watched.values[fault.metric]
        moved = (values - values.shift(freq="7D")).loc[fault.since : fault.until]
        assert moved.mean() == pytest.approx(fault.by, abs=4)
        assert abs(fault.by) >= 25


def test_what_a_detector_tells_is_held_against_the_faults() -> None:
    """Found, late, missed, and false."""
    watched = examples.watched(seed=2, days=6, metrics=3)
    first, second, third = watched.faults["since"]
    minute = pd.Timedelta("1min")
    told = pd.DataFrame(
        {
            "metric": ["metric_0", "metric_0", "metric_1", "metric_2", "metric_9"],
            "since": [first + 3 * minute, first + 9 * minute, second - minute, third, third],
        }
    )
    found = watched.found(told)
    assert found["late"].fillna(-1).tolist() == [3.0, -1.0, 0.0]
    assert found.attrs["false"] == 2
    assert watched.found(told.iloc[:0])["late"].isna().all()
    assert watched.found(told, within="2min")["late"].isna().tolist() == [True, True, False]


def test_traffic_is_least_on_weekends() -> None:
    """And grows by a per cent a week."""
    traffic = examples.usage(seed=1, weeks=8)
    weekly = traffic.groupby(np.arange(len(traffic)) // 168).mean()
    weekend = traffic.index.day_of_week >= 5
    assert traffic[weekend].mean() < 0.9 * traffic[~weekend].mean()
    assert weekly.iloc[-1] / weekly.iloc[0] == pytest.approx(1.07, abs=0.05)


def test_a_disk_only_fills_up() -> None:
    """Nobody deletes anything."""
    disk = examples.usage(seed=1, weeks=4, kind="disk")
    assert (disk.diff().dropna() >= 0).all()
    assert str(disk.index.dtype) == "datetime64[ns, UTC]"


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: examples.rollout(seed=1, errors=2), "errors"),
        (lambda: examples.rollout(seed=1, minutes=0), "minutes"),
        (lambda: examples.rollout(seed=1, canaries=10**6), "minutes"),
        (lambda: examples.watched(seed=1, days=10**6), "days"),
        (lambda: examples.usage(seed=1, weeks=0), "weeks"),
        (lambda: examples.usage(seed=1, kind="tape"), "kind"),
    ],
)
def test_what_cannot_be_made_is_refused(call: Any, field: str) -> None:  # noqa: ANN401
    """By its name."""
    with pytest.raises(InputError) as refused:
        call()
    assert refused.value.field == field
