"""Windows of planned work: what they cover, and what they do not hide."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stream.anomaly import Happening, Subject
from detector.stream.suppression import Window, planned
from pipelines.zones import calendar_of
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


BERLIN = ZoneInfo("Europe/Berlin")
FORWARD, BACK = date(2027, 3, 28), date(2026, 10, 25)
HOUR_MS = 3_600_000


def unix(told: datetime) -> int:
    """In milliseconds."""
    return int(told.timestamp()) * 1000


def nightly(start: str, end: str) -> Window:
    """Every night by the clock of Berlin, since the start of October 2026."""
    first, last = (
        datetime.fromisoformat(f"2026-10-01T{one}").replace(tzinfo=BERLIN) for one in (start, end)
    )
    return Window(
        name="backup",
        start=unix(first),
        end=unix(last),
        every_s=86_400,
        calendar=calendar_of("Europe/Berlin"),
    )


def covered(one: Window, day: date) -> list[str]:
    """The quarters of an hour of a day that it covers, by the clock of UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    quarters = (midnight + timedelta(minutes=15 * n) for n in range(96))
    return [f"{at:%H:%M}" for at in quarters if one.covers(ANY, unix(at))]


@pytest.mark.parametrize(
    ("day", "quarters"),
    [
        (date(2026, 10, 24), ["02:00", "02:15", "02:30", "02:45"]),
        (BACK, ["03:00", "03:15", "03:30", "03:45"]),
        (date(2027, 3, 27), ["03:00", "03:15", "03:30", "03:45"]),
        (FORWARD, ["02:00", "02:15", "02:30", "02:45"]),
    ],
)
def test_a_window_comes_back_at_the_same_time_of_day_in_summer_and_in_winter(
    day: date, quarters: list[str]
) -> None:
    """The backup of four o'clock would wake somebody for half of the year."""
    assert covered(nightly("04:00", "05:00"), day) == quarters


def test_where_clocks_skip_its_time_a_window_is_an_hour_later_and_not_left_out() -> None:
    """The backup runs that night, too: as soon as its time is past."""
    one = nightly("02:00", "02:30")
    assert covered(one, FORWARD) == ["01:00", "01:15"]
    assert covered(one, FORWARD + timedelta(days=1)) == ["00:00", "00:15"]


def test_of_a_time_that_comes_twice_a_window_is_the_first() -> None:
    """The second hour of that night would be blind without a reason."""
    assert covered(nightly("02:00", "03:00"), BACK) == ["00:00", "00:15", "00:30", "00:45"]


@pytest.mark.parametrize("day", [FORWARD, BACK])
def test_a_window_over_the_change_lasts_as_long_as_on_other_nights(day: date) -> None:
    """Work takes two hours, whatever the clock on the wall does meanwhile."""
    one = nightly("01:00", "03:00")
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    night = (noon - timedelta(minutes=15 * n) for n in range(96))
    assert sum(one.covers(ANY, unix(at)) for at in night) == 8


@given(st.integers(0, 400), st.integers(0, 95))
def test_a_window_of_a_zone_is_by_the_clock_on_its_wall(day: int, quarter: int) -> None:
    """On every night but two it is plainly what the wall says."""
    at = datetime(2026, 10, 2, tzinfo=UTC) + timedelta(days=day, minutes=15 * quarter)
    wall = at.astimezone(BERLIN)
    assert nightly("04:00", "05:00").covers(ANY, unix(at)) is (wall.hour == 4)
