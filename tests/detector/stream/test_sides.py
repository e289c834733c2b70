"""An anomaly is one excursion to one side: what swings to the other is another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.stream.anomaly import Ending, Happened, Happening, Judged, Side
from detector.stream.columns import STALE
from detector.stream.feedback import Feedback, told
from detector.stream.operator import step
from detector.stream.snapshot import taken
from tests.detector.stream.streams import (
    MINUTE,
    again,
    columns_of,
    following,
    series_of,
    stream_of,
)

CALM = [0.0] * 5


def events(happened: list[Happened]) -> list[tuple[Happening, Side]]:
    """What happened to which side, in order."""
    return [(one.kind, one.anomaly.side) for one in happened if one.kind is not Happening.GREW]


def test_a_fall_hours_after_a_rise_is_an_anomaly_of_its_own() -> None:
    """An outage in the evening would be a line in the flood of the morning, told to nobody."""
    state = stream_of(series_of(1))
    rose, fell = following(state, [5.0, *CALM]), following(state, [-6.0, *CALM])
    assert events(rose + fell) == [
        (Happening.OPENED, Side.ABOVE),
        (Happening.CLOSED, Side.ABOVE),
        (Happening.OPENED, Side.BELOW),
        (Happening.CLOSED, Side.BELOW),
    ]
    assert rose[0].anomaly.id != fell[0].anomaly.id
    assert fell[0].anomaly.start > (rose[-1].anomaly.end or 0)


def test_each_side_opens_its_own_anomaly_again() -> None:
    """What comes back within the night is the same, also where the other side was in between."""
    state = stream_of(series_of(1))
    first = following(state, [5.0, *CALM, -5.0, *CALM])
    back = following(state, [6.0, *CALM, -6.0, *CALM])
    ids = {one.anomaly.side: one.anomaly.id for one in first}
    assert events(back)[0] == (Happening.REOPENED, Side.ABOVE)
    assert events(back)[2] == (Happening.REOPENED, Side.BELOW)
    assert all(one.anomaly.id == ids[one.anomaly.side] for one in back)


def test_a_swing_at_once_ends_the_first_side_when_it_was_calm_for_its_time() -> None:
    """A flapping value would open and close an anomaly with each sample."""
    happened = following(stream_of(series_of(1)), [5.0, -5.0] * 10 + CALM)
    assert events(happened) == [
        (Happening.OPENED, Side.ABOVE),
        (Happening.OPENED, Side.BELOW),
        (Happening.CLOSED, Side.ABOVE),
        (Happening.CLOSED, Side.BELOW),
    ]
    assert {one.anomaly.members for one in happened} == {1}


def test_what_is_odd_below_is_calm_above() -> None:
    """A crash after a flood would be told as a flood that lasts."""
    happened = following(stream_of(series_of(1)), [5.0, -5.0, -5.0, -5.0, -5.0])
    assert events(happened)[-1] == (Happening.CLOSED, Side.ABOVE)
    assert happened[-1].anomaly.ending is Ending.CALM


def test_series_of_a_service_gather_by_side() -> None:
    """Pods whose load moved to others would be one anomaly that says nothing of either."""
    state = stream_of(series_of(4))
    samples = [(0, MINUTE, 5.0), (1, MINUTE, 6.0), (2, MINUTE, -5.0), (3, MINUTE, -7.0)]
    _, happened = step(state, columns_of(samples))
    last = {one.anomaly.side: one.anomaly for one in happened}
    assert {one.series for one in last[Side.ABOVE].contributions} == {0, 1}
    assert {one.series for one in last[Side.BELOW].contributions} == {2, 3}


def test_calling_one_side_normal_leaves_the_other_open() -> None:
    """Who dismisses the flood would dismiss the outage."""
    state = stream_of(series_of(1))
    opened = following(state, [5.0, -5.0])
    feedback = Feedback(
        anomaly=opened[0].anomaly.id,
        judged=Judged.NORMAL,
        at=state.watermark,
        series=(0,),
        surprise=(5.0,),
    )
    _, closed, _ = told(state, feedback)
    assert events(list(closed)) == [(Happening.CLOSED, Side.ABOVE)]
    assert [one.side for one in state.open.values()] == [Side.BELOW]


def test_a_stale_marker_ends_both_sides() -> None:
    """A pod that is gone would stay open on one of them."""
    happened = following(stream_of(series_of(1)), [5.0, -5.0, float(STALE)])
    assert [one.anomaly.side for one in happened[-2:]] == [Side.ABOVE, Side.BELOW]
    assert {one.anomaly.ending for one in happened[-2:]} == {Ending.SILENT}


@given(st.lists(st.sampled_from([0.0, 5.0, -5.0, 9.0, -9.0]), min_size=1, max_size=40))
def test_an_anomaly_only_tells_of_values_on_its_side(values: list[float]) -> None:
    """A sentence would say that it rose to a number below what was expected."""
    for one in following(stream_of(series_of(1)), values):
        is_above = one.anomaly.side is Side.ABOVE
        assert all((each.value > 0) is is_above for each in one.anomaly.contributions)


@given(
    st.lists(st.sampled_from([0.0, 5.0, -5.0]), min_size=1, max_size=30),
    st.integers(0, 30),
)
def test_both_sides_go_through_a_restart(values: list[float], cut: int) -> None:
    """After a deployment of the worker one side would be closed by the calm of the other."""
    whole, parts = stream_of(series_of(1)), stream_of(series_of(1))
    wanted = following(whole, values)
    found = following(parts, values[:cut])
    parts = again(parts, taken(parts))
    found += following(parts, values[cut:])
    assert found == wanted
