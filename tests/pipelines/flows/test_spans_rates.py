"""Shares and latencies of calls as samples: each call is in one, whatever the restarts."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.spread import bins_of
from pipelines.flows.logs_rates import QUIET_MS
from pipelines.flows.logs_record import Counted
from pipelines.flows.spans_rates import LEAST, ServedRates
from pipelines.flows.spans_record import Served
from pipelines.stores.own import STEP_MS

T0 = 1_790_000_000_000 // STEP_MS * STEP_MS
MS = 1_000_000
OF_PAY, OF_SERVICE = (1, 2), (3, 4)
Batch = list[tuple[int, bool]]
batches = st.lists(
    st.tuples(
        st.integers(0, 20_000),
        st.lists(st.tuples(st.integers(1, 5_000), st.booleans()), max_size=30),
        st.booleans(),
    ),
    max_size=30,
)


def served(batch: Batch, own: tuple[int, int] = OF_PAY) -> Served:
    """Calls of one operation: how many milliseconds each took, and whether it failed."""
    bins, count = np.unique(
        bins_of(np.array([took * MS for took, _ in batch], np.int64)), return_counts=True
    )
    return Served(
        ids=np.array([*own, *OF_SERVICE], np.int32).tobytes(),
        calls=np.array([len(batch)], np.int64).tobytes(),
        failed=np.array([sum(failed for _, failed in batch)], np.int64).tobytes(),
        of=np.zeros(len(bins), np.int32).tobytes(),
        bin=bins.tobytes(),
        count=count.astype(np.int32).tobytes(),
    )


def told(rates: ServedRates, at: int, *came: Served) -> dict[int, tuple[int, float]]:
    """What follows of what came at a time after T0: of each series when, and its value."""
    found: dict[int, tuple[int, float]] = {}
    for one in came or (None,):
        columns = rates.take(Counted(tenant="t", taken=T0 + at, served=one))
        if columns is not None:
            rows = zip(
                columns.series.tolist(), columns.at.tolist(), columns.value.tolist(), strict=True
            )
            found.update({series: (time - T0, value) for series, time, value in rows})
    return found


@given(steps=batches)
def test_each_call_is_in_one_sample_whatever_the_restarts(
    steps: list[tuple[int, Batch, bool]],
) -> None:
    """A deploy of serinus would look like a moment without errors, or with twice as many."""
    one, other, at = ServedRates(), ServedRates(), 0
    mine: dict[int, list[tuple[int, float]]] = defaultdict(list)
    theirs: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for pause, batch, dies in steps:
        at += pause
        came = (served(batch),) if batch else ()
        for series, value in told(one, at, *came).items():
            mine[series].append(value)
        other = ServedRates(other.to_arrays()) if dies else other
        for series, value in told(other, at, *(served([call]) for call in batch)).items():
            theirs[series].append(value)
    assert mine == theirs
    assert mine[OF_PAY[0]] == mine[OF_SERVICE[0]]
    assert all(0 <= value <= 1 for _, value in mine[OF_PAY[0]])


def test_a_share_and_a_latency_are_told_at_the_end_of_their_step() -> None:
    """Of what is still coming nothing can be said."""
    rates = ServedRates()
    batch = [(100, False)] * 36 + [(100, True)] * 4
    assert told(rates, 1_000, served(batch)) == {}
    found = told(rates, 15_001)
    assert found[1] == found[3] == (STEP_MS, 0.1)
    assert found[2] == found[4]
    assert found[2][1] == pytest.approx(0.1, rel=0.07)
    assert told(rates, 60_000) == {}


def test_of_few_calls_nothing_is_told_until_they_are_enough() -> None:
    """One failed call of two would be a share of a half; at night every service has such steps."""
    rates = ServedRates()
    few = [(100, False)] * (LEAST // 2)
    told(rates, 1_000, served(few))
    assert told(rates, 16_000, served([(100, True)] * (LEAST // 2))) == {}
    assert told(rates, 31_000)[1] == (2 * STEP_MS, 0.5)


def test_calls_of_long_ago_are_no_part_of_a_sample() -> None:
    """A share would tell of the evening and of the morning as if they were one."""
    rates = ServedRates()
    told(rates, 1_000, served([(100, True)] * (LEAST - 1)))
    told(rates, 700_000)
    told(rates, 701_000, served([(100, False)] * LEAST))
    assert told(rates, 720_000)[1][1] == 0.0


def test_operations_are_told_apart_and_their_service_as_a_whole() -> None:
    """One broken operation of many is hardly seen in the whole of its service."""
    rates = ServedRates()
    told(rates, 1_000, served([(10, False)] * 60), served([(900, True)] * 20, own=(5, 6)))
    found = told(rates, 16_000)
    assert {series: found[series][1] for series in (1, 3, 5)} == {1: 0.0, 3: 0.25, 5: 1.0}
    assert found[2][1] < 0.02 < found[4][1]


def test_an_operation_without_a_place_is_a_part_of_its_service() -> None:
    """Where a service has a thousand operations the fifty-first is not lost."""
    rates = ServedRates()
    told(rates, 1_000, served([(10, False)] * LEAST, own=(-1, -1)))
    assert set(told(rates, 16_000)) == {3, 4}


def test_who_is_quiet_for_long_takes_no_room() -> None:
    """Pods and operations of last year are in no checkpoint."""
    rates = ServedRates()
    told(rates, 1_000, *(served([(10, False)], own=(2 * n, 2 * n + 1)) for n in range(10, 60)))
    assert len(rates.to_arrays()["served.ids"]) == 51
    told(rates, QUIET_MS + 40_000, served([(10, False)]))
    told(rates, QUIET_MS + 60_000, served([(10, False)]))
    assert len(rates.to_arrays()["served.ids"]) == 2
