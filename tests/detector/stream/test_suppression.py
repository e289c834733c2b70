"""Windows of planned work: what they cover, and what they do not hide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stream.anomaly import Happening, Subject
from detector.stream.suppression import Window, planned
from tests.detector.stream.streams import MINUTE, T0, following, series_of, stream_of

WEEK_S = 604_800
ANY = Subject(service="checkout", namespace="shop", cluster="eu", metric="queue")
TIMES = st.integers(-(10**9), 10**12)


def window(**more: object) -> Window:
    """Ten minutes from the fifth on."""
    told = {"name": "work", "start": T0 + 5 * MINUTE, "end": T0 + 15 * MINUTE, **more}
    return Window(**told)  # type: ignore[arg-type]


@pytest.mark.parametrize(("at", "is_covered"), [(-1, False), (0, True), (599_999, True)])
def test_a_window_holds_its_start_and_not_its_end(at: int, is_covered: bool) -> None:
    """Work that ends at six would hide what begins at six."""
    one = window()
    assert one.covers(ANY, one.start + at) is is_covered
    assert not one.covers(ANY, one.end)


@given(TIMES, st.integers(600, WEEK_S), st.integers(0, 100))
def test_a_window_that_comes_back_is_the_same_each_time(at: int, every: int, times: int) -> None:
    """The fifth Sunday would not be as the first."""
    one = window(every_s=every)
    moment = one.start + abs(at)
    assert one.covers(ANY, moment) is one.covers(ANY, moment + times * every * 1000)


@given(TIMES)
def test_nothing_is_planned_before_the_first_time(at: int) -> None:
    """What happened last week would be hidden by a window that is made today."""
    one = window(every_s=WEEK_S)
    assert not one.covers(ANY, one.start - 1 - abs(at))


@pytest.mark.parametrize(
    ("more", "is_about"),
    [
        ({"service": "check*"}, True),
        ({"service": "Check*"}, False),
        ({"namespace": "sho?", "metric": "queue"}, True),
        ({"namespace": "sho?", "metric": "latency"}, False),
        ({"metric": ""}, False),
    ],
)
def test_a_window_is_about_what_all_its_patterns_name(more: dict[str, str], is_about: bool) -> None:
    """A window for one metric would blind a whole service."""
    assert window(**more).covers(ANY, T0 + 6 * MINUTE) is is_about


def test_the_first_window_that_covers_a_moment_is_named() -> None:
    """People would be told of another reason than the one that hid it."""
    windows = [window(name="other", service="cart"), window(name="a"), window(name="b")]
    found = planned(windows, ANY, T0 + 6 * MINUTE)
    assert found is windows[1]
    assert planned(windows, ANY, T0) is None


def test_what_began_before_a_window_goes_on_in_it() -> None:
    """An outage would be closed by the maintenance that it delays."""
    happened = following(stream_of(series_of(1), windows=(window(),)), [4.0] + [9.0] * 12)
    assert [one.kind for one in happened] == [Happening.OPENED, Happening.GREW]


def test_what_is_over_within_a_window_is_never_told() -> None:
    """A restart that was announced would page whoever announced it."""
    values = [0.0] * 5 + [9.0] * 5 + [0.0] * 10
    assert following(stream_of(series_of(1), windows=(window(),)), values) == []
