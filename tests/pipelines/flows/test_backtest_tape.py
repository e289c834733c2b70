"""The held source shows what the source would have shown, piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from detector.series import Columns, Query
from pipelines.flows.backtest_tape import HeldSource
from pipelines.sources.memory import MemorySource
from tests.pipelines.flows.pasts import Counted

T0 = 1_790_000_000.0
TIMES = st.lists(
    st.floats(0.0, 900.0).map(lambda x: float(np.float64(T0 + x))), unique=True, max_size=12
)
SPANS = st.tuples(st.floats(0.0, 900.0), st.floats(0.0, 900.0)).map(sorted)


def filled(series: list[list[float]]) -> MemorySource:
    """A source with these series."""
    source = MemorySource(retention_s=1e9)
    for number, times in enumerate(series):
        if times:
            labels = {"__name__": "m", "pod": f"p{number}"}
            source.add(labels, sorted(times), np.arange(len(times)) + 100.0 * number)
    return source


@given(st.lists(TIMES, max_size=5), st.lists(SPANS, min_size=1, max_size=4), st.booleans())
def test_a_held_source_answers_as_the_source(
    series: list[list[float]], spans: list[list[float]], at_samples: bool
) -> None:
    """To the sample, also where a span ends on one: or a backtest knows the future."""
    source = filled(series)
    held = HeldSource(source, T0 - 1, T0 + 1000)
    ends = sorted(time for times in series for time in times)
    for low, high in spans:
        start, end = T0 + low, T0 + high
        if at_samples and ends:
            end = max(start, ends[int(low) % len(ends)])
        (shown,) = held.read([Query("m")], start, end, timeout_s=1.0)
        (asked,) = source.read([Query("m")], start, end)
        ours, theirs = Columns.of(shown.series), Columns.of(asked.series)
        assert ours.labels == theirs.labels
        assert ours.sizes.tolist() == theirs.sizes.tolist()
        assert ours.times.tolist() == theirs.times.tolist()
        assert ours.values.tolist() == theirs.values.tolist()


def test_what_lies_outside_is_asked_as_it_is() -> None:
    """The search for a canary's first sample looks a day back."""
    counted = Counted(filled([[T0, T0 + 10]]))
    held = HeldSource(counted, T0 + 5, T0 + 100)
    (answer,) = held.read([Query("m")], T0 - 50, T0 + 20, timeout_s=1.0)
    assert [len(one.times) for one in answer.series] == [2]
    assert counted.asked == [(Query("m"), T0 - 50, T0 + 20)]


def test_a_failure_is_remembered_and_raised() -> None:
    """Whoever plays the rollout has to tell it from an answer."""
    counted = Counted(filled([[T0]]), down=True)
    held = HeldSource(counted, T0 - 1, T0 + 100)
    with pytest.raises(SourceError, match="away"):
        held.read([Query("m")], T0, T0 + 1, timeout_s=1.0)
    assert held.problem is not None
