"""The detectors' state as arrays: another process goes on where this one stopped, or refuses."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level
from detector.logs.operator import step
from detector.logs.settings import LogSettings
from detector.logs.snapshot import SCHEMA, taken
from detector.logs.state import LogState
from detector.stream.anomaly import Happening
from detector.stream.chunks import arrays_of, chunks_of
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
LINES = st.lists(
    st.builds(
        Line,
        st.integers(-10, 200).map(lambda n: NOW + n * BIN),
        st.sampled_from(["order placed", "heartbeat sent", "no db", "disk full", "retry <num>"]),
        st.integers(1, 5000),
        st.sampled_from([Level.INFO, Level.ERROR, Level.UNKNOWN]),
        st.sampled_from(["checkout", "cart"]),
        st.sampled_from(["v1", "v2"]),
    ),
    min_size=1,
    max_size=30,
)


def bits(state: LogState) -> dict[str, bytes]:
    """A snapshot, to be compared."""
    return {name: array.tobytes() for name, array in taken(state).items()}


def restarted(state: LogState) -> LogState:
    """What another process has of it."""
    return again(state, arrays_of(chunks_of(taken(state))))


@HEAVY
@given(LINES)
def test_a_snapshot_of_what_was_restored_is_the_same_to_the_bit(lines: list[Line]) -> None:
    """With every restart a little of what is going on would be lost."""
    state = learned()
    run(state, lines)
    assert bits(restarted(state)) == bits(state)


@HEAVY
@given(LINES, LINES)
def test_a_restart_changes_nothing_of_what_follows(before: list[Line], after: list[Line]) -> None:
    """What people are told would depend on when a process was replaced."""
    state = learned()
    run(state, before)
    other = restarted(state)
    assert run(other, after) == run(state, after)
    assert bits(other) == bits(state)


def test_a_state_of_before_it_was_kept_when_an_anomaly_came_again_goes_on() -> None:
    """An upgrade would forget what every service writes; no more than that is not known."""
    state = learned()
    for at in (NOW, NOW + 20 * MINUTE):
        run(state, [Line(at, f"no db {at}", 3, Level.ERROR), *usual(at, at + 15 * MINUTE)])
    whole = taken(state)
    old = {name: array for name, array in whole.items() if name != "telling.again"}
    upgraded = again(state, old)
    assert [one.again for one in state.resting.values()] == [T0 + NOW + 20 * MINUTE]
    assert [one.again for one in upgraded.resting.values()] == [None]
    with pytest.raises(ValueError, match=r"not whole: telling\.again does"):
        again(state, {**whole, "telling.again": whole["telling.again"][:0]})


@HEAVY
@given(LINES)
def test_an_anomaly_is_opened_before_it_grows_and_closed_after(lines: list[Line]) -> None:
    """A page would show an end without a beginning."""
    state, under_way = learned(), set()
    for one in run(state, [*lines, *usual(NOW, NOW + 2 * HOUR)]):
        begins = one.kind in (Happening.OPENED, Happening.REOPENED)
        assert (one.anomaly.id in under_way) != begins
        under_way.add(one.anomaly.id)
        if one.kind is Happening.CLOSED:
            under_way.remove(one.anomaly.id)
        assert len(one.anomaly.lines) == len(one.anomaly.contributions) >= 1


@HEAVY
@given(st.integers(1, 40), st.integers(1, 400))
def test_an_explosion_of_templates_stays_within_bounds(most: int, count: int) -> None:
    """An id in every position would fill the memory of everybody."""
    state = LogState(tenant="t", settings=LogSettings(templates=most, of_service=most))
    batches = [[Line(n * BIN, f"t{n}x{m}") for m in range(10)] for n in range(count // 10 + 1)]
    for lines in batches:
        run(state, lines)
        assert len(state.rows) <= most
    assert state.rows.size <= most
    assert bits(restarted(state)) == bits(state)


def test_services_stay_within_bounds() -> None:
    """A name with an id in it would be a service for each id."""
    state = LogState(tenant="t", settings=LogSettings(services=3))
    run(state, [Line(n * MINUTE, service=f"job-{n}") for n in range(10)])
    assert (len(state.services), state.unwatched) == (3, 7)


def test_lines_of_long_ago_change_nothing_of_what_is_known() -> None:
    """What a forwarder sends again after an outage would be beats that were missed."""
    state = learned()
    before = state.rows["beat"].copy()
    happened = run(state, usual(NOW - 2 * HOUR, NOW - 2 * HOUR + 15 * MINUTE))
    assert happened == []
    assert np.array_equal(state.rows["beat"], before)
    assert state.watermark == T0 + NOW - MINUTE


@given(st.permutations([*usual(NOW, NOW + MINUTE), Line(NOW, "no db", 3, Level.ERROR)]))
def test_the_order_of_rows_in_a_batch_makes_no_difference(lines: list[Line]) -> None:
    """The same minute would be told in two ways."""
    state, other = learned(), learned()
    first = step(state, counts_of(sorted(lines, key=lambda one: (one.at, one.text))))[1]
    second = step(other, counts_of(lines))[1]
    assert [one.anomaly.lines for one in first] == [one.anomaly.lines for one in second]


def test_no_lines_at_all_are_nothing() -> None:
    """A batch of which all was refused would end the stream."""
    counts = counts_of([Line(0)])
    none = type(counts)(
        step_ms=BIN,
        at=counts.at[:0],
        template=counts.template[:0],
        origin=counts.origin[:0],
        level=counts.level[:0],
        count=counts.count[:0],
        templates=(),
        origins=(),
    )
    assert step(LogState(tenant="t"), none)[1] == ()


@pytest.mark.parametrize("schema", [0, SCHEMA + 1])
def test_a_state_of_another_schema_is_refused(schema: int) -> None:
    """Numbers of another layout would be read as these."""
    arrays = {**taken(learned()), "logs": np.array([schema, 0, 0, 0, 0, 0, 0])}
    with pytest.raises(ValueError, match=f"schema {schema}, this reads {SCHEMA}"):
        again(learned(), arrays)


def test_a_state_that_is_not_whole_is_refused() -> None:
    """Beats would be of other templates than they were."""
    arrays = dict(taken(learned()))
    arrays["row.beat"] = arrays["row.beat"][:1]
    with pytest.raises(ValueError, match=r"not whole: row\.beat does"):
        again(learned(), arrays)


def test_the_bytes_of_a_snapshot_are_the_same_in_every_version() -> None:
    """What a process wrote last month would be read as something else, or not at all."""
    state = LogState(tenant="t")
    run(state, [Line(0), Line(0, "disk full", 3, Level.ERROR)])
    kept = chunks_of(taken(state))
    assert kept["logs/0"] == b"<i8 7\n" + struct.pack("<7q", 1, T0, T0, 0, 0, 0, 0)
    assert kept["row.service/0"] == b"<i4 2\n" + struct.pack("<2i", 0, 0)
    assert kept["row.count/0"] == b"<i8 2\n" + struct.pack("<2q", 1, 3)
    assert kept["row.name/0"] == b"|u1 27\nlt_order placedlt_disk full"
    assert kept["service.places/0"] == b"|u1 12\ncheckoutshop"
    assert kept["story.service/0"] == b"<i8 1\n" + struct.pack("<q", 0)
