"""What every history source promises, the fake among them, each with the same three months."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detector.series import FloatArray
from models.baseline.calendar import Calendar
from models.stat import Stat
from pipelines.history.port import HistorySource, SeriesId, Span, history_of, span_until
from tests.pipelines.history.pasts import DAY, MEMORY, ODD, PAST, REQUESTS, T0

Opened = Callable[[str, Stat], HistorySource]
ALL = Span(start_s=T0, step_s=3600, steps=90 * 24)
WEEK = Span(start_s=T0 + 66 * DAY, step_s=3600, steps=7 * 24)


def pods(source: HistorySource, span: Span) -> dict[str, SeriesId]:
    """The series of a source by their pod."""
    return {dict(one.labels)["pod"]: one for one in source.series(span)}


def told(source: HistorySource, pod: str, span: Span) -> FloatArray:
    """The values of one series."""
    values: FloatArray = source.read([pods(source, span)[pod]], span)[0]
    return values


def meant(pod: str, span: Span, stat: Callable[[FloatArray], float]) -> FloatArray:
    """What a series of memory was, step by step, worked out plainly."""
    one = next(one for one in PAST if one.metric == MEMORY and one.pod == pod)
    found = np.full(span.steps, np.nan)
    for step in range(span.steps):
        begin = span.start_s + step * span.step_s
        inside = (one.times >= begin) & (one.times < begin + span.step_s)
        if inside.any():
            found[step] = stat(one.values[inside])
    return found


def test_each_series_is_told_once_in_order(opened: Opened) -> None:
    """With its labels as they are, whatever characters they have."""
    found = opened(MEMORY, Stat.MEAN).series(ALL)
    assert [dict(one.labels)["pod"] for one in found] == sorted(["a", "late", ODD])
    assert list(found) == sorted(found)


@pytest.mark.parametrize(("stat", "plainly"), [(Stat.MEAN, np.mean), (Stat.MAX, np.max)])
def test_steps_tell_what_was_asked_for(
    opened: Opened, stat: Stat, plainly: Callable[[FloatArray], float]
) -> None:
    """To the last step, each sample in the step in which it lies."""
    values = told(opened(MEMORY, stat), ODD, WEEK)
    np.testing.assert_allclose(values, meant(ODD, WEEK, plainly), rtol=1e-12)


def test_a_month_that_is_missing_is_missing(opened: Opened) -> None:
    """Not filled, and not shortened."""
    values = told(opened(MEMORY, Stat.MEAN), "a", ALL)
    assert np.isnan(values[30 * 24 : 60 * 24]).all()
    assert np.isfinite(values[: 30 * 24]).all()
    assert np.isfinite(values[60 * 24 :]).all()


def test_a_history_begins_with_its_series(opened: Opened) -> None:
    """What was born late has little history, and says so."""
    values = told(opened(MEMORY, Stat.MEAN), "late", ALL)
    history = history_of(values, ALL, Calendar())
    assert history.start_ms == 1000 * (T0 + 70 * DAY)
    assert len(history.values) == 20 * 24


def test_counters_are_rates_over_resets(opened: Opened) -> None:
    """Two a second in each hour; in those of a reset some of it is lost, and none is negative."""
    values = told(opened(REQUESTS, Stat.RATE), "a", ALL)
    assert np.isfinite(values[1:-1]).all()
    assert (values[1:-1] >= 1.6).all()
    assert (values[1:-1] <= 2.0 + 1e-9).all()
    assert (np.abs(values[1:-1] - 2) > 1e-9).sum() <= 3


def test_days_are_read_as_hours_are(opened: Opened) -> None:
    """Local days of a zone east of Greenwich."""
    zone = Calendar(starts=np.array([0]), offsets=np.array([3_600_000]))
    span = span_until(T0 + 80 * DAY, 7 * DAY, DAY, zone)
    assert span.start_s % DAY == DAY - 3600
    values = told(opened(MEMORY, Stat.MEAN), ODD, span)
    np.testing.assert_allclose(values, meant(ODD, span, np.mean), rtol=1e-12)


def test_rows_come_in_the_order_asked_for(opened: Opened) -> None:
    """And what is not there is missing."""
    source = opened(MEMORY, Stat.MEAN)
    found = pods(source, ALL)
    nobody = SeriesId(tuple((name, "nobody") for name, _ in found["a"].labels))
    values = source.read([found["late"], nobody, found["a"]], WEEK)
    assert values.shape == (3, WEEK.steps)
    np.testing.assert_array_equal(values[0], told(source, "late", WEEK))
    assert np.isnan(values[1]).all()
    np.testing.assert_array_equal(values[2], told(source, "a", WEEK))


def test_a_span_before_everything_has_no_values(opened: Opened) -> None:
    """Nothing is no error."""
    before = Span(start_s=T0 - 10 * DAY, step_s=3600, steps=24)
    source = opened(MEMORY, Stat.MEAN)
    assert list(source.series(before)) == []
    assert source.read([], before).shape == (0, 24)
