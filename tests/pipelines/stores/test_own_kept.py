"""Our own counters in every database: odd values, transactions given up, and what is forgotten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipelines.stores.connections import Connections
from pipelines.stores.own import (
    STEP_MS,
    Frame,
    OwnSeries,
    SqlOwn,
    add_frame,
    add_series,
    mark,
    put_totals,
    read_mark,
)
from tests.pipelines.stores.test_own import LABELS, T0, frame, series

ODD = [0.0, -0.0, 2.0**53, 2.0**-1074, 1.7976931348623157e308, np.inf, -np.inf, np.nan, 0.1 + 0.2]


def test_values_come_back_to_the_bit(database: Connections) -> None:
    """A counter that was rounded would fall, and a fall is a restart."""
    ids = np.arange(len(ODD), dtype=np.int32)
    made = Frame(at=T0, whole=True, ids=ids, values=np.array(ODD))
    with database.write() as transaction:
        add_frame(transaction, "local", "t", made)
    (kept,) = SqlOwn(database).frames("local", "t", T0, T0)
    assert kept.values.tobytes() == made.values.tobytes()
    assert (kept.ids.itemsize, kept.born.size) == (4, 0)


def test_a_frame_of_a_hundred_thousand_counters_is_small(database: Connections) -> None:
    """Every fifteen seconds one is written; most of what they say is alike."""
    ids = np.arange(100_000, dtype=np.int32)
    made = Frame(at=T0, whole=True, ids=ids, values=np.repeat(7.0, ids.size))
    with database.write() as transaction:
        add_frame(transaction, "local", "t", made)
    (kept,) = SqlOwn(database).frames("local", "t", T0, T0)
    np.testing.assert_array_equal(kept.ids, ids)
    np.testing.assert_array_equal(kept.values, made.values)


def test_an_empty_frame_is_a_time_at_which_nothing_changed(database: Connections) -> None:
    """It says that we were there: a gap says that we were not."""
    with database.write() as transaction:
        add_frame(transaction, "local", "t", frame(0, {0: 1.0}, whole=True))
        empty = np.zeros(0, np.int32)
        made = Frame(at=T0 + STEP_MS, whole=False, ids=empty, values=np.zeros(0))
        add_frame(transaction, "local", "t", made)
    assert [one.ids.size for one in SqlOwn(database).frames("local", "t", T0, 2 * T0)] == [1, 0]


def test_labels_of_any_text_come_back(database: Connections) -> None:
    """Services are called in every language, and levels may be empty."""
    odd = (("__name__", "x"), ("a", ""), ("b", "größer 🛒 \u2028"), ("c", "%s ' \" \\ :d ?"))
    with database.write() as transaction:
        add_series(transaction, "local", "t", OwnSeries(id=0, owner=-(2**63), labels=odd))
        add_series(transaction, "local", "t", OwnSeries(id=1, owner=2**63 - 1, labels=LABELS))
    first, second = SqlOwn(database).series("local", "t")
    assert (first.labels, first.owner, second.owner) == (odd, -(2**63), 2**63 - 1)


def test_what_a_transaction_gave_up_is_as_it_was(database: Connections) -> None:
    """Counters, frames and how far they reach are kept together or not at all."""
    own = SqlOwn(database)

    def half() -> None:
        with database.write() as transaction:
            add_series(transaction, "local", "t", series(0))
            add_frame(transaction, "local", "t", frame(0, {0: 1.0}))
            mark(transaction, "local", 9)
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        half()
    assert own.series("local", "t") == []
    assert own.frames("local", "t", 0, 2 * T0) == []
    assert (own.position("local"), own.newest("local", "t"), own.parts()) == (-1, 0, [])


def test_what_a_counter_that_is_not_there_stands_at_is_passed_over(database: Connections) -> None:
    """It was forgotten while a batch was under way."""
    with database.write() as transaction:
        put_totals(transaction, "local", "t", [(7, 1.0, T0)])
        add_series(transaction, "local", "t", series(0))
        put_totals(transaction, "local", "u", [(0, 9.0, T0)])
    assert SqlOwn(database).series("local", "t") == [series(0)]


def test_how_far_sources_are_read_is_kept_apart(database: Connections) -> None:
    """Two sources of two tenants, and the part's own position."""
    names = [read_mark("local", tenant, source) for tenant in "tu" for source in ("files", "loki")]
    with database.write() as transaction:
        mark(transaction, "local", 2**62)
        for nth, name in enumerate(names):
            mark(transaction, name, nth)
    own = SqlOwn(database)
    assert len(set(names)) == 4
    assert [own.position(name) for name in names] == [0, 1, 2, 3]
    assert own.position("local") == 2**62


def test_counters_come_in_the_order_of_their_numbers(database: Connections) -> None:
    """Who looks for new ones asks for those above the highest that it knows."""
    with database.write() as transaction:
        for id in (5, 1, 2**31 - 1, 3):
            add_series(transaction, "local", "t", series(id))
    own = SqlOwn(database)
    assert [one.id for one in own.series("local", "t")] == [1, 3, 5, 2**31 - 1]
    assert [one.id for one in own.series("local", "t", above=3)] == [5, 2**31 - 1]
    assert own.series("local", "t", above=2**31 - 1) == []


def test_forgetting_keeps_what_is_read_and_what_rises(database: Connections) -> None:
    """At the edge: what is exactly as old as the bound stays, in every part and tenant."""
    with database.write() as transaction:
        for part, tenant in (("local", "t"), ("local", "u"), ("other", "t")):
            for step in range(3):
                add_frame(transaction, part, tenant, frame(step, {0: 1.0}, whole=True))
            add_series(transaction, part, tenant, replace(series(0), seen=T0))
            add_series(transaction, part, tenant, replace(series(1), seen=T0 - 1))
    own = SqlOwn(database)
    assert own.prune(frames_before=T0 + STEP_MS, series_before=T0) == 3
    assert own.prune(frames_before=T0 + STEP_MS, series_before=T0) == 0
    for part, tenant in own.parts():
        assert [one.at for one in own.frames(part, tenant, 0, 2 * T0)] == [
            T0 + STEP_MS, T0 + 2 * STEP_MS,
        ]  # fmt: skip
        assert [one.id for one in own.series(part, tenant)] == [0]
    assert len(own.parts()) == 3
