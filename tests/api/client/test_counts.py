"""Counts of pods as counters: nothing is lost, nothing comes twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client.counts import discovery, world_of
from detector.gate.request import VerdictRequest
from detector.series import Matcher, MatchOp, Query
from tests.profiles import HEAVY

BEGIN = pd.Timestamp("2026-03-02T10:00Z")
REQUESTS = Query("http_requests_total", (Matcher("service", MatchOp.EQUAL, "shop"),))


def counts_of(rows: list[tuple[int, int]], pod: str = "a", arm: str = "canary") -> pd.DataFrame:
    """Requests and errors of a pod each 15 s."""
    index = pd.date_range(BEGIN, periods=len(rows), freq="15s")
    frame = pd.DataFrame(rows, columns=["requests", "errors"], index=index)
    return frame.assign(arm=arm, pod=pod)


def counters(counts: pd.DataFrame) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Samples by pod and code, as a source tells them."""
    world = world_of(counts, "shop")
    (answer,) = world.source.read([REQUESTS], world.start - 1e6, world.end, timeout_s=1)
    return {
        (one.labels["pod"], one.labels["code"]): (one.times, one.values) for one in answer.series
    }


@HEAVY
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=30))
def test_a_counter_ends_at_all_that_was_counted(rows: list[tuple[int, int]]) -> None:
    """From zero on, a step before the first row."""
    told = [(max(pair), min(pair)) for pair in rows]
    found = counters(counts_of(told))
    good, failed = found["a", "200"], found["a", "500"]
    requests, errors = (sum(column) for column in zip(*told, strict=True))
    assert (good[1][0], failed[1][0]) == (0, 0)
    assert (good[1][-1], failed[1][-1]) == (requests - errors, errors)
    assert len(good[0]) == len(told) + 1
    assert good[0][1] == BEGIN.timestamp()


def test_pods_are_told_apart_by_their_arms() -> None:
    """And a world begins with the canary's first row."""
    control = counts_of([(5, 0)] * 4, "b", "control")
    canary = counts_of([(5, 1)] * 2).shift(freq="30s")
    world = world_of(pd.concat([control, canary]), "shop")
    assert (world.start, world.end) == (BEGIN.timestamp() + 30, BEGIN.timestamp() + 45)
    assert set(counters(pd.concat([control, canary]))) == {
        (pod, code) for pod in "ab" for code in ("200", "500")
    }


def test_the_plan_has_one_signal_and_both_arms() -> None:
    """What counts cannot show is not made up."""
    request = VerdictRequest(service="shop", canary='{arm="canary"}')
    source = world_of(counts_of([(1, 0)]), "shop").source
    plan = discovery()(source, request, start=0.0, end=1.0, timeout_s=1.0)
    assert [signal.signal.name for signal in plan.signals] == ["error_rate"]
    assert plan.canary[1] == Matcher("arm", MatchOp.EQUAL, "canary")
    assert plan.control == ((plan.canary[0], Matcher("arm", MatchOp.EQUAL, "control")),)


@pytest.mark.parametrize("index", ["pod", "at", None])
def test_what_the_index_is_called_does_not_matter(index: str | None) -> None:
    """Also where a column of ours has that name."""
    found = counters(counts_of([(3, 1), (4, 0)]).rename_axis(index))
    assert found["a", "200"][1].tolist() == [0, 2, 6]
