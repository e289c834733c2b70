"""What spans are mixed with: known to nobody who sends them, and kept with what it was used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.spans.columns import Spans
from detector.spans.snapshot import to_arrays
from detector.spans.state import opened
from pipelines.flows.spans_part import SpansPart
from pipelines.flows.spans_record import columns_of
from pipelines.stores.own import SqlOwn
from pipelines.stores.sqlite import Database
from tests.pipelines.flows.logging import T0
from tests.pipelines.flows.test_spans import spans

# That of stores of before, which anybody could read.
PUBLIC = 20_260_101


def part_of(folder: Path, arrays: Mapping[str, NDArray[Any]] | None = None) -> SpansPart:
    """The spans of a tenant, with what a checkpoint held."""
    own = SqlOwn(Database(folder / "stream.db"))
    return SpansPart(own, "local/spans", "default", arrays or {}, most=1_000)


def take(part: SpansPart, taken: int, given: Spans) -> None:
    """Spans that came at a time."""
    part.take(columns_of(replace(given, taken=taken)), taken, is_new=True)


def test_each_store_has_a_seed_of_its_own(tmp_path: Path) -> None:
    """Whoever sends traces could else choose ids that fall together, or are always drawn."""
    seeds = {part_of(tmp_path).state.seed for _ in range(8)}
    assert len(seeds) == 8
    assert PUBLIC not in seeds
    assert max(seeds) >= 2**48


def test_all_that_is_mixed_is_mixed_with_it(tmp_path: Path) -> None:
    """One table that anybody can fill is enough to slow all of them down."""
    state = part_of(tmp_path).state
    assert int(state.seen.seed[0]) == int(state.waiting.seed[0]) == state.seed


def test_a_restart_goes_on_to_the_bit(tmp_path: Path) -> None:
    """A replay draws the same traces by lot, and knows what came before it."""
    whole = part_of(tmp_path)
    for nth in range(6):
        take(whole, T0 + 5_000 * nth, spans(100 * nth, 20, failed=nth == 2))
    held = {name: array.copy() for name, array in whole.arrays().items()}
    again = part_of(tmp_path, held)
    for nth in range(4, 12):
        for part in (whole, again):
            take(part, T0 + 5_000 * nth, spans(100 * nth, 20))
    one, other = whole.arrays(), again.arrays()
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert again.state.seed == whole.state.seed
    assert again.state.counted == 6 * 40 + 6 * 40


def test_two_stores_count_the_same_and_draw_others(tmp_path: Path) -> None:
    """The seed is in which traces are looked at, and in no rate."""
    one, other = part_of(tmp_path), part_of(tmp_path)
    for nth in range(40):
        for part in (one, other):
            take(part, T0 + 1_000 * nth, spans(100 * nth, 30))
    drawn = [
        {kept.wanted.trace for kept in part.state.traces if kept.wanted.why & 1}
        for part in (one, other)
    ]
    assert drawn[0] != drawn[1]
    assert one.state.counted == other.state.counted
    assert [edge.total_calls for edge in one.graph(None).edges] == [
        edge.total_calls for edge in other.graph(None).edges
    ]


def test_a_store_of_before_keeps_its_seed(tmp_path: Path) -> None:
    """What it remembers is mixed with that one: with another it would count it again."""
    fresh = part_of(tmp_path)
    old = opened(fresh.state.settings, PUBLIC)
    assert part_of(tmp_path, to_arrays(old)).state.seed == PUBLIC


def test_a_state_that_cannot_be_read_begins_with_another_seed(tmp_path: Path) -> None:
    """Nothing is left that would need the one it had."""
    held = dict(part_of(tmp_path).arrays())
    first = part_of(tmp_path, held).state.seed
    held["edges.calls"] = held["edges.calls"][:, :-1]
    assert part_of(tmp_path, held).state.seed != first
    assert part_of(tmp_path, {"names": held["names"]}).state.seed != first
