"""A line that is known as harmless is told once it comes as an error."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.feedback import told
from detector.logs.lines import Level
from detector.logs.operator import step
from detector.logs.snapshot import taken
from detector.logs.state import LogState
from detector.logs.story import named
from detector.stream.anomaly import AnomalyKind, Happening, Judged, Severity
from detector.stream.feedback import Feedback
from detector.stream.words import told_in_words
from tests.detector.logs.worlds import (
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
PLACED = Line(NOW, "order placed", 7, Level.ERROR)


def test_a_line_that_is_known_at_info_is_told_when_it_comes_as_an_error() -> None:
    """`payment answered <num>` is written all day; as an error it would never be seen."""
    happened = run(learned(), [PLACED, *usual(NOW, NOW + HOUR)])
    assert [one.kind for one in happened] == [Happening.OPENED, Happening.CLOSED]
    assert told_in_words(happened[0].anomaly) == (
        "shop/checkout: ERROR 'order placed', written only as INFO before, came 7 times; it began"
        " at 01:00 UTC and lasts."
    )


def test_only_its_lines_as_an_error_are_counted() -> None:
    """A handful of errors would be told as ten thousand, and as grave as those."""
    state = learned()
    lines = [*usual(NOW, NOW + HOUR), *(replace(PLACED, at=NOW + n * MINUTE) for n in range(3))]
    busy = [Line(NOW + n * MINUTE, "order placed", 5000) for n in range(3)]
    last = run(state, [*lines, *busy])[-1].anomaly
    assert (last.lines[0].count, last.severity, last.members) == (21, Severity.MEDIUM, 1)


@pytest.mark.parametrize("level", [Level.ERROR, Level.FATAL])
def test_as_an_error_it_is_new_once(level: Level) -> None:
    """It would be told again each time that it comes."""
    state = learned()
    first = run(state, [replace(PLACED, level=level), *usual(NOW, NOW + 2 * HOUR)])
    later = NOW + 3 * HOUR
    back = run(state, [replace(PLACED, level=level, at=later), *usual(later, later + HOUR)])
    assert first
    assert back == []


def test_what_comes_at_both_levels_from_the_first_day_is_known_at_both() -> None:
    """Retries that are now a warning, now an error would be an alarm after the first day."""
    state = LogState(tenant="t")
    mixed = [
        Line(n * HOUR + 3 * MINUTE, "call failed", 2, Level.ERROR if n % 3 == 0 else Level.WARN)
        for n in range(25)
    ]
    run(state, [*usual(0, NOW), *mixed])
    assert run(state, [Line(NOW, "call failed", 2, Level.ERROR)]) == []


@pytest.mark.parametrize("level", [Level.DEBUG, Level.INFO, Level.WARN, Level.UNKNOWN])
def test_an_error_that_is_known_is_not_new_at_a_slighter_level(level: Level) -> None:
    """Whoever turns an error into a warning would be woken for it."""
    state = learned()
    run(state, [Line(NOW, "no db", 5, Level.ERROR), *usual(NOW, NOW + HOUR)])
    later = NOW + 2 * HOUR
    assert run(state, [Line(later, "no db", 5, level), *usual(later, later + MINUTE)]) == []


@pytest.mark.parametrize("level", [Level.DEBUG, Level.INFO, Level.WARN])
def test_a_known_line_that_becomes_a_little_graver_is_not_told(level: Level) -> None:
    """A change of the log's configuration would page."""
    state = learned()
    run(state, [Line(NOW, "cache warmed", 5, Level.TRACE), *usual(NOW, NOW + HOUR)])
    assert run(state, [Line(NOW + 2 * HOUR, "cache warmed", 5, level)]) == []


def test_levels_that_an_agent_begins_to_read_make_nothing_new() -> None:
    """All templates of a service would be told the day its agent is set up well."""
    state = LogState(tenant="t")
    bare = [Line(n * MINUTE, f"part {n % 9 * 'x'} late", 1, Level.UNKNOWN) for n in range(1500)]
    run(state, [*usual(0, NOW), *bare])
    read = [replace(one, at=NOW + n * MINUTE, level=Level.ERROR) for n, one in enumerate(bare[:60])]
    assert run(state, [*read, *usual(NOW, NOW + HOUR)]) == []


