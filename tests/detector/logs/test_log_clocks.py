"""Time as logs have it: late, out of order, with wrong clocks, and with restarts in between."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level
from detector.logs.operator import step
from detector.logs.settings import LogSettings
from detector.logs.snapshot import taken
from detector.logs.state import LogState
from detector.stream.anomaly import AnomalyKind, Happened, Happening
from tests.detector.logs.worlds import (
    BIN,
    DAY,
    HOUR,
    MINUTE,
    T0,
    Line,
    again,
    counts_of,
    learned,
    run,
    usual,
)
from tests.profiles import HEAVY

NOW = DAY + HOUR
ERROR = Line(NOW, "no db", 5, Level.ERROR)


def batched(state: LogState, *batches: list[Line]) -> list[Happened]:
    """What happened on batches, each as it came, whatever its times are."""
    return [one for batch in batches for one in step(state, counts_of(batch))[1]]


def kinds(happened: list[Happened]) -> list[Happening]:
    """What happened, in order."""
    return [one.kind for one in happened]


@pytest.mark.parametrize("late", [BIN, 2 * MINUTE, 20 * MINUTE, 50 * MINUTE])
def test_a_new_error_that_comes_late_is_told(late: int) -> None:
    """An agent that was cut off would deliver the cause of the outage, and nobody would see it."""
    state = learned()
    run(state, usual(NOW, NOW + 10 * MINUTE))
    happened = batched(state, [replace(ERROR, at=NOW + 10 * MINUTE - late)])
    assert kinds(happened) == [Happening.OPENED]
    assert happened[0].anomaly.start == T0 + NOW + 10 * MINUTE - late


@pytest.mark.parametrize("ahead", [2 * HOUR, 400 * DAY, 40_000 * DAY])
def test_a_clock_that_is_far_ahead_moves_nobody_elses_time(ahead: int) -> None:
    """One pod without a time server would end all that is under way, for everybody."""
    state = learned()
    lines = usual(NOW, NOW + HOUR)
    odd = [replace(ERROR, at=NOW + ahead, service="search")]
    run(state, lines[:20])
    before = state.watermark
    assert batched(state, [lines[20], *odd]) == []
    assert (state.skewed, state.watermark <= before + MINUTE) == (5, True)


def test_an_error_of_a_clock_that_is_ahead_is_told_as_of_now() -> None:
    """Its page would be dated next year."""
    state = learned()
    happened = batched(state, [*usual(NOW, NOW + MINUTE), replace(ERROR, at=NOW + 400 * DAY)])
    assert kinds(happened) == [Happening.OPENED]
    assert T0 + NOW - MINUTE <= happened[0].anomaly.start <= T0 + NOW + MINUTE


def test_what_was_opened_by_a_wrong_clock_closes_by_the_right_one() -> None:
    """An anomaly that began in the future would be open for a year."""
    state = learned()
    wrong = 300 * DAY
    opened = run(state, [*usual(wrong, wrong + 10 * MINUTE), replace(ERROR, at=wrong + HOUR)])
    opened += run(state, usual(NOW, NOW + 3 * HOUR))
    assert Happening.OPENED in kinds(opened)
    assert kinds(opened)[-1] is Happening.CLOSED
    assert state.open == {}
    assert state.watermark < T0 + NOW + 3 * HOUR


@pytest.mark.parametrize("jump", [-30 * MINUTE, 30 * MINUTE])
def test_a_clock_that_is_put_right_by_half_an_hour_is_no_alarm(jump: int) -> None:
    """Daylight saving on a machine that writes local time would page twice a year."""
    state = learned()
    happened = run(state, usual(NOW, NOW + HOUR))
    after = usual(NOW + HOUR + jump, NOW + 4 * HOUR + jump)
    for minute in range(0, 3 * HOUR, MINUTE):
        now = NOW + HOUR + jump + minute
        happened += batched(state, [one for one in after if one.at == now])
    assert happened == []


def test_counts_of_one_minute_in_ten_batches_are_those_of_one() -> None:
    """Whoever sends in small parts would be told of in another way."""
    whole, parts = learned(), learned()
    lines = [replace(ERROR, count=1) for _ in range(10)]
    first = batched(whole, lines)
    second = batched(parts, *([one] for one in lines))
    assert first[0].anomaly.id == second[0].anomaly.id
    run(whole, usual(NOW + MINUTE, NOW + HOUR))
    closed = run(parts, usual(NOW + MINUTE, NOW + HOUR))[-1]
    assert closed.anomaly.lines[0].count == 10


@HEAVY
@given(st.permutations(range(6)))
def test_beats_that_come_out_of_order_are_no_silence(order: list[int]) -> None:
    """Two agents of different speed would silence each other's heartbeats."""
    state = learned()
    for start in range(NOW, NOW + 30 * MINUTE, 6 * BIN):
        bins = [usual(start + n * BIN, start + (n + 1) * BIN, beat=BIN) for n in range(6)]
        assert batched(state, *(bins[n] for n in order if bins[n])) == []


