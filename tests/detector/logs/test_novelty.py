"""A line that nobody wrote before is told, where it is rare that the service does so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level
from detector.logs.operator import step
from detector.logs.settings import LogSettings
from detector.logs.state import LogState
from detector.stream.anomaly import (
    AnomalyKind,
    AnomalyState,
    Ending,
    Happened,
    Happening,
    Severity,
)
from detector.stream.suppression import Window
from detector.stream.words import told_in_words
from tests.detector.logs.worlds import DAY, HOUR, MINUTE, T0, Line, counts_of, learned, run, usual
from tests.profiles import HEAVY

NOW = DAY + HOUR
ERROR = Level.ERROR


def kinds(happened: list[Happened]) -> list[Happening]:
    """What happened, in order."""
    return [one.kind for one in happened]


def error(at: int, text: str = "cannot place order <num>", count: int = 5, **more: str) -> Line:
    """An error so long after all was learned."""
    return Line(NOW + at, text, count, ERROR, **more)


def test_a_new_error_is_told_with_its_first_line_and_closed_when_it_stays_away() -> None:
    """Whoever is woken needs to read what was written, and whether it still is."""
    sample = "cannot place order 17 of ann@example.org"
    happened = run(learned(), [error(0, sample=sample), *usual(NOW, NOW + HOUR)])
    opened, closed = happened[0].anomaly, happened[-1].anomaly
    assert kinds(happened) == [Happening.OPENED, Happening.CLOSED]
    assert (opened.kind, opened.severity) == (AnomalyKind.LOG_NOVELTY, Severity.MEDIUM)
    assert opened.lines[0].line == "cannot place order 17 of <email>"
    assert (opened.lines[0].count, opened.peak.value, opened.start) == (5, 5.0, T0 + NOW)
    assert (closed.id, closed.state, closed.ending) == (
        opened.id, AnomalyState.CLOSED, Ending.CALM,
    )  # fmt: skip


def test_it_is_told_in_words() -> None:
    """A number of a template says nothing at three in the morning."""
    happened = run(learned(), [error(0), error(MINUTE, "disk full", 90), *usual(NOW, NOW + HOUR)])
    assert told_in_words(happened[0].anomaly) == (
        "shop/checkout: ERROR 'cannot place order <num>', never written before, came 5 times;"
        " it began at 01:00 UTC and lasts."
    )
    assert told_in_words(happened[-1].anomaly) == (
        "shop/checkout: ERROR 'disk full' and another template, never written before, came 90"
        " times; it began at 01:00 UTC and was over after 1 min."
    )


def test_new_lines_after_it_had_closed_open_it_again_since_then() -> None:
    """Whoever looks for what changed before them has to know when they came."""
    state = learned()
    first = run(state, [error(0), *usual(NOW, NOW + 15 * MINUTE)])
    back = run(state, [error(20 * MINUTE, "disk full"), *usual(NOW + 20 * MINUTE, NOW + HOUR)])
    assert kinds(first) == [Happening.OPENED, Happening.CLOSED]
    assert kinds(back) == [Happening.REOPENED, Happening.CLOSED]
    assert [one.anomaly.again for one in first] == [None, None]
    assert [one.anomaly.again for one in back] == [T0 + NOW + 20 * MINUTE] * 2
    assert back[0].anomaly.start == T0 + NOW


def test_many_new_lines_at_once_are_one_anomaly_with_all_of_them() -> None:
    """A broken database would be thirty pages in one minute."""
    lines = [error(n * 10_000, f"failure of part {chr(65 + n)}") for n in range(12)]
    happened = run(learned(), [*lines, *usual(NOW, NOW + HOUR)])
    assert kinds(happened)[0] is Happening.OPENED
    assert len({one.anomaly.id for one in happened}) == 1
    last = happened[-1].anomaly
    assert (last.members, len(last.lines), last.severity) == (12, 12, Severity.HIGH)
    assert len(happened) <= 6


def test_nothing_is_told_while_a_service_is_learned() -> None:
    """A fresh install would tell of everything that there is."""
    state = LogState(tenant="t")
    lines = [Line(n * HOUR, f"failure {chr(65 + n)}", 5, ERROR) for n in range(24)]
    assert run(state, [*usual(0, DAY), *lines]) == []


def test_a_service_that_comes_later_is_learned_as_well() -> None:
    """Every new service would begin with an alarm."""
    state = learned()
    happened = run(state, [Line(NOW + n * MINUTE, "up", service="new") for n in range(60)])
    assert happened == []


def test_a_line_that_is_known_is_never_new() -> None:
    """What happens each night would be told each night."""
    state = learned()
    first = run(state, [error(0), *usual(NOW, NOW + 2 * HOUR)])
    later = run(state, [error(3 * HOUR), *usual(NOW + 2 * HOUR, NOW + 4 * HOUR)])
    assert first
    assert not later


def test_what_nobody_wrote_for_long_is_new_again() -> None:
    """An error of last year would hide that of today."""
    settings = LogSettings(known_s=2 * 86_400)
    state = learned(settings=settings)
    run(state, [error(0), *usual(NOW, NOW + 3 * DAY)])
    back = run(state, [error(3 * DAY + HOUR), *usual(NOW + 3 * DAY, NOW + 3 * DAY + 2 * HOUR)])
    assert kinds(back) == [Happening.OPENED, Happening.CLOSED]


@pytest.mark.parametrize("level", [Level.INFO, Level.DEBUG, Level.UNKNOWN, Level.WARN])
def test_a_slighter_line_is_told_only_where_new_ones_are_rarer(level: Level) -> None:
    """A banner of a library would wake somebody."""
    line = Line(NOW, "cache warmed in <num> ms", 5, level)
    assert run(learned(), [line]) == []


def test_a_line_without_a_level_that_names_an_error_is_one() -> None:
    """Services that print without levels could never be told of."""
    line = Line(NOW, "Exception in worker <num>", 5, Level.UNKNOWN)
    assert kinds(run(learned(), [line])) == [Happening.OPENED]


def test_a_service_that_often_tells_something_new_is_told_of_less() -> None:
    """A service with a new error each hour would page each hour."""
    state, alarms = learned(), 0
    for n in range(72):
        lines = [error(n * HOUR, f"odd thing {n:x}x", 1)]
        happened = run(state, [*lines, *usual(NOW + n * HOUR, NOW + (n + 1) * HOUR)])
        alarms += kinds(happened).count(Happening.OPENED)
    assert 1 <= alarms <= 3
    flood = run(state, [error(80 * HOUR, "all is lost", 5000)])
    assert kinds(flood) == [Happening.OPENED]


def test_what_a_deploy_brings_is_judged_by_what_deploys_bring() -> None:
    """New lines of each release would use up what is believed of quiet days."""
    state, alarms = learned(), 0
    for n in range(8):
        at = n * 6 * HOUR
        line = error(at + 5 * MINUTE, f"migrated {n:x}x", 4, version=f"v{n + 2}")
        happened = run(state, [*usual(NOW + at, NOW + at + 6 * HOUR), line])
        alarms += kinds(happened).count(Happening.OPENED)
    calm = run(state, [error(60 * HOUR, "cannot place order", version="v9")])
    assert alarms <= 3
    assert kinds(calm) == [Happening.OPENED]


def test_one_error_in_two_wordings_is_one() -> None:
    """Its trace would be told again after every release that moves its line."""
    trace = "java.lang.NullPointerException: x\n\tat com.acme.Order.place(Order.java:{})"
    state = learned()
    first = run(state, [error(0, "NPE <*>", sample=trace.format(1)), *usual(NOW, NOW + HOUR)])
    again = run(state, [error(2 * HOUR, "NPE other <*>", sample=trace.format(77))])
    assert first[0].anomaly.lines[0].title == "NullPointerException at Order.place"
    assert again == []


def test_planned_work_is_not_told_and_teaches() -> None:
    """Maintenance would page, and again the next time."""
    window = Window(name="move", start=T0 + NOW, end=T0 + NOW + HOUR, service="checkout")
    state = learned(windows=[window])
    assert run(state, [error(MINUTE), *usual(NOW, NOW + 2 * HOUR)]) == []
    assert run(state, [error(3 * HOUR)]) == []


def test_services_are_told_apart() -> None:
    """An error that one service always has would be none in another."""
    state = learned(services=("checkout", "cart"))
    happened = run(state, [error(0), error(MINUTE, service="cart")])
    assert [one.anomaly.subject.service for one in happened] == ["checkout", "cart"]
    assert len({one.anomaly.id for one in happened}) == 2


@HEAVY
@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_more_lines_of_a_new_error_never_keep_it_from_being_told(few: int, more: int) -> None:
    """A flood would be hidden by its size."""
    few, many = sorted((few, more))
    told = [bool(run(_noisy(), [error(DAY, "all is lost", count)])) for count in (few, many)]
    assert told[1] >= told[0]


def _noisy() -> LogState:
    """A service that had three new errors of ten lines within a day."""
    state = learned()
    for n in range(3):
        at = n * HOUR
        run(state, [error(at, f"odd {n:x}x", 10), *usual(NOW + at, NOW + at + HOUR)])
    return state


def test_a_trace_is_known_by_its_frames_also_where_later_counts_have_no_sample() -> None:
    """Only the first line of a template comes with its text: the next one would be new."""
    trace = "java.lang.NullPointerException: x\n\tat com.acme.Order.place(Order.java:1)"
    state = learned()
    assert run(state, [error(0, "NPE <*>", sample=trace), *usual(NOW, NOW + HOUR)])
    bare = counts_of([error(2 * HOUR, "NPE <*>")])
    bare = replace(bare, templates=tuple(replace(one, sample="") for one in bare.templates))
    assert step(state, bare)[1] == ()


def test_a_new_error_that_comes_slowly_is_told_where_others_come_seldomer() -> None:
    """What a customer meets once in two minutes would be taken for what happened once."""
    state = _noisy()
    begin = NOW + 3 * HOUR
    for n in range(4):
        line = Line(begin + n * HOUR, f"odd again {n:x}x", 1, ERROR)
        run(state, [line, *usual(line.at, line.at + HOUR)])
    start = begin + 4 * HOUR
    slow = [Line(start + n * 2 * MINUTE, "cannot refund <num>", 2, ERROR) for n in range(20)]
    happened = run(state, [*slow, *usual(start, start + HOUR)])
    assert kinds(happened)[0] is Happening.OPENED
    assert 5 * MINUTE < happened[0].at - T0 - start <= 25 * MINUTE
