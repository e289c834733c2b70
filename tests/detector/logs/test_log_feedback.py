"""What people say of anomalies of lines is heeded, for that template alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.logs.feedback import told
from detector.logs.lines import Level
from detector.logs.snapshot import taken
from detector.logs.state import LogState
from detector.logs.story import named
from detector.stream.anomaly import Anomaly, Ending, Happening, Judged
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.feedback import Feedback
from tests.detector.logs.worlds import DAY, HOUR, MINUTE, T0, Line, again, learned, run, usual

NOW = DAY + HOUR


def said(anomaly: Anomaly, judged: Judged) -> Feedback:
    """As it comes from the page of an anomaly."""
    rows = tuple(one.series for one in anomaly.contributions)
    return Feedback(
        anomaly=anomaly.id,
        judged=judged,
        at=T0 + NOW + MINUTE,
        series=rows,
        surprise=tuple(one.surprise for one in anomaly.contributions),
        named=tuple(named(anomaly)[row] for row in rows),
    )


def silenced() -> tuple[LogState, Anomaly]:
    """A heartbeat fell silent, and somebody said that this is normal."""
    state = learned()
    anomaly = run(state, usual(NOW, NOW + 30 * MINUTE, beat=0))[0].anomaly
    told(state, said(anomaly, Judged.NORMAL))
    return state, anomaly


def test_normal_closes_the_anomaly_and_tells_how_often_it_was_said() -> None:
    """Whoever says so would have to wait until it is over."""
    state = learned()
    anomaly = run(state, [Line(NOW, "no db", 5, Level.ERROR)])[0].anomaly
    _, happened, tunings = told(state, said(anomaly, Judged.NORMAL))
    assert [one.kind for one in happened] == [Happening.CLOSED]
    assert happened[0].anomaly.ending is Ending.FEEDBACK
    assert [(one.normal, one.real, one.shift > 0) for one in tunings] == [(1, 0, True)]


def test_a_silence_that_is_normal_is_not_told_again_also_after_a_restart() -> None:
    """People would say the same thing every night."""
    state, _ = silenced()
    state = again(state, taken(state))
    later = NOW + 30 * MINUTE
    happened = run(state, usual(later, later + 2 * HOUR))
    happened += run(state, usual(later + 2 * HOUR, later + 3 * HOUR, beat=0))
    assert happened == []


def test_a_new_line_that_is_normal_is_not_new_after_any_time() -> None:
    """What comes once a quarter would be told once a quarter."""
    state = learned()
    state.settings = replace(state.settings, known_s=86_400.0)
    line = Line(NOW, "quarterly report failed", 5, Level.ERROR)
    anomaly = run(state, [line])[0].anomaly
    told(state, said(anomaly, Judged.NORMAL))
    run(state, usual(NOW, NOW + 3 * DAY))
    assert run(state, [replace(line, at=NOW + 3 * DAY)]) == []


def test_real_makes_a_silenced_template_heard_again() -> None:
    """One mistake would silence a heartbeat for ever."""
    state, anomaly = silenced()
    told(state, said(anomaly, Judged.REAL))
    later = NOW + 30 * MINUTE
    run(state, usual(later, later + 2 * HOUR))
    assert run(state, usual(later + 2 * HOUR, later + 3 * HOUR, beat=0))


def test_other_templates_of_the_service_are_told_of_as_before() -> None:
    """Who silences one line would silence all of them."""
    state, _ = silenced()
    assert run(state, [Line(NOW + 40 * MINUTE, "no db", 5, Level.ERROR)])


@pytest.mark.parametrize("row", [-1, 99])
def test_what_is_said_of_unknown_templates_does_nothing(row: int) -> None:
    """An anomaly of last year would silence what has its number today."""
    state = learned()
    other = SeriesInfo(labels=(("__name__", "x"),), kind=SeriesKind.DELTA)
    for names in ((), (other,)):
        feedback = Feedback(
            anomaly="an_x", judged=Judged.NORMAL, at=T0, series=(row,), surprise=(1.0,), named=names
        )
        assert told(state, feedback)[1:] == ((), ())


def test_what_is_said_of_another_template_than_has_its_number_now_does_nothing() -> None:
    """A number is given anew, and the word of a person is not."""
    state = learned()
    other = SeriesInfo(labels=(("__name__", "x"),), kind=SeriesKind.DELTA)
    feedback = Feedback(
        anomaly="an_x", judged=Judged.NORMAL, at=T0, series=(0,), surprise=(1.0,), named=(other,)
    )
    told(state, feedback)
    assert not state.rows["silenced"].any()


@pytest.mark.parametrize("before", [2 * MINUTE, 90 * MINUTE])
@pytest.mark.parametrize("judged", Judged)
def test_what_people_say_of_a_story_changes_how_usual_such_are(judged: Judged, before: int) -> None:
    """A service whose new errors are all real would be told of less and less."""
    state, other = learned(), learned()
    line = Line(NOW, "no db", 5, Level.ERROR)
    anomaly = run(state, [line])[0].anomaly
    run(other, [line])
    for one in (state, other):
        run(one, usual(NOW, NOW + before))
    told(state, said(anomaly, judged))
    for one in (state, other):
        run(one, usual(NOW + before, NOW + 3 * HOUR))
    rates = [one.services.rate(0, False, Level.ERROR, 1) for one in (state, other)]
    assert (rates[0] > rates[1]) == (judged is Judged.NORMAL)
    assert (rates[0] < rates[1]) == (judged is Judged.REAL)