@HEAVY
@given(st.lists(st.integers(0, 120), min_size=1, max_size=8), st.booleans())
def test_lines_that_are_sent_again_open_nothing(minutes: list[int], restarts: bool) -> None:
    """A forwarder that repeats what it is not sure of would page."""
    state = learned()
    run(state, usual(NOW, NOW + 2 * HOUR))
    if restarts:
        state = again(state, taken(state))
    sent = [usual(NOW + n * MINUTE, NOW + (n + 2) * MINUTE) for n in minutes]
    assert batched(state, *sent) == []
    assert state.watermark < T0 + NOW + 2 * HOUR + 2 * MINUTE


@HEAVY
@given(
    st.lists(
        st.tuples(st.sampled_from([-400 * DAY, -HOUR, -BIN, 0, BIN, HOUR, DAY, 400 * DAY]),
                  st.sampled_from(["order placed", "heartbeat sent", "no db"])),
        min_size=1, max_size=40,
    )
)  # fmt: skip
def test_no_clock_makes_an_anomaly_end_before_it_begins(odd: list[tuple[int, str]]) -> None:
    """A page would show an outage of minus three days."""
    state, now = learned(), NOW
    happened: list[Happened] = []
    for jump, text in odd:
        now += MINUTE
        level = Level.ERROR if text == "no db" else Level.INFO
        happened += batched(state, [Line(max(now + jump, 0), text, 3, level)])
        happened += batched(state, usual(now, now + MINUTE))
    happened += run(state, usual(now + MINUTE, now + HOUR))
    for one in happened:
        assert one.anomaly.end is None or one.anomaly.end >= one.anomaly.start
        assert all(part.end is None or part.end >= part.start for part in one.anomaly.contributions)


def test_beats_of_before_a_silence_that_come_late_do_not_end_it() -> None:
    """A forwarder that sends the last hour again would tell that the job runs."""
    state = learned()
    assert kinds(run(state, usual(NOW, NOW + 20 * MINUTE, beat=0))) == [Happening.OPENED]
    assert batched(state, usual(NOW - 10 * MINUTE, NOW)) == []
    assert state.rows["silent"].any()
    missed = [Line(NOW + 5 * MINUTE, "heartbeat sent")]
    assert kinds(batched(state, missed)) == [Happening.CLOSED]


def test_a_restart_within_the_first_day_does_not_begin_it_anew() -> None:
    """A process that is replaced each night would learn for ever, and never tell anything."""
    state = LogState(tenant="t")
    for hour in range(0, 25, 5):
        run(state, usual(hour * HOUR, (hour + 5) * HOUR))
        state = again(state, taken(state))
    assert kinds(run(state, [replace(ERROR, at=25 * HOUR)])) == [Happening.OPENED]


@pytest.mark.parametrize(("hour", "is_told"), [(2, False), (5, False), (7, True)])
def test_what_is_learned_ends_when_it_is_set_to(hour: int, is_told: bool) -> None:
    """A shop that wants to be told after six hours would be told on the first line, or never."""
    state = LogState(tenant="t", settings=LogSettings(learn_s=6 * 3600))
    run(state, usual(0, hour * HOUR))
    assert bool(run(state, [replace(ERROR, at=hour * HOUR)])) == is_told


def test_a_restart_in_the_middle_of_a_silence_neither_ends_nor_repeats_it() -> None:
    """The job that hangs would be told again by every new process."""
    state = learned()
    happened = run(state, usual(NOW, NOW + 20 * MINUTE, beat=0))
    for part in range(20, 80, 10):
        state = again(state, taken(state))
        at = NOW + part * MINUTE
        happened += run(state, usual(at, at + 10 * MINUTE, beat=0))
    happened += run(state, usual(NOW + 80 * MINUTE, NOW + 90 * MINUTE))
    assert kinds(happened) == [Happening.OPENED, Happening.CLOSED]
    assert {one.anomaly.kind for one in happened} == {AnomalyKind.LOG_SILENCE}
    lasted = (happened[-1].anomaly.end or 0) - happened[-1].anomaly.start
    assert lasted == 81 * MINUTE
