"""What is spooled of lines and spans: to the bit as it went in, also by an older process."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.counted import LogCounts, Template
from detector.logs.lines import Origin
from detector.spans.columns import NOBODY, Peer, Spans
from pipelines.flows.logs_names import FORGET_MS, NAME, OwnNames, of_labels
from pipelines.flows.logs_record import STEP_MS, Counted, Gains, Lines, NewOwn, gains, lines_of
from pipelines.flows.spans_record import SpanColumns, columns_of
from pipelines.stores.own import OwnSeries
from tests.profiles import HEAVY

NOW = 1_790_000_000_000
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ORIGINS = st.builds(Origin, service=WORDS, namespace=WORDS, pod=WORDS, version=WORDS)
FLOATS = st.floats(allow_nan=False)


@st.composite
def counts(draw: st.DrawFn) -> LogCounts:
    """Counts of some lines."""
    size = draw(st.integers(0, 6))

    def column(kind: Any, most: int) -> Any:  # noqa: ANN401
        every = st.lists(st.integers(0, most), min_size=size, max_size=size)
        return np.array(draw(every), kind)

    texts = draw(st.lists(WORDS, min_size=1, max_size=3))
    templates = tuple(
        Template(id=f"lt_{n}", text=text, sample=text) for n, text in enumerate(texts)
    )
    origins = tuple(draw(st.lists(ORIGINS, min_size=1, max_size=3, unique=True)))
    return LogCounts(
        step_ms=STEP_MS, at=column(np.int64, 2**50), template=column(np.int32, len(templates) - 1),
        origin=column(np.int32, len(origins) - 1), level=column(np.uint8, 6),
        count=column(np.int64, 2**60), templates=templates, origins=origins,
        fresh=frozenset(draw(st.sets(st.integers(0, len(templates) - 1)))),
    )  # fmt: skip


@HEAVY
@given(counts())
def test_counts_come_back_from_bytes(given: LogCounts) -> None:
    """A process that died is replayed by another: what they count is the same."""
    packed = msgspec.msgpack.encode(Counted(tenant="t", taken=NOW, lines=lines_of(given)))
    read = msgspec.msgpack.decode(packed, type=Counted).lines
    assert read is not None
    found = read.counts()
    for name in ("at", "template", "origin", "level", "count"):
        was, now = getattr(given, name), getattr(found, name)
        assert (was.dtype, was.tolist()) == (now.dtype, now.tolist())
    assert (found.templates, found.origins, found.fresh, found.step_ms) == (
        given.templates, given.origins, given.fresh, STEP_MS,
    )  # fmt: skip


@given(st.dictionaries(st.integers(0, 2**31 - 1), FLOATS, max_size=8))
def test_gains_come_back_from_bytes(by_id: dict[int, float]) -> None:
    """To the last digit: sums of them are compared with others' sums."""
    packed = msgspec.msgpack.encode(gains(by_id))
    ids, values = msgspec.msgpack.decode(packed, type=Gains).arrays()
    assert dict(zip(ids.tolist(), values.tolist(), strict=True)) == by_id


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("size", [0, 1, 5])
def test_spans_come_back_however_they_lie_in_memory(size: int, order: Any) -> None:  # noqa: ANN401
    """Columns that were cut out of larger ones, of other types than are kept."""
    numbers = np.arange(2 * size, dtype=np.int64)[::2]
    given = Spans(
        trace=np.asarray(np.arange(16 * size, dtype=np.uint8).reshape(size, 16), order=order),
        span=numbers.astype(np.uint64), parent=numbers.astype(np.uint64) + 2**63,
        start=numbers + NOW * 10**6, duration=numbers, kind=numbers.astype(np.uint8),
        status=numbers.astype(np.uint8), operation=numbers.astype(np.int32),
        peer=numbers.astype(np.int32), origin=numbers.astype(np.int32),
        operations=("GET /größe", ""), peers=(NOBODY,), origins=(Origin(service="a"),), taken=NOW,
    )  # fmt: skip
    packed = msgspec.msgpack.encode(columns_of(given))
    found = msgspec.msgpack.decode(packed, type=SpanColumns).spans()
    for name in ("trace", "span", "parent", "start", "duration", "kind", "peer", "origin"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
    assert (found.operations, found.peers, found.taken) == (given.operations, (NOBODY,), NOW)
    assert isinstance(found.peers[0], Peer)


def test_what_an_older_process_spooled_is_read() -> None:
    """Fields that came later are as if nothing had been told of them."""
    counted = msgspec.msgpack.decode(
        msgspec.msgpack.encode({"type": "counted", "tenant": "t", "taken": NOW}), type=Counted
    )
    assert counted == Counted(tenant="t", taken=NOW)
    assert counted.own.arrays()[0].size == 0
    columns = [b"", b"", b"", b"", b"", [], []]
    assert (
        msgspec.msgpack.decode(msgspec.msgpack.encode(columns), type=Lines).counts().fresh == set()
    )


def test_a_tick_of_time_is_small_in_the_spool() -> None:
    """One is written each second where nothing comes."""
    assert len(msgspec.msgpack.encode(Counted(tenant="default", taken=NOW))) < 200


@given(st.dictionaries(WORDS.filter(bool), WORDS, max_size=5), st.randoms(use_true_random=False))
def test_labels_are_the_same_in_any_order(labels: dict[str, str], random: Any) -> None:  # noqa: ANN401
    """Two ways to write one counter would be two counters."""
    pairs = list(labels.items())
    first = of_labels("x", pairs)
    random.shuffle(pairs)
    assert of_labels("x", pairs) == first
    assert first[0] == (NAME, "x")
    assert dict(first[1:]) == {name: value for name, value in labels.items() if value}


def test_long_values_of_labels_are_cut() -> None:
    """A service that is called by a novel is still one counter."""
    cut = of_labels("x", [("a", "v" * 10_000)])
    assert len(cut[1][1]) == 256
    assert of_labels("x", [("a", "v" * 20_000)]) == cut


NUMBERS = st.lists(st.integers(0, 7), max_size=30)


@given(NUMBERS, st.integers(1, 8))
def test_ids_are_given_once_and_to_no_more_than_there_is_room_for(
    asked: list[int], most: int
) -> None:
    """Each counter has its own id for as long as it lives."""
    names = OwnNames(most=most)
    ids: dict[int, int] = {}
    for number in asked:
        labels = of_labels("x", [("n", str(number))])
        id = names.id_of(labels, Origin(service="a"), NOW, is_first=False)
        assert ids.setdefault(number, id) == id or ids[number] == -1
        ids[number] = id
    given_ids = [id for id in ids.values() if id >= 0]
    assert sorted(given_ids) == list(range(len(given_ids)))
    assert len(given_ids) == min(most, len(ids))
    assert [one.id for one in names.fresh()] == sorted(given_ids)


def test_a_counter_that_was_silent_for_days_begins_anew() -> None:
    """Under another id: the old one stands where it stood and is forgotten."""
    labels = of_labels("x", [("pod", "a")])
    known = OwnSeries(id=4, owner=1, labels=labels, born=NOW, total=9.0, seen=NOW)
    names = OwnNames([known], most=1)
    origin = Origin(service="a")
    assert names.id_of(labels, origin, NOW + FORGET_MS - 1) == 4
    assert names.id_of(of_labels("x", [("pod", "b")]), origin, NOW + FORGET_MS) == -1
    later = NOW + 3 * FORGET_MS
    assert names.id_of(of_labels("x", [("pod", "b")]), origin, later) == 5
    (new,) = names.fresh()
    assert isinstance(new, NewOwn)
    assert new.id == 5