def test_a_new_line_that_comes_at_two_levels_at_once_is_one() -> None:
    """One mishap would be counted as two templates."""
    state = learned()
    both = counts_of(
        [Line(NOW, "disk full", 3, Level.WARN), Line(NOW, "disk full", 4, Level.ERROR)]
    )
    opened = step(state, both)[1][0].anomaly
    assert (opened.members, opened.lines[0].level, opened.lines[0].count) == (1, "ERROR", 7)


def test_as_an_error_it_may_be_called_normal_and_its_heartbeat_is_still_heard() -> None:
    """Who silences the error would silence the line, and with it the job that writes it."""
    state = learned()
    beat = Line(NOW, "heartbeat sent", 4, Level.ERROR)
    anomaly = run(state, [beat, *usual(NOW, NOW + MINUTE)])[0].anomaly
    told(
        state,
        Feedback(
            anomaly=anomaly.id,
            judged=Judged.NORMAL,
            at=T0 + NOW + MINUTE,
            series=tuple(one.series for one in anomaly.contributions),
            surprise=tuple(one.surprise for one in anomaly.contributions),
            named=tuple(named(anomaly).values()),
        ),
    )
    happened = run(state, usual(NOW + MINUTE, NOW + HOUR, beat=0))
    assert [one.anomaly.kind for one in happened] == [AnomalyKind.LOG_SILENCE]


def test_what_it_was_before_is_still_told_after_a_restart() -> None:
    """The end of the anomaly would say that nobody ever wrote the line."""
    state = learned()
    run(state, [PLACED])
    state = again(state, taken(state))
    closed = run(state, usual(NOW, NOW + HOUR))[-1].anomaly
    assert told_in_words(closed) == (
        "shop/checkout: ERROR 'order placed', written only as INFO before, came 7 times; it began"
        " at 01:00 UTC and was over after 0 s."
    )


def test_a_state_of_before_levels_were_told_apart_is_read() -> None:
    """The update would begin with a day in which nothing is told."""
    state = learned()
    run(state, [Line(NOW, "no db", 5, Level.ERROR)])
    old = {name: one for name, one in taken(state).items() if not name.startswith("noted.before")}
    other = again(state, old)
    after = usual(NOW, NOW + HOUR)
    assert run(other, after) == run(state, after)


LEVELS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(Level), st.integers(1, 50)),
    min_size=1,
    max_size=25,
)


@HEAVY
@given(LEVELS)
def test_no_line_is_lost_or_counted_twice_whatever_its_levels(
    lines: list[tuple[int, Level, int]],
) -> None:
    """What is told of a template would be more, or less, than what was written."""
    state = LogState(tenant="t")
    written = [Line(bin_ * 15_000, "call <num>", count, level) for bin_, level, count in lines]
    run(state, written)
    rows = state.rows
    of_it = [row for row in range(rows.size) if rows.words["template"][row] == "lt_call <num>"]
    assert int(rows["count"][of_it].sum()) == sum(one.count for one in written)
    assert len(of_it) <= 2


@HEAVY
@given(LEVELS, st.randoms(use_true_random=False))
def test_the_order_of_levels_in_a_batch_makes_no_difference(
    lines: list[tuple[int, Level, int]], seed: object
) -> None:
    """Two agents that send side by side would be told of in another way."""
    written = [Line(NOW, f"call {bin_ % 3}x", count, level) for bin_, level, count in lines]
    mixed = list(written)
    seed.shuffle(mixed)  # type: ignore[attr-defined]
    state, other = learned(), learned()
    texts = [one.text for one in written]
    mixed.sort(key=lambda one: texts.index(one.text))
    assert step(state, counts_of(written))[1] == step(other, counts_of(mixed))[1]
