"""A heartbeat that falls silent is told, where the service itself still logs."""

from __future__ import annotations

import pytest

from detector.logs.operator import step
from detector.logs.state import LogState
from detector.stream.anomaly import AnomalyKind, Ending, Happened, Happening, Severity, Side
from detector.stream.suppression import Window
from detector.stream.words import told_in_words
from tests.detector.logs.worlds import (
    BIN,
    DAY,
    HOUR,
    MINUTE,
    T0,
    Line,
    counts_of,
    learned,
    run,
    usual,
)

NOW = DAY + HOUR


def kinds(happened: list[Happened]) -> list[Happening]:
    """What happened, in order."""
    return [one.kind for one in happened]


def without(state: LogState, minutes: int) -> list[Happened]:
    """The service logs on for so long, its heartbeat does not."""
    return run(state, usual(NOW, NOW + minutes * MINUTE, beat=0))


def test_a_heartbeat_that_falls_silent_is_told_within_minutes_and_until_it_is_back() -> None:
    """A job that hangs writes no error: that it is silent is all that there is to see."""
    state = learned()
    happened = without(state, 30)
    happened += run(state, usual(NOW + 30 * MINUTE, NOW + 33 * MINUTE))
    opened, closed = happened[0], happened[-1]
    assert kinds(happened) == [Happening.OPENED, Happening.CLOSED]
    assert (opened.anomaly.kind, opened.anomaly.side) == (AnomalyKind.LOG_SILENCE, Side.BELOW)
    assert opened.anomaly.start == T0 + NOW - MINUTE
    assert opened.at - opened.anomaly.start <= 5 * MINUTE
    assert (closed.anomaly.ending, closed.anomaly.end) == (Ending.CALM, T0 + NOW + 30 * MINUTE)
    assert opened.anomaly.lines[0].every_s == 60
    assert told_in_words(opened.anomaly) == (
        "shop/checkout: INFO 'heartbeat sent', written every 1 min before, missing while the"
        " service still logs; it began at 00:59 UTC and lasts."
    )


def test_a_service_that_is_gone_altogether_has_no_silent_heartbeat() -> None:
    """A service that is scaled to nothing would be told of by each of its templates."""
    state = learned(services=("checkout", "cart"))
    assert run(state, usual(NOW, NOW + 6 * HOUR, services=("cart",))) == []


def test_a_service_that_goes_while_its_heartbeat_is_silent_ends_the_anomaly() -> None:
    """The anomaly of a service that was removed would be open for ever."""
    state = learned(services=("checkout", "cart"))
    lines = usual(NOW, NOW + 4 * HOUR, services=("cart",))
    happened = run(state, [*lines, *usual(NOW, NOW + HOUR, beat=0)])
    assert kinds(happened) == [Happening.OPENED, Happening.CLOSED]
    assert happened[-1].anomaly.ending is Ending.SILENT
    assert "its service stopped reporting" in told_in_words(happened[-1].anomaly)


def test_several_heartbeats_of_a_service_are_one_anomaly() -> None:
    """A scheduler that stands still would be ten pages."""
    beats = [f"job {name} done" for name in ("a", "b", "c", "d")]
    state = LogState(tenant="t")
    run(state, usual(0, NOW) + [Line(at, one) for at in range(0, NOW, 2 * MINUTE) for one in beats])
    happened = run(state, usual(NOW, NOW + HOUR))
    assert kinds(happened)[0] is Happening.OPENED
    assert {one.anomaly.id for one in happened} == {happened[0].anomaly.id}
    assert (happened[-1].anomaly.members, happened[-1].anomaly.severity) == (4, Severity.HIGH)


def test_beats_that_often_go_missing_need_a_longer_silence() -> None:
    """A heartbeat of a busy machine would alarm for each one that it drops."""
    lines = [Line(at, "ping") for n, at in enumerate(range(0, NOW, MINUTE)) if n % 13]
    state, steady = LogState(tenant="t"), learned()
    run(state, usual(0, NOW, beat=0) + lines)
    loose = without(state, 60)[0]
    tight = without(steady, 60)[0]
    assert loose.at > tight.at


@pytest.mark.parametrize("seed", range(4))
def test_lines_that_come_as_people_do_have_no_heartbeat(seed: int) -> None:
    """The first quiet night would be a silence of every line of business."""
    pace = [1, 7, 3, 19, 2, 5, 31, 1, 1, 11, 4, 23][seed:]
    at, lines = 0, []
    while at < NOW:
        lines.append(Line(at, "order refunded"))
        at += pace[len(lines) % len(pace)] * MINUTE
    state = LogState(tenant="t")
    run(state, usual(0, NOW, beat=0) + lines)
    assert without(state, 300) == []


