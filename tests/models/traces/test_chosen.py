"""Which traces are looked at: lots do not depend on order, and the slowest are the slowest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.traces.chosen import BY_LOT, FAILED, SLOWEST, Slots, choose, no_slots, without_past
from models.traces.mixing import mixed_traces
from models.traces.recent import Recent, gather, no_recent, remember

CALLS = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(1, 50), st.integers(0, 30), st.booleans()),
    max_size=40,
)
Call = tuple[int, int, int, bool]


def chosen(calls: Sequence[Call], minute: int, slots: Slots) -> list[int]:
    """Why each was chosen."""
    why = np.zeros(len(calls), dtype=np.uint8)
    group, duration = (np.array([call[n] for call in calls], dtype=np.int64) for n in (0, 2))
    number = np.array([call[1] for call in calls], dtype=np.uint64)
    failed = np.array([call[3] for call in calls], dtype=np.bool_)
    choose(group, number, duration, failed, minute, slots, why)
    return why.tolist()


@given(CALLS, st.randoms())
def test_lots_do_not_depend_on_the_order(calls: list[Call], random: object) -> None:
    """A comparison of two versions must not favour who exports first."""
    numbered = [(group, 3 * nth + 1, ms, bad) for nth, (group, _, ms, bad) in enumerate(calls)]
    shuffled = numbered.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = no_slots(8, (3, 2, 2)), no_slots(8, (3, 2, 2))
    chosen(numbered, 0, one)
    chosen(shuffled, 0, other)
    for group in {call[0] for call in calls if call[0] >= 0}:
        rows = [slots.rows.keys.tolist().index(group) for slots in (one, other)]
        expected = sorted(call[1] for call in numbered if call[0] == group)[:3]
        for slots, row in zip((one, other), rows, strict=True):
            assert sorted(slots.lot[row].tolist())[: len(expected)] == expected


@given(CALLS)
def test_the_slowest_are_among_the_chosen(calls: list[Call]) -> None:
    """Whoever asks for an example of a slow request sees the slowest there was."""
    why = chosen(calls, 0, no_slots(8, (3, 2, 2)))
    for group in {call[0] for call in calls if call[0] >= 0}:
        own = [(call[2], nth) for nth, call in enumerate(calls) if call[0] == group]
        slowest = max(ms for ms, _ in own)
        assert any(why[nth] & SLOWEST for ms, nth in own if ms == slowest)


def test_a_failed_one_is_kept_and_another_minute_begins_anew() -> None:
    """An hour later there are examples of that hour."""
    slots = no_slots(8, (1, 1, 1))
    assert chosen([(0, 5, 10, True)], 0, slots) == [BY_LOT | SLOWEST | FAILED]
    assert chosen([(0, 6, 9, True)], 0, slots) == [0]
    assert chosen([(0, 6, 9, False)], 1, slots) == [BY_LOT | SLOWEST]


def test_nobody_is_chosen_where_there_is_no_room_for_a_group() -> None:
    """A flood of operations costs examples, not memory."""
    slots = no_slots(1, (1, 1, 1))
    assert chosen([(0, 5, 10, False), (1, 5, 10, False)], 0, slots) == [BY_LOT | SLOWEST, 0]


def test_groups_of_the_past_make_room() -> None:
    """Each rollout brings a version, and those of last month are not chosen from any more."""
    slots = no_slots(2, (1, 1, 1))
    chosen([(0, 5, 10, False)], 3, slots)
    chosen([(1, 6, 20, True)], 7, slots)
    left = without_past(slots, 5)
    assert left.rows.keys[: len(left.rows)].tolist() == [1]
    assert (left.lot[0].tolist(), left.slow[0].tolist()) == ([6], [20])
    assert chosen([(1, 7, 5, False), (2, 8, 9, False)], 7, left) == [0, BY_LOT | SLOWEST]


def spans(wholes: list[int]) -> Recent:
    """One span of each trace, in this order."""
    new = no_recent(len(wholes))
    new.whole[:] = wholes
    new.span[:] = np.arange(len(wholes))
    return new


@given(st.lists(st.lists(st.integers(1, 6), max_size=7), max_size=6), st.sets(st.integers(1, 6)))
def test_a_trace_is_gathered_from_the_last_spans(
    batches: list[list[int]], wanted: set[int]
) -> None:
    """All that is still there of it, in order, and nothing of another."""
    recent, all_of_them = no_recent(10), [whole for batch in batches for whole in batch]
    for batch in batches:
        remember(spans(batch), np.ones(len(batch), dtype=np.bool_), recent)
    places = gather(np.array(sorted(wanted), dtype=np.uint64), recent)
    assert recent.whole[places].tolist() == [one for one in all_of_them[-10:] if one in wanted]


def test_numbers_of_traces_hang_on_the_seed() -> None:
    """Who sends traces cannot choose which of them are kept."""
    ids = np.arange(40, dtype=np.uint64).reshape(-1, 2)
    one, other = mixed_traces(ids, 1), mixed_traces(ids, 2)
    assert len(set(one.tolist())) == len(ids)
    assert not set(one.tolist()) & set(other.tolist())
