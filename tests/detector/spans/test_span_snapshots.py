"""The state of spans as arrays: at every cut the same goes on, and what is damaged is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.spans.columns import Peer, PeerKind, SpanKind, Spans
from detector.spans.exemplars import Sought, examples
from detector.spans.graph import graph
from detector.spans.names import Node
from detector.spans.operator import step
from detector.spans.red import Red, red, samples_of, values_of
from detector.spans.settings import SpanSettings
from detector.spans.snapshot import from_arrays, to_arrays
from detector.spans.state import SpanState, opened
from tests.detector.spans.writing import NOW_MS, Written, call_of, columns, queue

SETTINGS = SpanSettings(
    series=60, edges=20, seen=20, waiting=30, recent=200, groups=12, traces=50, window_s=20.0,
    idle_s=40.0, operations_of_service=6, spans_of_trace=8, names=40,
)  # fmt: skip


def day() -> list[Spans]:
    """Calls in halves, queues, failures, floods, names without end, repeats, a clock set back."""
    batches: list[list[Written]] = []
    for nth in range(1, 25):
        call = call_of(nth, version=f"v{1 + nth // 12}", start=4_000 * nth, failed=nth % 5 == 0)
        batches += [call[2:], call[:2]]
        if nth % 4 == 0:
            batches.append(
                [
                    Written(trace=nth, span=20 + n, parent=3, operation=f"o{chr(97 + nth % 26)}{n}",
                            kind=SpanKind.PRODUCER if n % 2 else SpanKind.INTERNAL, peer=queue("t"))
                    for n in range(12)
                ]
            )  # fmt: skip
        if nth % 7 == 0:
            batches.append(call)
    times = [2_000 * nth - (3_000 if nth % 9 == 8 else 0) for nth in range(len(batches))]
    return [columns(batch, taken=at) for batch, at in zip(batches, times, strict=True)]


DAY = day()


def same(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> bool:
    """To the bit."""
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and one[name].tobytes() == other[name].tobytes()
        for name in one
    )


def after(batches: list[Spans], state: SpanState | None = None) -> SpanState:
    """The state after some batches."""
    state = state or opened(SETTINGS, 2**62 + 1)
    for batch in batches:
        state, _ = step(state, batch)
    return state


def test_the_day_has_all_that_a_state_can_hold() -> None:
    """Else a cut would try less than it seems to."""
    state = after(DAY)
    assert state.traces
    assert state.wanted or len(state.traces) > 5
    assert len(graph(state).edges) >= 4
    assert {why.value for why, count in state.lost.items() if count} >= {
        "duplicates", "other_operation", "seen_full",
    }  # fmt: skip


@pytest.mark.parametrize("cut", range(0, len(DAY) + 1, 3))
def test_at_every_cut_the_same_goes_on(cut: int) -> None:
    """Wherever a process dies, its successor tells the same rates, graph and traces."""
    head = after(DAY[:cut])
    held = to_arrays(head)
    again = from_arrays(held, SETTINGS)
    assert same(to_arrays(again), held)
    whole, part = after(DAY[cut:], head), after(DAY[cut:], again)
    assert same(to_arrays(whole), to_arrays(part))
    assert graph(whole) == graph(part)
    assert list(red(whole)) == list(red(part))
    sought = Sought(service="checkout", since=0, until=NOW_MS + 10**9)
    assert examples(whole, [sought]) == examples(part, [sought])


def test_a_snapshot_does_not_change_with_the_state() -> None:
    """It is written to the disk while spans go on coming."""
    state = after(DAY[:20])
    held = to_arrays(state)
    before = {name: array.copy() for name, array in held.items()}
    after(DAY[20:], state)
    assert same(held, before)
    again = from_arrays(held, SETTINGS)
    after(DAY[20:], again)
    assert same(held, before)


def test_a_state_of_nothing_comes_back() -> None:
    """A process that died before the first span."""
    again = from_arrays(to_arrays(opened(SETTINGS, 9)), SETTINGS)
    assert (again.seed, again.counted, len(again.traces)) == (9, 0, 0)
    assert same(to_arrays(after(DAY[:5], again)), to_arrays(after(DAY[:5], opened(SETTINGS, 9))))


BOUNDS = [
    {"series": 61}, {"edges": 21}, {"seen": 400}, {"waiting": 31}, {"recent": 201},
    {"groups": 13}, {"by_lot": 11}, {"slowest": 4}, {"failed": 2},
]  # fmt: skip


@pytest.mark.parametrize("bound", BOUNDS, ids=[next(iter(bound)) for bound in BOUNDS])
def test_other_bounds_are_refused(bound: dict[str, int]) -> None:
    """What was held under other bounds is not read as if it were under these."""
    held = to_arrays(after(DAY[:9]))
    with pytest.raises(ValueError, match="other bounds"):
        from_arrays(held, replace(SETTINGS, **bound))


def test_settings_that_are_no_bounds_of_arrays_may_change() -> None:
    """An operator who waits longer for the other side loses nothing."""
    held = to_arrays(after(DAY[:9]))
    again = from_arrays(held, replace(SETTINGS, pair_s=60.0, settle_s=5.0, idle_s=10.0))
    assert again.counted == after(DAY[:9]).counted


def test_another_schema_is_refused() -> None:
    """A version of tomorrow left it, and this one does not guess."""
    held = to_arrays(after(DAY[:9]))
    rest = msgspec.msgpack.decode(held["rest"].tobytes())
    rest["schema"] += 1
    held["rest"] = np.frombuffer(msgspec.msgpack.encode(rest), dtype=np.uint8)
    with pytest.raises(ValueError, match="this reads 1"):
        from_arrays(held, SETTINGS)


@pytest.mark.parametrize("name", ["rest", "names"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9])
def test_a_damaged_part_is_an_error_of_its_own_kind(name: str, keep: float) -> None:
    """Whoever reads it begins anew, and is told why."""
    held = to_arrays(after(DAY[:9]))
    held[name] = held[name][: int(keep * len(held[name]))]
    with pytest.raises(ValueError):
        from_arrays(held, SETTINGS)


@pytest.mark.parametrize("name", sorted(to_arrays(opened(SETTINGS))))
def test_a_part_that_is_missing_is_one_too(name: str) -> None:
    """A checkpoint of half a write stops no process from starting."""
    held = to_arrays(after(DAY[:12]))
    del held[name]
    with pytest.raises(ValueError, match=r"missing|no state"):
        from_arrays(held, SETTINGS)


def test_columns_of_values_are_those_of_samples() -> None:
    """Counters rise by the columns, and are named by the samples: in one order."""
    state = after(DAY)
    rows = np.arange(len(state.tally.rows))
    values = values_of(state, rows)
    for row, one in zip(values.tolist(), red(state), strict=True):
        assert row == [value for _, _, value in samples_of(one)]
    assert values_of(state, rows[:0]).shape == (0, values.shape[1])


def test_counters_only_rise_and_those_since_a_time_are_the_ones_that_rose() -> None:
    """Prometheus would read a fall as a restart."""
    state = opened(SETTINGS, 1)
    was: dict[object, Red] = {}
    for batch in DAY[:30]:
        state, _ = step(state, batch)
        now: dict[object, Red] = {
            (one.origin, one.operation, one.kind, one.status): one for one in red(state)
        }
        for key in was.keys() & now.keys():
            assert now[key].calls >= was[key].calls
            assert now[key].total_s >= was[key].total_s
        rose = {key for key in now if key not in was or now[key].calls > was[key].calls}
        told = {
            (one.origin, one.operation, one.kind, one.status)
            for one in red(state, since=state.last)
        }
        assert rose <= told
        was = now


def test_a_node_is_what_it_was_when_it_comes_back() -> None:
    """Kinds of ends are kept by name, not by their place in this version's list."""
    peer = Peer(kind=PeerKind.DATABASE, name="mysql")
    state = after([columns([Written(kind=SpanKind.CLIENT, peer=peer)])])
    again = from_arrays(to_arrays(state), SETTINGS)
    assert again.names.listed() == state.names.listed()
    assert all(isinstance(node, Node) for node in again.names.nodes)
