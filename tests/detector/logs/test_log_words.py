"""What whoever is woken at three in the morning reads: whole sentences, of each kind of story."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.logs.feedback import told
from detector.logs.lines import Level
from detector.logs.operator import step
from detector.logs.state import LogState
from detector.logs.story import named
from detector.stream.anomaly import Anomaly, Happened, Happening, Judged, Severity
from detector.stream.feedback import Feedback
from detector.stream.words import told_in_words
from tests.detector.logs.worlds import (
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
# 03:12 of the day after.
NIGHT = DAY + 3 * HOUR + 12 * MINUTE
ERROR = Line(NIGHT, "cannot reach database", 12, Level.ERROR)
TRACES = {
    "java": (
        "com.acme.OutOfStock: sku 17\n\tat com.acme.stock.Stock.reserve(Stock.java:31)",
        "'OutOfStock at Stock.reserve'",
    ),
    "python": (
        'Traceback (most recent call last):\n  File "/app/pay.py", line 3, in pay\nValueError: x',
        "'ValueError at pay (pay.py)'",
    ),
    "go": (
        "panic: no route 17\n\ngoroutine 7 [running]:\nmain.send(0x1)\n\t/src/mail.go:3 +0x1d",
        "'panic: no route at main.send'",
    ),
    "minified": (
        "TypeError: t is null\n    at n (https://cdn.example.org/main.3f786850.js:2:41532)",
        "'TypeError at n (main.js)'",
    ),
}


def night() -> LogState:
    """A service that is known, at 03:12."""
    state = learned()
    run(state, usual(NOW, NIGHT))
    return state


def opened(*lines: Line) -> str:
    """What is told of these lines at first."""
    return told_in_words(step(night(), counts_of(lines))[1][0].anomaly)


def said(state: LogState, anomaly: Anomaly) -> list[Happened]:
    """Somebody calls it normal two minutes later."""
    rows = tuple(one.series for one in anomaly.contributions)
    feedback = Feedback(
        anomaly=anomaly.id,
        judged=Judged.NORMAL,
        at=T0 + NIGHT + 2 * MINUTE,
        series=rows,
        surprise=tuple(one.surprise for one in anomaly.contributions),
        named=tuple(named(anomaly)[row] for row in rows),
    )
    return list(told(state, feedback)[1])


@pytest.mark.parametrize(("count", "many"), [(1, "once"), (2, "2 times"), (12_345, "12,345 times")])
def test_how_often_it_came_is_said_as_people_say_it(count: int, many: str) -> None:
    """`1 times` is read twice, and 12345 miscounted."""
    assert opened(replace(ERROR, count=count)) == (
        f"shop/checkout: ERROR 'cannot reach database', never written before, came {many};"
        " it began at 03:12 UTC and lasts."
    )


@pytest.mark.parametrize(
    ("others", "beside"),
    [(1, " and another template"), (2, " and 2 other templates"), (30, " and 30 other templates")],
)
def test_others_beside_the_gravest_are_counted(others: int, beside: str) -> None:
    """A list of thirty lines is not read on a telephone."""
    more = [Line(NIGHT, f"part {n * 'x'} is lost", 2, Level.WARN) for n in range(others)]
    assert opened(*more, ERROR) == (
        f"shop/checkout: ERROR 'cannot reach database'{beside}, never written before, came"
        " 12 times; it began at 03:12 UTC and lasts."
    )


@pytest.mark.parametrize("language", TRACES)
def test_of_a_trace_it_is_told_what_was_raised_where(language: str) -> None:
    """The first line of a trace says `an error occurred`."""
    sample, title = TRACES[language]
    assert opened(replace(ERROR, text="<*>", count=3, sample=sample)) == (
        f"shop/checkout: ERROR {title}, never written before, came 3 times;"
        " it began at 03:12 UTC and lasts."
    )


def test_a_secret_in_the_template_itself_is_not_said() -> None:
    """The pager's provider would have the password, for ever."""
    assert opened(replace(ERROR, text="login with password=hunter2 failed")) == (
        "shop/checkout: ERROR 'login with password=<secret> failed', never written before, came"
        " 12 times; it began at 03:12 UTC and lasts."
    )


def test_a_line_that_commands_a_terminal_is_told_in_plain_words() -> None:
    """Who reads the sentence in a terminal would see what an attacker wants."""
    forged = "\x1b[2Jno db\r\n2026-11-27 INFO all is well\u202e"
    assert opened(replace(ERROR, text=forged)) == (
        "shop/checkout: ERROR 'no db␊2026-11-27 INFO all is well', never written before, came"
        " 12 times; it began at 03:12 UTC and lasts."
    )


def test_a_line_without_an_end_is_cut() -> None:
    """A statement of ten kilobytes would be sent to a telephone."""
    words = opened(replace(ERROR, text="no db " * 3000))
    assert words.startswith("shop/checkout: ERROR 'no db no db")
    assert len(words) < 300


