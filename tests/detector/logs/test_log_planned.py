"""Planned work, deploys, what people say, and bounds: what is told, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.feedback import told
from detector.logs.lines import Level
from detector.logs.settings import LogSettings
from detector.logs.snapshot import taken
from detector.logs.state import LogState
from detector.logs.story import named
from detector.stream.anomaly import AnomalyKind, Ending, Happened, Happening, Judged
from detector.stream.feedback import Feedback
from detector.stream.suppression import Window
from tests.detector.logs.worlds import DAY, HOUR, MINUTE, T0, Line, again, learned, run, usual
from tests.profiles import HEAVY

NOW = DAY + HOUR
ERROR = Line(NOW, "no db", 5, Level.ERROR)


def kinds(happened: list[Happened]) -> list[Happening]:
    """What happened, in order."""
    return [one.kind for one in happened]


def window(start: int, stop: int, **more: str | int) -> Window:
    """Planned work of the hour after all is known, or another time."""
    return Window(name="move", start=T0 + start, end=T0 + stop, **more)  # type: ignore[arg-type]


def say(state: LogState, anomaly_of: Happened, judged: Judged) -> list[Happened]:
    """Somebody says what an anomaly was."""
    anomaly = anomaly_of.anomaly
    rows = tuple(one.series for one in anomaly.contributions)
    feedback = Feedback(
        anomaly=anomaly.id,
        judged=judged,
        at=anomaly_of.at,
        series=rows,
        surprise=tuple(one.surprise for one in anomaly.contributions),
        named=tuple(named(anomaly)[row] for row in rows),
    )
    return list(told(state, feedback)[1])


COVERS = {
    "the service": ({"service": "checkout"}, False),
    "all of its like": ({"service": "check*"}, False),
    "another service": ({"service": "cart"}, True),
    "its namespace": ({"namespace": "shop"}, False),
    "another namespace": ({"namespace": "staging"}, True),
    "new lines alone": ({"metric": "log_novelty"}, False),
    "silences alone": ({"metric": "log_silence"}, True),
    "a metric": ({"metric": "http_*"}, True),
}


@pytest.mark.parametrize(("about", "is_told"), COVERS.values(), ids=COVERS)
def test_a_window_is_about_what_it_names(about: dict[str, str], is_told: bool) -> None:
    """Work on one service would hide the outage of another."""
    state = learned(windows=[window(NOW, NOW + HOUR, **about)])
    assert bool(run(state, [replace(ERROR, at=NOW + MINUTE)])) == is_told


@pytest.mark.parametrize("day", [0, 1, 2])
def test_a_window_that_comes_back_each_day_covers_each_day(day: int) -> None:
    """Backups would page every night but the first, or make the service deaf by day."""
    nightly = window(NOW, NOW + HOUR, every_s=86_400)
    state = learned(windows=[nightly])
    begin = NOW + day * DAY
    lines = [Line(at) for at in range(NOW, begin + 5 * HOUR, 10 * MINUTE)]
    inside = replace(ERROR, at=begin + 10 * MINUTE)
    outside = replace(ERROR, text="no disk", at=begin + 4 * HOUR)
    happened = run(state, [*lines, inside, outside])
    opened = [one for one in happened if one.anomaly.kind is AnomalyKind.LOG_NOVELTY]
    assert [one.anomaly.lines[0].title for one in opened] == ["no disk", "no disk"]


def test_an_error_that_goes_on_after_the_window_is_told_then() -> None:
    """Maintenance that broke something would hide it for ever."""
    state = learned(windows=[window(NOW, NOW + 20 * MINUTE)])
    lines = [replace(ERROR, at=NOW + n * MINUTE) for n in range(15, 30)]
    happened = run(state, [*usual(NOW, NOW + HOUR), *lines])
    assert kinds(happened)[0] is Happening.OPENED
    assert T0 + NOW + 20 * MINUTE <= happened[0].at <= T0 + NOW + 22 * MINUTE


def test_a_silence_that_is_over_before_the_window_is_is_not_told() -> None:
    """A job that was stopped for planned work would be told after it, when it runs again."""
    state = learned(windows=[window(NOW, NOW + HOUR)])
    run(state, usual(NOW, NOW + 40 * MINUTE, beat=0))
    assert run(state, usual(NOW + 40 * MINUTE, NOW + 2 * HOUR)) == []


def test_a_line_of_a_version_is_the_deploys_for_a_quarter_of_an_hour() -> None:
    """What comes at night would be excused by the release of the morning."""
    state = learned()
    lines = [replace(one, version="v2") for one in usual(NOW, NOW + HOUR)]
    run(state, lines[:5])
    soon = run(state, [replace(ERROR, at=NOW + 5 * MINUTE, version="v2")])
    story = state.stories[0]
    assert (bool(soon), story.is_deploy) == (True, True)
    run(state, [*lines, *(replace(one, at=one.at + HOUR) for one in lines)])
    run(state, [replace(ERROR, at=NOW + 2 * HOUR, text="no disk", version="v2")])
    assert not state.stories[0].is_deploy


def test_a_version_that_comes_back_is_no_deploy() -> None:
    """Pods of two versions beside each other would be a deploy every minute."""
    state = learned()
    lines = [
        replace(one, version=f"v{1 + n % 2}") for n, one in enumerate(usual(NOW, NOW + 2 * HOUR))
    ]
    run(state, lines)
    assert int(state.services["deployed"][0]) <= T0 + NOW + MINUTE
    run(state, [replace(ERROR, at=NOW + 2 * HOUR, version="v1")])
    assert not state.stories[0].is_deploy


def test_a_burst_that_never_ends_is_told_at_powers_of_its_size() -> None:
    """A retry without an end would send a notice a minute for six hours."""
    state = learned()
    flood = [replace(ERROR, at=NOW + n * MINUTE, count=100) for n in range(5 * 60)]
    happened = run(state, [*usual(NOW, NOW + 5 * HOUR), *flood])
    assert kinds(happened)[0] is Happening.OPENED
    assert set(kinds(happened)[1:]) == {Happening.GREW}
    assert len(happened) <= 8
    sizes = [one.anomaly.lines[0].count for one in happened]
    assert sizes == sorted(sizes)


def test_a_burst_that_comes_once_morewithin_minutes_is_the_same_one() -> None:
    """A database that goes up and down would be a new page each time."""
    state = learned()
    once_more = replace(ERROR, at=NOW + 25 * MINUTE, text="no cache", count=400)
    happened = run(state, [*usual(NOW, NOW + HOUR), ERROR, once_more])
    assert len({one.anomaly.id for one in happened}) == 1
    assert kinds(happened) == [
        Happening.OPENED, Happening.CLOSED, Happening.REOPENED, Happening.CLOSED,
    ]  # fmt: skip
    assert [one.title for one in happened[-1].anomaly.lines] == ["no cache", "no db"]


def test_what_lasts_for_six_hours_is_no_news_any_more() -> None:
    """An error that is how it is now would be open beside every real one."""
    state = learned()
    lines = [replace(ERROR, at=NOW + n * 5 * MINUTE) for n in range(7 * 12)]
    happened = run(state, [*usual(NOW, NOW + 7 * HOUR), *lines])
    closed = next(one for one in happened if one.kind is Happening.CLOSED)
    assert closed.anomaly.ending is Ending.CALM
    assert 6 * HOUR <= closed.at - T0 - NOW <= 6 * HOUR + 5 * MINUTE
    assert happened[-1] is closed


@pytest.mark.parametrize("judged", Judged)
@pytest.mark.parametrize("restarts", [False, True])
def test_what_is_said_of_one_kind_changes_nothing_of_the_other(
    judged: Judged, restarts: bool
) -> None:
    """Who calls a new line normal would silence the heartbeats of that service."""
    state = learned()
    say(state, run(state, [ERROR])[0], judged)
    if restarts:
        state = again(state, taken(state))
    happened = run(state, usual(NOW, NOW + HOUR, beat=0))
    assert AnomalyKind.LOG_SILENCE in {one.anomaly.kind for one in happened}


def test_normal_said_twice_is_counted_twice_and_closes_once() -> None:
    """Two people who answer at once would end the anomaly twice."""
    state = learned()
    opened = run(state, [ERROR])[0]
    first, second = (say(state, opened, Judged.NORMAL) for _ in range(2))
    assert (kinds(first), second) == ([Happening.CLOSED], [])
    row = opened.anomaly.contributions[0].series
    assert int(state.rows["normal"][row]) == 2


BOUNDED = LogSettings(templates=60, of_service=30, learn_s=3600.0)


def test_a_service_without_end_to_its_templates_leaves_those_of_others() -> None:
    """One service with an id in every line would make all of the others new."""
    state = LogState(tenant="t", settings=BOUNDED)
    run(state, usual(0, 3 * HOUR, services=("checkout", "cart")))
    flood = [Line(3 * HOUR + n * MINUTE, f"id {n:x}x", service="cart") for n in range(200)]
    run(state, [*flood, *usual(3 * HOUR, 7 * HOUR, services=("checkout",))])
    numbers = state.services.numbers
    kept = {
        name for service, name in state.rows.numbers if service == numbers["checkout", "shop", ""]
    }
    assert kept == {"lt_order placed", "lt_heartbeat sent"}
    assert state.rows.of_service[numbers["cart", "shop", ""]] <= 30


@HEAVY
@given(st.lists(st.integers(0, 400), min_size=1, max_size=60), st.integers(2, 12))
def test_what_is_given_up_is_what_is_unseen_for_longest(texts: list[int], most: int) -> None:
    """The line of each minute would be forgotten, and be new a minute later."""
    settings = LogSettings(templates=most, of_service=most, learn_s=3600.0)
    state = LogState(tenant="t", settings=settings)
    lines = [Line(n * MINUTE, f"text {text}") for n, text in enumerate(texts)]
    run(state, [one for line in lines for one in (line, replace(line, text="order placed"))])
    assert (0, "lt_order placed") in state.rows.numbers
    assert len(state.rows) <= most
    own = state.rows["service"][: state.rows.size] >= 0
    assert int(own.sum()) == len(state.rows) == sum(state.rows.of_service.values())
    assert int(state.rows["count"][: state.rows.size][own].sum()) + state.unwatched <= 2 * len(
        lines
    )
