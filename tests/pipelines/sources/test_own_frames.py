"""Frames of counters as curves, by the words of their contract and by a slow reader of it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.own_frames import curves
from pipelines.stores.own import STEP_MS, Frame, SqlOwn, add_frame
from pipelines.stores.sqlite import Database
from tests.profiles import HEAVY

T0 = 1_790_000_010_000 - 1_790_000_010_000 % STEP_MS
Step = tuple[int, bool, dict[int, float], tuple[int, ...]]
Samples = list[tuple[int, float]]


def kept(place: Path | Database, steps: list[Step], tenant: str = "t") -> SqlOwn:
    """Frames at these steps: whole or not, what they name, and who is born."""
    database = place if isinstance(place, Database) else Database(place / "stream.db")
    with database.write() as transaction:
        for step, whole, values, born in steps:
            frame = Frame(
                at=T0 + step * STEP_MS, whole=whole, ids=np.array(list(values), np.int32),
                values=np.array(list(values.values()), np.float64), born=np.array(born, np.int32),
            )  # fmt: skip
            add_frame(transaction, "local", tenant, frame)
    return SqlOwn(database)


def read(
    own: SqlOwn, ids: list[int], since: float, until: float, tenant: str = "t"
) -> dict[int, Samples]:
    """Samples by counter, in steps."""
    found = curves(
        own, "local", tenant, ids, (T0 + since * STEP_MS) / 1000, (T0 + until * STEP_MS) / 1000
    )
    return {
        id: [(round((1000 * at - T0) / STEP_MS), value) for at, value in zip(*map(
            np.ndarray.tolist, found.of(id)), strict=True)]
        for id in ids
    }  # fmt: skip


def test_who_is_not_named_stands_where_it_stood(tmp_path: Path) -> None:
    """A silent pod's counter is flat, not gone: its rate is zero."""
    own = kept(
        tmp_path, [(0, True, {1: 5.0, 2: 7.0}, ()), (1, False, {1: 6.0}, ()), (2, False, {}, ())]
    )
    assert read(own, [1, 2], -1, 9) == {1: [(0, 5), (1, 6), (2, 6)], 2: [(0, 7), (1, 7), (2, 7)]}


def test_who_a_whole_frame_leaves_out_is_gone(tmp_path: Path) -> None:
    """A pod that ended does not stand there for ever."""
    own = kept(
        tmp_path,
        [(0, True, {1: 5.0, 2: 7.0}, ()), (1, True, {1: 6.0}, ()), (2, False, {2: 8.0}, ())],
    )
    assert read(own, [2], -1, 9) == {2: [(0, 7), (2, 8)]}


def test_who_is_born_stood_at_zero_a_step_before(tmp_path: Path) -> None:
    """The first error of a canary counts: without a zero before it there is no rise."""
    own = kept(
        tmp_path, [(0, True, {1: 5.0}, ()), (1, False, {2: 3.0}, (2,)), (5, False, {3: 1.0}, (3,))]
    )
    found = read(own, [1, 2, 3], -1, 9)
    assert found[2] == [(0, 0), (1, 3), (5, 3)]
    # Its zero has a frame of its own where there was none a step before.
    assert found[3] == [(4, 0), (5, 1)]
    assert [at for at, _ in found[1]] == [0, 1, 5]


def test_a_birth_just_behind_the_end_gives_its_zero(tmp_path: Path) -> None:
    """Asked at any moment, a sample that was there once is there again."""
    own = kept(tmp_path, [(0, True, {1: 5.0}, ()), (1, False, {2: 3.0}, (2,))])
    assert read(own, [2], -1, 0) == {2: [(0, 0)]}


def test_ends_are_as_of_prometheus(tmp_path: Path) -> None:
    """What is at the start is left out, what is at the end is in."""
    own = kept(tmp_path, [(n, n == 0, {1: float(n)}, ()) for n in range(5)])
    assert read(own, [1], 1, 3) == {1: [(2, 2), (3, 3)]}
    assert read(own, [1], 1.5, 1.9) == {1: []}
    assert read(own, [1, 99], 8, 9) == {1: [], 99: []}


def slowly(steps: list[Step], ids: list[int]) -> dict[int, Samples]:
    """The same, counter by counter, as the contract says it."""
    found: dict[int, Samples] = {}
    for id in ids:
        samples: dict[int, float] = {}
        stands: float | None = None
        for step, whole, values, born in steps:
            if id in born:
                samples[step - 1] = 0.0
            stands = values.get(id, None if whole else stands)
            if stands is not None:
                samples[step] = stands
        found[id] = sorted(samples.items())
    return found


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Frames as a part writes them: the first is whole, each counter is born at most once."""
    unborn, steps = {1, 2, 3}, []
    for step in range(draw(st.integers(1, 6))):
        if step and draw(st.booleans()) and draw(st.booleans()):
            continue
        named = draw(st.sets(st.sampled_from([1, 2, 3])))
        born = tuple(sorted(named & unborn)) if step else ()
        unborn -= named
        steps.append(
            (step, not step or draw(st.booleans()), dict.fromkeys(sorted(named), step + 1.0), born)
        )
    return steps


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """One database; each history has a tenant of its own in it."""
    return Database(tmp_path_factory.mktemp("own") / "stream.db")


_tenants = count()


@HEAVY
@given(histories())
def test_curves_are_what_a_slow_reader_reads(opened: Database, steps: list[Step]) -> None:
    """Whatever came, went and was left out."""
    tenant = str(next(_tenants))
    own = kept(opened, steps, tenant)
    assert read(own, [1, 2, 3], -2, 9, tenant) == slowly(steps, [1, 2, 3])
    assert read(own, [2], -2, 9, tenant) == slowly(steps, [2])
