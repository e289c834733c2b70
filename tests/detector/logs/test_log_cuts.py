"""A day of all that happens to logs, stopped and gone on with at every minute, is the same day."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.feedback import told
from detector.logs.lines import Level
from detector.logs.operator import step
from detector.logs.snapshot import taken
from detector.logs.state import LogState
from detector.logs.story import named
from detector.stream.anomaly import AnomalyKind, Happened, Happening, Judged
from detector.stream.chunks import arrays_of, chunks_of
from detector.stream.feedback import Feedback
from detector.stream.scoring import Arrays
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
TRACE = "java.lang.IllegalStateException: x\n\tat com.acme.Order.place(Order.java:{})"


def eventful() -> list[list[Line]]:
    """Three hours by the minute: deploys, new errors, a level that rises, silence, late ones."""
    lines = usual(NOW, NOW + 40 * MINUTE) + usual(NOW + 40 * MINUTE, NOW + 3 * HOUR, beat=0)
    lines += [Line(NOW + n * MINUTE, "cannot pay <num>", 9, Level.ERROR) for n in range(5, 25)]
    lines += [
        Line(NOW + n * MINUTE, f"state {n}", 2, Level.ERROR, version="v2", sample=TRACE.format(n))
        for n in range(30, 36)
    ]
    lines += [Line(NOW + 70 * MINUTE, "order placed", 3, Level.FATAL, version="v2")]
    lines += [Line(NOW + n * MINUTE, "up", service="search") for n in range(20, 180, 3)]
    lines += usual(NOW + 160 * MINUTE, NOW + 3 * HOUR, services=("cart",))
    batches: dict[int, list[Line]] = {}
    for one in lines:
        batches.setdefault(one.at // MINUTE, []).append(one)
    late = [replace(one, at=one.at - 50 * MINUTE) for one in batches[NOW // MINUTE + 90]]
    return [batches[minute] + (late if minute % 45 == 0 else []) for minute in sorted(batches)]


def bits(state: LogState) -> dict[str, bytes]:
    """A snapshot, to be compared."""
    return {name: array.tobytes() for name, array in taken(state).items()}


@lru_cache(maxsize=1)
def undisturbed() -> tuple[list[Arrays], list[tuple[Happened, ...]], dict[str, bytes]]:
    """The state before each minute, what happened in each, and the state after all of them."""
    state = learned(services=("checkout", "cart"))
    states: list[Arrays] = []
    happened: list[tuple[Happened, ...]] = []
    for batch in eventful():
        states.append(arrays_of(chunks_of(taken(state))))
        happened.append(step(state, counts_of(batch))[1])
    return states, happened, bits(state)


def test_in_the_day_that_is_cut_all_happens_that_can() -> None:
    """What is restored would be shown to be right for days on which nothing was under way."""
    _, happened, _ = undisturbed()
    every = [one for some in happened for one in some]
    assert {one.anomaly.kind for one in every} == {AnomalyKind.LOG_NOVELTY, AnomalyKind.LOG_SILENCE}
    assert {Happening.OPENED, Happening.GREW, Happening.CLOSED} <= {one.kind for one in every}
    assert any(line.before for one in every for line in one.anomaly.lines)


def test_at_every_minute_the_next_one_is_the_same_after_a_restart() -> None:
    """What people are told would depend on the minute in which a process was replaced."""
    states, happened, last = undisturbed()
    following = [*states[1:], None]
    for batch, before, wanted, after in zip(eventful(), states, happened, following, strict=True):
        state = again(learned(services=("checkout", "cart")), before)
        assert step(state, counts_of(batch))[1] == wanted
        expected = last if after is None else {name: one.tobytes() for name, one in after.items()}
        assert bits(state) == expected


@HEAVY
@given(st.sets(st.integers(0, 179), max_size=6))
def test_any_number_of_restarts_leaves_the_day_as_it_is(cuts: set[int]) -> None:
    """A process that is restarted again and again would forget a little each time."""
    states, happened, last = undisturbed()
    first = min(cuts, default=len(states) - 1)
    state = again(learned(services=("checkout", "cart")), states[first])
    for nth, batch in enumerate(eventful()[first:], first):
        if nth in cuts:
            state = again(state, arrays_of(chunks_of(taken(state))))
        assert step(state, counts_of(batch))[1] == happened[nth]
    assert bits(state) == last


def test_what_a_person_said_is_the_same_whether_said_before_or_after_a_restart() -> None:
    """Somebody would say `normal` twice, since the first time was forgotten."""
    state = learned()
    anomaly = run(state, [Line(NOW, "no db", 5, Level.ERROR)])[0].anomaly
    other = again(state, taken(state))
    said = Feedback(
        anomaly=anomaly.id,
        judged=Judged.NORMAL,
        at=T0 + NOW + MINUTE,
        series=tuple(one.series for one in anomaly.contributions),
        surprise=tuple(one.surprise for one in anomaly.contributions),
        named=tuple(named(anomaly).values()),
    )
    assert told(other, said)[1:] == told(state, said)[1:]
    other = again(other, taken(other))
    after = [*usual(NOW, NOW + HOUR), Line(NOW + 30 * MINUTE, "no db", 50, Level.ERROR)]
    assert run(other, after) == run(state, after) == []
    assert bits(other) == bits(state)


@lru_cache(maxsize=1)
def whole() -> Arrays:
    """A state in which every array has something in it."""
    states, _, _ = undisturbed()
    return next(one for one in states[40:] if all(len(array) for array in one.values()))


# Arrays that older versions did not write, with those that go with them.
_LATER = {"noted.before": ("noted.before.ends",), "telling.again": ()}
ARRAYS = sorted(whole_name for whole_name in taken(LogState(tenant="t")))


@pytest.mark.parametrize("name", ARRAYS)
def test_a_state_from_which_an_array_is_missing_is_refused(name: str) -> None:
    """The stream would end at its start, and at every start after that."""
    rest = {other: array for other, array in whole().items() if other != name}
    if name in _LATER:
        rest = {other: array for other, array in rest.items() if other not in _LATER[name]}
        assert again(learned(), rest).rows.size
    else:
        with pytest.raises(ValueError, match="state of logs"):
            again(learned(), rest)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("change", [-1, 1])
def test_a_state_with_an_array_of_another_length_is_refused(name: str, change: int) -> None:
    """Beats and texts would be of other templates than they were, for weeks."""
    array = whole()[name]
    other = array[:change] if change < 0 else np.concatenate([array, array[-1:]])
    with pytest.raises(ValueError, match="not whole"):
        again(learned(), {**whole(), name: other})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("row.service", 99), ("row.service", -2), ("row.level", 7), ("story.service", 99),
        ("story.rows", -1), ("telling.service", 99), ("telling.kind", -1), ("telling.severity", 9),
        ("noted.of", 99), ("noted.row", 10_000), ("noted.level", 77), ("row.title.ends", 10**9),
    ],
)  # fmt: skip
def test_a_state_that_names_what_is_not_there_is_refused(name: str, value: int) -> None:
    """The stream would end on the first line of that template, days after the damage."""
    array = whole()[name].copy()
    if name == "row.level":
        array = array.astype(np.int64)
    array[0] = value
    with pytest.raises(ValueError, match=f"not whole: {name.removesuffix('.ends')} does not fit"):
        again(learned(), {**whole(), name: array})
