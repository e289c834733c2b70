"""What people say of alarms: how far it reaches, and what it leaves alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stream.anomaly import Ending, Happening, Judged
from detector.stream.feedback import LEAST, MOST, Feedback, told, tuning_of
from detector.stream.operator import step
from detector.stream.state import StreamState
from tests.detector.stream.streams import MINUTE, columns_of, following, series_of, stream_of

SAID = st.lists(st.tuples(st.sampled_from(Judged), st.floats(0, 20)), max_size=8)


def said(
    state: StreamState, judged: Judged, *peaks: tuple[int, float], anomaly: str = "none"
) -> Feedback:
    """What a person says of series and their surprise at their peak."""
    return Feedback(
        anomaly=anomaly,
        judged=judged,
        at=state.watermark,
        series=tuple(series for series, _ in peaks),
        surprise=tuple(surprise for _, surprise in peaks),
    )


def needed(state: StreamState, series: int = 0) -> float:
    """The surprise that its next alarm needs."""
    return float(state.tracks.needed(series))


@given(SAID, st.floats(0, 20))
def test_one_more_normal_never_makes_an_alarm_easier(
    before: list[tuple[Judged, float]], surprise: float
) -> None:
    """Who clicks an alarm away twice would be woken more often."""
    state = stream_of(series_of(1))
    for judged, peak in before:
        told(state, said(state, judged, (0, peak)))
    was = needed(state)
    told(state, said(state, Judged.NORMAL, (0, surprise)))
    assert needed(state) >= was


@given(SAID, st.floats(0, 20))
def test_one_more_real_never_makes_an_alarm_harder(
    before: list[tuple[Judged, float]], surprise: float
) -> None:
    """Who says that it was real would not hear of the next one."""
    state = stream_of(series_of(1))
    for judged, peak in before:
        told(state, said(state, judged, (0, peak)))
    was = needed(state)
    told(state, said(state, Judged.REAL, (0, surprise)))
    assert needed(state) <= was


@given(st.floats(3.0, 4.6))
def test_after_normal_the_same_surprise_is_not_enough(surprise: float) -> None:
    """The same wave would come back the next day."""
    state = stream_of(series_of(1))
    told(state, said(state, Judged.NORMAL, (0, surprise)))
    assert needed(state) > surprise


@pytest.mark.parametrize(("judged", "bound"), [(Judged.NORMAL, MOST), (Judged.REAL, LEAST)])
def test_clicking_for_ever_ends_at_a_bound(judged: Judged, bound: float) -> None:
    """A bot that closes tickets would make a series deaf."""
    state = stream_of(series_of(1))
    for _ in range(50):
        told(state, said(state, judged, (0, 99.0)))
    tuning = tuning_of(state, 0)
    assert tuning.shift == bound
    assert {tuning.normal, tuning.real} == {0, 50}


def test_real_closes_nothing() -> None:
    """Whoever confirms an outage would end it."""
    state = stream_of(series_of(1))
    id = following(state, [4.0])[0].anomaly.id
    _, happened, _ = told(state, said(state, Judged.REAL, (0, 4.0), anomaly=id))
    assert happened == ()
    assert [one.kind for one in following(state, [9.0])] == [Happening.GREW]


def test_normal_closes_all_series_of_its_anomaly_and_no_other() -> None:
    """Eleven pods would go on alarming for what was said of the twelfth."""
    state = stream_of([*series_of(3), *series_of(1, service="cart")])
    odd = columns_of([(series, MINUTE, 4.0) for series in range(4)])
    state, opened = step(state, odd)
    ids = {one.anomaly.subject.service: one.anomaly.id for one in opened}
    peaks = [(series, 4.0) for series in range(3)]
    state, closed, tunings = told(
        state, said(state, Judged.NORMAL, *peaks, anomaly=ids["checkout"])
    )
    assert [(one.anomaly.id, one.anomaly.ending) for one in closed] == [
        (ids["checkout"], Ending.FEEDBACK)
    ]
    assert [one.normal for one in tunings] == [1, 1, 1]
    assert [one.id for one in state.open.values()] == [ids["cart"]]
    assert needed(state, 3) < needed(state, 0)


def test_known_series_are_told_of_beside_unknown_ones() -> None:
    """One lost series would lose what was said of all."""
    state = stream_of(series_of(1))
    _, _, tunings = told(state, said(state, Judged.REAL, (0, 4.0), (9, 4.0), (-1, 4.0)))
    assert [one.series for one in tunings] == [0]


def test_feedback_without_a_surprise_for_each_series_is_refused() -> None:
    """The surprise of one series would be another's."""
    state = stream_of(series_of(2))
    feedback = Feedback(anomaly="x", judged=Judged.NORMAL, at=0, series=(0, 1), surprise=(4.0,))
    with pytest.raises(ValueError, match="zip"):
        told(state, feedback)