def test_a_pause_of_the_whole_service_is_no_silence() -> None:
    """Each restart would be told of."""
    state = learned(services=("checkout", "cart"))
    run(state, usual(NOW, NOW + HOUR, services=("cart",)))
    assert run(state, usual(NOW + HOUR, NOW + 3 * HOUR, services=("checkout", "cart"))) == []


def test_planned_work_is_no_silence_and_what_lasts_longer_is() -> None:
    """A job that is stopped for an hour of maintenance would page."""
    window = Window(name="move", start=T0 + NOW, end=T0 + NOW + HOUR)
    happened = without(learned(windows=[window]), 90)
    assert [one.at >= window.end for one in happened] == [True]


def test_a_clock_that_is_wrong_makes_no_silence() -> None:
    """One pod with a clock of next year would silence all heartbeats of everybody."""
    state = learned()
    wrong = [Line(NOW + n * MINUTE + 400 * DAY, "order placed") for n in range(30)]
    happened = []
    for n, one in enumerate(wrong):
        minute = usual(NOW + n * MINUTE, NOW + (n + 1) * MINUTE)
        happened += run_together(state, [*minute, one])
    assert happened == []
    assert state.skewed == 30
    assert state.watermark < T0 + NOW + HOUR


def test_time_goes_on_where_it_is_after_all_were_silent() -> None:
    """After a weekend without lines everything would be late for ever."""
    state = learned()
    later = NOW + 3 * DAY
    assert run(state, usual(later, later + 2 * HOUR)) == []
    assert state.watermark == T0 + later + 2 * HOUR - MINUTE
    assert without_at(state, later + 2 * HOUR)


def test_a_clock_that_was_wrong_for_all_is_put_right() -> None:
    """What came while the clocks were ahead would be all that is believed, for a year."""
    state = learned()
    run(state, usual(NOW + 400 * DAY, NOW + 400 * DAY + 10 * MINUTE))
    run(state, usual(NOW + 10 * MINUTE, NOW + 3 * HOUR))
    assert state.watermark == T0 + NOW + 3 * HOUR - MINUTE
    assert without_at(state, NOW + 3 * HOUR)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("beat", "jitter"),
    [(BIN, 0), (2 * BIN, 3), (MINUTE, 1), (5 * MINUTE, 2), (10 * MINUTE, 3)],
)
def test_any_pace_is_learned_and_its_end_is_told(beat: int, jitter: int) -> None:
    """Only jobs of one pace would be watched."""
    state = LogState(tenant="t")
    beats = [
        Line(at + (n * jitter % 4) * min(BIN, beat // 10), "tick")
        for n, at in enumerate(range(0, NOW, beat))
    ]
    run(state, usual(0, NOW, beat=0) + beats)
    happened = without(state, max(10 * beat // MINUTE, 20))
    assert kinds(happened) == [Happening.OPENED]


def test_a_silence_that_comes_again_did_so_when_the_next_line_was_missed() -> None:
    """A change in between may be its cause."""
    state = learned()
    first = without(state, 60)[0].anomaly
    run(state, usual(NOW + HOUR, NOW + 3 * HOUR))
    back = without_at(state, NOW + 3 * HOUR)[0]
    assert (back.kind, back.anomaly.id) == (Happening.REOPENED, first.id)
    assert first.again is None
    assert back.anomaly.again is not None
    assert 0 <= T0 + NOW + 3 * HOUR - back.anomaly.again <= 2 * MINUTE


def without_at(state: LogState, at: int) -> list[Happened]:
    """The service logs on from a time, its heartbeat does not."""
    return run(state, usual(at, at + 30 * MINUTE, beat=0))


def run_together(state: LogState, lines: list[Line]) -> list[Happened]:
    """All of them in one batch, whatever their times are."""
    return list(step(state, counts_of(lines))[1])


def test_a_silence_that_was_told_makes_no_later_one_unheard() -> None:
    """The second night would not be told, since the first one was so long."""
    state = learned()
    without(state, 60)
    run(state, usual(NOW + HOUR, NOW + 3 * HOUR))
    assert kinds(without_at(state, NOW + 3 * HOUR))[0] in (Happening.OPENED, Happening.REOPENED)