@pytest.mark.parametrize("service", ["checkout", ""])
def test_a_service_without_a_name_is_called_so(service: str) -> None:
    """`shop/: ERROR` would be read as a mistake of serinus."""
    state = LogState(tenant="t")
    run(state, [Line(at, service=service) for at in range(0, NIGHT, 5 * MINUTE)])
    words = told_in_words(run(state, [replace(ERROR, service=service)])[0].anomaly)
    assert words.startswith(f"shop/{service or 'an unnamed service'}: ERROR 'cannot reach")


ENDS = {
    "at once": (0, "was over after 0 s"),
    "after minutes": (9, "was over after 9 min"),
    "after an hour": (80, "was over after 80 min"),
    "after hours": (150, "was over after 2.5 h"),
}


@pytest.mark.parametrize(("minutes", "ending"), ENDS.values(), ids=ENDS)
def test_how_long_it_lasted_is_said_when_it_is_over(minutes: int, ending: str) -> None:
    """Whoever reads it in the morning would look up two times and subtract."""
    state = night()
    lines = [replace(ERROR, at=NIGHT + n * MINUTE, count=2) for n in range(minutes + 1)]
    happened = run(state, [*usual(NIGHT, NIGHT + 4 * HOUR), *lines])
    assert happened[-1].kind is Happening.CLOSED
    assert told_in_words(happened[-1].anomaly) == (
        "shop/checkout: ERROR 'cannot reach database', never written before, came"
        f" {2 * (minutes + 1)} times; it began at 03:12 UTC and {ending}."
    )


def test_what_a_person_ended_says_so() -> None:
    """The next one on duty would think that it had stopped by itself."""
    state = night()
    anomaly = run(state, [ERROR])[0].anomaly
    assert told_in_words(said(state, anomaly)[0].anomaly) == (
        "shop/checkout: ERROR 'cannot reach database', never written before, came 12 times;"
        " it began at 03:12 UTC, and was called normal by a person."
    )


PACES = {
    "15 s": (15_000, 12 * MINUTE),
    "1 min": (MINUTE, 12 * MINUTE),
    "10 min": (10 * MINUTE, 90 * MINUTE),
}


@pytest.mark.parametrize("every", PACES)
def test_a_silence_says_how_often_the_line_was_written(every: str) -> None:
    """Whether to get up depends on whether it is a minute or a day that is missing."""
    pace, waits = PACES[every]
    state = LogState(tenant="t")
    run(state, [*usual(0, NOW, beat=0), *(Line(at, "queue polled") for at in range(0, NOW, pace))])
    happened = run(state, usual(NOW, NOW + waits, beat=0))
    begin = T0 + NOW - pace
    clock = f"{(begin // MINUTE) % 1440 // 60:02}:{begin // MINUTE % 60:02}"
    assert told_in_words(happened[0].anomaly) == (
        f"shop/checkout: INFO 'queue polled', written every {every} before, missing while the"
        f" service still logs; it began at {clock} UTC and lasts."
    )


def test_a_silence_that_is_over_and_one_whose_service_is_gone_say_which() -> None:
    """A job that came back would be looked for, and one that was removed be waited for."""
    state, other = learned(), learned(services=("checkout", "cart"))
    back = [*usual(NOW, NOW + 19 * MINUTE, beat=0), *usual(NOW + 19 * MINUTE, NOW + HOUR)]
    assert told_in_words(run(state, back)[-1].anomaly) == (
        "shop/checkout: INFO 'heartbeat sent', written every 1 min before, missed while the"
        " service still logged; it began at 00:59 UTC and was over after 20 min."
    )
    gone = [*usual(NOW, NOW + 3 * HOUR, services=("cart",)), *usual(NOW, NOW + HOUR, beat=0)]
    assert told_in_words(run(other, gone)[-1].anomaly) == (
        "shop/checkout: INFO 'heartbeat sent', written every 1 min before, missed while the"
        " service still logged; it began at 00:59 UTC, and after 60 min its service stopped"
        " reporting."
    )


GRAVE = {
    "one error": ([ERROR], Severity.MEDIUM),
    "one that ends the process": ([replace(ERROR, level=Level.FATAL)], Severity.HIGH),
    "a thousand": ([replace(ERROR, count=1000)], Severity.HIGH),
    "three kinds": ([replace(ERROR, text=f"{n * 'x'} gone") for n in range(3)], Severity.HIGH),
    "two kinds": ([replace(ERROR, text=f"{n * 'x'} gone") for n in range(2)], Severity.MEDIUM),
}


@pytest.mark.parametrize(("lines", "severity"), GRAVE.values(), ids=GRAVE)
def test_how_grave_it_is_follows_from_level_kinds_and_number(
    lines: list[Line], severity: Severity
) -> None:
    """One line would wake whom only a flood should, or a flood nobody."""
    assert step(night(), counts_of(lines))[1][0].anomaly.severity is severity
