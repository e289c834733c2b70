"""Traces of lines: of what is new or grave, a few of each, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.counted import LineTrace, LogCounts, Template
from detector.logs.lines import Level, LogLines, Origin
from detector.logs.tracing import EACH, LineTraces, traces_of
from tests.detector.logs.worlds import DAY, HOUR, Line, learned, run

SHOP = Origin(service="shop")


def lines(rows: Sequence[tuple[int, int]]) -> LogLines:
    """Lines of a level and a trace each, 0 for none."""
    ids = b"".join(trace.to_bytes(16, "big") for _, trace in rows)
    return LogLines(
        at=np.zeros(len(rows), np.int64),
        level=np.array([level for level, _ in rows], np.uint8),
        origin=np.zeros(len(rows), np.int32),
        trace=np.frombuffer(ids, np.uint8).reshape(-1, 16),
        text=np.zeros(0, np.uint8),
        ends=np.zeros(len(rows), np.int64),
        origins=(SHOP,),
    )


def told(rows: Sequence[tuple[int, int]], template: list[int], *fresh: int) -> dict[int, int]:
    """Which trace is told of which template."""
    found = traces_of(lines(rows), np.array(template, np.int32), frozenset(fresh))
    return {one.template: int.from_bytes(one.trace, "big") for one in found}


def counts(*traces: tuple[str, int], service: str = "shop") -> LogCounts:
    """A batch with a trace of each of some templates."""
    none = np.zeros(0, np.int64)
    return LogCounts(
        step_ms=15_000, at=none, template=none.astype(np.int32), origin=none.astype(np.int32),
        level=none.astype(np.uint8), count=none,
        templates=tuple(Template(id=id, text="") for id, _ in traces),
        origins=(Origin(service=service),),
        traces=tuple(
            LineTrace(template=nth, origin=0, trace=trace.to_bytes(16, "big"))
            for nth, (_, trace) in enumerate(traces)
        ),
    )  # fmt: skip


def test_new_templates_and_errors_have_traces_and_others_have_none() -> None:
    """A million lines that everything is well fill no spool with ids."""
    rows = [(Level.INFO, 1), (Level.INFO, 2), (Level.ERROR, 3), (Level.FATAL, 0)]
    assert told(rows, [0, 1, 2, 3], 1) == {1: 2, 2: 3}


def test_a_line_without_a_trace_hides_none_that_has_one() -> None:
    """The first line of an error is often written by a framework that knows of no trace."""
    assert told([(Level.ERROR, 0), (Level.ERROR, 7), (Level.ERROR, 8)], [0, 0, 0]) == {0: 7}


@given(st.lists(st.tuples(st.sampled_from(Level), st.integers(0, 2**128 - 1)), max_size=20))
def test_whatever_ids_are_they_are_those_of_lines(rows: list[tuple[Level, int]]) -> None:
    """An id of zeros is none, all others are."""
    found = told(rows, list(range(len(rows))))
    wanted = {n: trace for n, (level, trace) in enumerate(rows) if trace and level >= Level.ERROR}
    assert found == wanted


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 9)), max_size=60))
def test_what_is_remembered_has_bounds(came: list[tuple[int, int]]) -> None:
    """Errors of which each has an id in its words come without end."""
    held = LineTraces()
    held.remember(counts(*((f"lt_{n}", n + 1) for n in range(2_000))))
    for template, trace in came:
        held.remember(counts((f"lt_{template}", trace)))
    assert len(held.kept) <= 1_000
    assert all(len(set(known)) == len(known) <= EACH for known in held.kept.values())


def test_an_anomaly_has_the_traces_of_its_own_service() -> None:
    """Two services of one framework write the same words."""
    line = Line(DAY + HOUR, "no route to the bank", 5, Level.ERROR)
    (happened, *_) = run(learned(), [line])
    (note,) = happened.anomaly.lines
    held, service = LineTraces(), happened.anomaly.subject.service
    held.remember(counts((note.template, 11), service="other"))
    assert held.told(happened) == happened
    held.remember(counts((note.template, 10), service=service))
    again = LineTraces(held.kept).told(happened)
    assert again.anomaly.lines == (replace(note, traces=(f"{10:032x}",)),)
